"""Effects in a fork that its parent had begun, and calls inside of them."""

import asyncio
from pathlib import Path

from agentorch import Context, Orchestrator, Plan, agent, tool
from tests.runtime.test_forking import head_of, send, sent


async def test_calls_inside_a_parent_s_call_are_made_in_its_fork(tmp_path: Path) -> None:
    """The outer call was cut off in the parent; its key is the parent's, also for what is called inside of it."""
    sent.clear()
    begun = asyncio.Event()

    @tool(effect="once", probe=lambda key: False)
    async def post(letter: str, context: Context) -> str:
        if not begun.is_set():
            begun.set()
            await asyncio.Event().wait()
        return str(await context.tool(send, letter=letter))

    @agent(description="Posts letters.", tools=[post, send])
    async def postman(letter: str, context: Context) -> str:
        return str(await context.tool(post, letter=letter))

    plan = Plan("x")
    plan.add("a", agent=postman, inputs={"letter": "hello"})
    async with Orchestrator([postman], journal=tmp_path / "runs.db") as orchestrator:
        parent = await orchestrator.submit(plan)
        await begun.wait()
    async with Orchestrator([postman], journal=tmp_path / "runs.db") as orchestrator:
        at = await head_of(orchestrator, parent.id)
        fork = await orchestrator.start_fork(parent.id, at=at, allow_effects=True)
        outcome = await fork.outcome()
        if fork.waiting:
            await fork.answer(fork.waiting[0].request_id, "retry")
            outcome = await fork.outcome()

    assert (outcome.answer, [letter for letter, _ in sent]) == ("sent hello", ["hello"])
