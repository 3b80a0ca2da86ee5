"""What waits for a person: approvals, questions, and failures that nobody else can mend."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentorch import Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.core.state import Request
from agentorch.errors import ConfigurationError, EffectNotDone, PermanentError, TransientError
from agentorch.runtime.outcome import OutcomeStatus


@agent(description="Pays.")
async def paying(amount: int) -> str:
    return f"paid {amount}"


@agent(description="Asks a person for a number.")
async def asking(context: Context) -> int:
    return await context.ask("how many?", type=int)


def payment(**policy: Any) -> Plan:
    """Return a plan of one payment, beside another task."""
    plan = Plan("pay")
    plan.add("pay", agent=paying, inputs={"amount": 3}, **policy)
    return plan


async def test_a_task_waits_for_approval_also_over_a_restart(tmp_path: Path) -> None:
    """Nothing runs before the yes; the process may go in between; the outcome says what is waited for."""
    async with Orchestrator([paying], journal=tmp_path / "runs.db") as before:
        waiting = await before.run(payment(approval="before"))
    async with Orchestrator([paying], journal=tmp_path / "runs.db") as after:
        again = await after.resume(waiting.run_id)
        run = await after.attach(waiting.run_id)
        (request,) = run.waiting
        await run.answer(request.request_id, True, by="ann")
        outcome = await run.outcome()

    assert (waiting.status, again.status) == (OutcomeStatus.WAITING, OutcomeStatus.WAITING)
    assert waiting.problems[0].code == "waiting"
    assert waiting.states == {"pay": "waiting"}
    assert (outcome.status, outcome.answer) == (OutcomeStatus.SUCCEEDED, "paid 3")


async def test_a_refused_approval_fails_the_task() -> None:
    """A no is final, and says who."""

    def refuse(request: Request) -> bool:
        return request.kind != "approval"

    async with Orchestrator([paying], on_request=refuse) as orchestrator:
        outcome = await orchestrator.run(payment(approval="before"))

    assert outcome.status is OutcomeStatus.FAILED
    assert "did not approve" in outcome.problems[0].message


async def test_an_agent_asks_and_gets_the_answer_in_its_type() -> None:
    """`context.ask` waits for a person while others go on."""

    async def answer(request: Request) -> int:
        assert request.question == "how many?"
        await asyncio.sleep(0)
        return 7

    plan = Plan("ask")
    plan.add("number", agent=asking)
    async with Orchestrator([asking], on_request=answer) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == 7


async def test_a_run_of_which_all_wait_for_answers_is_at_rest() -> None:
    """Without `on_request` the outcome says "waiting"; the question is answered later, and takes no slot till then."""

    @agent(description="Asks by another.")
    async def calling(context: Context) -> int:
        return int(await context.call(asking)) + 1

    plan = Plan("ask")
    plan.add("number", agent=calling)
    plan.add("other", agent=paying, inputs={"amount": 3})
    async with Orchestrator([asking, calling, paying], policy=Policy(parallel=1)) as orchestrator:
        run = await orchestrator.submit(plan)
        waiting = await asyncio.wait_for(run.outcome(), 5)
        (request,) = run.waiting
        await run.answer(request.request_id, 7)
        outcome = await asyncio.wait_for(run.outcome(), 5)

    assert (waiting.status, waiting.outputs.get("other")) == (OutcomeStatus.WAITING, "paid 3")
    assert (outcome.status, outcome.outputs["number"]) == (OutcomeStatus.SUCCEEDED, 8)


async def test_a_question_outlives_its_process(tmp_path: Path) -> None:
    """Who asked is started again and asks the same; the answer is for whoever asks now."""
    plan = Plan("ask")
    plan.add("number", agent=asking)
    async with Orchestrator([asking], journal=tmp_path / "runs.db") as before:
        waiting = await asyncio.wait_for(before.run(plan), 5)
    async with Orchestrator([asking], journal=tmp_path / "runs.db") as after:
        run = await after.take_up(waiting.run_id)
        again = await asyncio.wait_for(run.outcome(), 5)
        (request,) = run.waiting
        await run.answer(request.request_id, 7)
        outcome = await asyncio.wait_for(run.outcome(), 5)

    assert (waiting.status, again.status) == (OutcomeStatus.WAITING, OutcomeStatus.WAITING)
    assert (outcome.status, outcome.answer) == (OutcomeStatus.SUCCEEDED, 7)


async def test_a_person_is_the_last_rung() -> None:
    """When everything else is used up, a person may give the output."""

    @agent(description="Never works.")
    async def broken() -> str:
        raise RuntimeError("no luck")

    asked: list[str] = []

    def answer(request: Request) -> dict[str, str]:
        asked.append(request.question)
        return {"output": "by hand"}

    plan = Plan("try")
    plan.add("only", agent=broken)
    policy = Policy(attempts=1, replans=0)
    async with Orchestrator([broken], policy=policy, on_request=answer) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "by hand"
    assert "no luck" in asked[0]


async def test_the_same_question_asked_again_is_another_question(tmp_path: Path) -> None:
    """An agent that asks until the answer will do is answered each time; a restart reads each answer back in turn."""
    answers: list[str] = []

    def answering(request: Request) -> str | None:
        return answers.pop(0) if answers else None

    @agent(description="Asks until it gets a number.")
    async def insisting(context: Context) -> list[str]:
        given: list[str] = []
        while not given or not given[-1].isdigit():
            given.append(await context.ask("how many?", type=str))
        return given

    plan = Plan("ask")
    plan.add("number", agent=insisting)
    journal = tmp_path / "runs.db"
    answers += ["many", "some", "7"]
    async with Orchestrator([insisting], journal=journal, on_request=answering) as before:
        first = await before.run(plan)
    answers.append("some")
    async with Orchestrator([insisting], journal=journal, on_request=answering) as between:
        run = await between.submit(plan)
        waiting = await run.outcome()
    answers.append("9")
    async with Orchestrator([insisting], journal=journal, on_request=answering) as after:
        resumed = await after.resume(waiting.run_id)

    assert first.answer == ["many", "some", "7"]
    assert (waiting.status, resumed.answer) == (OutcomeStatus.WAITING, ["some", "9"])


class Letterbox:
    """A tool that a person has to allow, full at first, and an agent that sends by it until it has or may not."""

    def __init__(self, *, full: int, failures: int = 0) -> None:
        self.sent: list[str] = []

        @tool(effect="once", approval=True)
        async def send(letter: str) -> str:
            nonlocal full
            if full:
                full -= 1
                raise EffectNotDone("the box is full")
            self.sent.append(letter)
            return "sent"

        @agent(description="Sends a letter.", tools=[send])
        async def sending(context: Context) -> str:
            nonlocal failures
            said = "the box is full"
            while said.endswith("full"):
                try:
                    said = await context.tool(send, letter="x")
                except PermanentError as error:
                    said = str(error)
            if failures:
                failures -= 1
                raise TransientError("the line is bad", retry_after=0.01)
            return said

        self.agent = sending
        self.plan = Plan("send")
        self.plan.add("send", agent=sending)


REFUSED = "tool 'send': a person did not approve the call"


async def test_a_no_is_not_overruled_by_an_earlier_yes() -> None:
    """The Yes was used up by a call that did not come about; the No to the next one holds when the attempt goes on."""
    box = Letterbox(full=1, failures=1)
    answers = [True, False]

    def answering(request: Request) -> bool:
        return answers.pop(0)

    async with Orchestrator([box.agent], on_request=answering) as orchestrator:
        outcome = await asyncio.wait_for(orchestrator.run(box.plan), 5)

    assert (outcome.answer, box.sent, answers) == (REFUSED, [], [])


@pytest.mark.parametrize("agreed", [True, False])
async def test_the_second_time_that_a_call_is_asked_about_outlives_its_process(tmp_path: Path, agreed: bool) -> None:
    """The question that was open is the one that counts, and no other is asked; one Yes is good for one call."""
    box = Letterbox(full=1)
    answers = [True]

    def answering(request: Request) -> bool | None:
        return answers.pop() if answers else None

    async with Orchestrator([box.agent], journal=tmp_path / "runs.db", on_request=answering) as before:
        waiting = await asyncio.wait_for(before.run(box.plan), 5)
    async with Orchestrator([box.agent], journal=tmp_path / "runs.db") as after:
        run = await after.take_up(waiting.run_id)
        again = await asyncio.wait_for(run.outcome(), 5)
        (request,) = run.waiting
        await run.answer(request.request_id, agreed)
        outcome = await asyncio.wait_for(run.outcome(), 5)

    assert (waiting.status, again.status) == (OutcomeStatus.WAITING, OutcomeStatus.WAITING)
    assert (outcome.answer, box.sent) == (("sent", ["x"]) if agreed else (REFUSED, []))


def nobody(request: Request) -> None:
    """Answer nothing for now."""


class Money(BaseModel):
    amount: int


async def test_an_output_by_hand_is_held_to_its_type() -> None:
    """What a person gives in an output's place must fit the agent's output; what does not is refused in words."""

    @agent(description="Never works.")
    async def broken() -> list[Money]:
        raise RuntimeError("no luck")

    plan = Plan("try")
    plan.add("only", agent=broken)
    async with Orchestrator([broken], policy=Policy(attempts=1, replans=0)) as orchestrator:
        none = await orchestrator.run(plan)
    async with Orchestrator([broken], policy=Policy(attempts=1, replans=0), on_request=nobody) as orchestrator:
        run = await orchestrator.submit(plan)
        await run.outcome()
        (request,) = run.waiting
        with pytest.raises(ConfigurationError, match="amount"):
            await run.answer(request.request_id, {"output": [{"amount": "much"}]})
        await run.answer(request.request_id, {"output": [{"amount": 3}]})
        outcome = await run.outcome()

    assert none.status is OutcomeStatus.FAILED
    assert outcome.answer == [Money(amount=3)]
