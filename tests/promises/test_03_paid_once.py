"""Promise 3: nothing is paid for twice.

What has finished is never run again after a crash or a resume: no task, and inside a task that was cut off no model
call, no tool call and no step. The last test kills a real process, which is this module:
`python -m tests.promises.test_03_paid_once FOLDER POINT`.
"""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from agentorch import Agent, Context, Orchestrator, Plan, agent, tool
from agentorch.ports.model import ModelRequest, ToolCall
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.scripted_model import ScriptedModel


async def test_a_resumed_run_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    """The owner goes away in the middle: finished tasks are read back, the one in flight runs again, once."""
    calls: list[str] = []
    stuck = asyncio.Event()

    @agent(description="Counts its calls.")
    async def counted(name: str) -> str:
        calls.append(name)
        if name == "slow" and calls.count("slow") == 1:
            stuck.set()
            await asyncio.Event().wait()
        return name

    plan = Plan("three in a row")
    first = plan.add("first", agent=counted, inputs={"name": "first"})
    slow = plan.add("slow", agent=counted, inputs={"name": "slow"}, needs=[first])
    plan.add("last", agent=counted, inputs={"name": "last"}, needs=[slow])
    journal = tmp_path / "runs.db"
    async with Orchestrator([counted], journal=journal) as before:
        run = await before.submit(plan)
        await stuck.wait()

    async with Orchestrator([counted], journal=journal) as after:
        outcome = await after.resume(run.id)
        again = await after.resume(run.id)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert calls == ["first", "slow", "slow", "last"]
    assert dict(again.outputs) == dict(outcome.outputs) == {"first": "first", "slow": "slow", "last": "last"}


async def test_the_same_key_starts_one_run(tmp_path: Path) -> None:
    """Two requests under one key are one run, also after a restart."""
    calls: list[str] = []

    @agent(description="Counts its calls.")
    async def counted(goal: str) -> str:
        calls.append(goal)
        return goal

    async with Orchestrator([counted], journal=tmp_path / "runs.db") as one:
        first = await one.run("pay", key="order-7")
    async with Orchestrator([counted], journal=tmp_path / "runs.db") as two:
        second = await two.run("pay", key="order-7")

    assert calls == ["pay"]
    assert (first.run_id, first.answer) == (second.run_id, second.answer)


async def test_calls_inside_a_task_that_was_cut_off_are_read_back(tmp_path: Path) -> None:
    """A model call, a tool call and a step are paid for before the crash: the resumed task makes none of them again."""
    calls: list[str] = []
    stuck, gate = asyncio.Event(), asyncio.Event()

    @tool
    async def search(word: str) -> str:
        """Search."""
        calls.append(f"search {word}")
        return f"about {word}"

    async def fetch(url: str) -> int:
        calls.append(f"fetch {url}")
        return len(url)

    @agent(description="Does three things, then the rest.", needs_model=True)
    async def working(context: Context) -> str:
        said = await context.model("Say a word.")
        found = await context.tool(search, word=said)
        size = await context.step("fetch", fetch, "a.example")
        if not gate.is_set():
            stuck.set()
            await asyncio.Event().wait()
        return f"{said}, {found}, {size}"

    plan = Plan("work")
    plan.add("only", agent=working)
    paid, unpaid = ScriptedModel(["honey"]), ScriptedModel(["salt"])
    async with Orchestrator([working], model=paid, planner="rules", journal=tmp_path / "runs.db") as before:
        run = await before.submit(plan)
        await stuck.wait()
    gate.set()
    async with Orchestrator([working], model=unpaid, planner="rules", journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run.id)

    assert outcome.answer == "honey, about honey, 9"
    assert (len(paid.requests), len(unpaid.requests), outcome.usage.calls) == (1, 0, 1)
    assert calls == ["search honey", "fetch a.example"]


PAID = ["asked 0", "looked up honey", "asked 1", "looked up salt", "asked 2"]
"""What a prompt agent pays for when nothing happens to it: three answers of the model, the tool between them."""


class Shop:
    """The outside world: a prompt agent's model and tool, whose book outlives the process that is killed."""

    def __init__(self, folder: Path, point: int | None = None) -> None:
        self.book = folder / "book"
        self.journal = folder / "runs.db"
        self._point = point

    def pay(self, what: str) -> None:
        """Write it down; die at the point."""
        with self.book.open("a") as book:
            book.write(f"{what}\n")
        if len(self.paid) == self._point:
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def paid(self) -> list[str]:
        """What was paid for, by all processes."""
        return self.book.read_text().splitlines()

    def team(self) -> Orchestrator:
        """Return an agent that looks two things up, and its model."""

        @tool
        async def look(word: str) -> str:
            """Look a word up."""
            self.pay(f"looked up {word}")
            return f"{word} keeps"

        def answer(request: ModelRequest) -> str | ToolCall:
            turn = sum(message.role == "tool" for message in request.messages)
            self.pay(f"asked {turn}")
            words = ["honey", "salt"][turn:]
            return ToolCall(f"call{turn}", "look", json.dumps({"word": words[0]})) if words else "Both keep."

        reader = Agent("reader", description="Reads up.", prompt="Look honey up, then salt.", tools=[look])
        return Orchestrator([reader], model=ScriptedModel(answer), planner="rules", journal=self.journal)

    async def begin(self) -> None:
        """Carry the run out."""
        plan = Plan("read up")
        plan.add("only", agent="reader")
        async with self.team() as team:
            await team.run(plan)


@pytest.mark.parametrize("point", [2, 3, 4, 5])
async def test_a_prompt_agent_killed_in_its_loop_asks_nothing_again_that_was_answered(
    point: int, tmp_path: Path, repository: Path
) -> None:
    """SIGKILL in each call of its loop: the answers before it are read back, the call in flight alone is made again."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, str(tmp_path), str(point),
        cwd=repository, env=os.environ | {"PYTHONPATH": str(repository)},
    )  # fmt: skip
    assert await program.wait() == -signal.SIGKILL

    shop = Shop(tmp_path)
    assert shop.paid == PAID[:point]
    async with shop.team() as team:
        (record,) = [record async for record in team.runs()]
        outcome = await team.resume(record.run_id)

    assert outcome.answer == "Both keep."
    assert shop.paid == [*PAID[:point], *PAID[point - 1 :]]


if __name__ == "__main__":
    asyncio.run(Shop(Path(sys.argv[1]), int(sys.argv[2])).begin())
