"""Promise 4: effects happen once, or are reported as unknown; never silently twice.

Two kinds of effects keep it. A tool with `effect="once"` is a step of its task: that it begins is in the journal before
the call, its receipt after it, and a receipt is given back instead of a second call; where the receipt is missing, the
tool's `probe` says what happened, and without one a person does. An agent with `effects="once"` acts in its own body:
what it has begun is never begun again by the ladder, no patch touches it once it has succeeded, nothing of it starts
before the plan is complete, and its `idempotency_key` is the same whenever it is asked.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.core.card import Effect
from agentorch.core.identity import digest
from agentorch.core.state import Request
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError, TransientError
from agentorch.events import PlanRejected
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from agentorch.runtime.outcome import OutcomeStatus


class Account:
    """The outside world: money that leaves once, and once more if somebody is careless."""

    def __init__(self) -> None:
        self.paid: list[int] = []

    def agent(self, error: Exception | None = None, effects: Effect = "once", **settings: Any) -> Any:
        """Return an agent that pays, and then may fail to say so."""

        @agent(name="paying", description="Pays.", effects=effects, **settings)
        async def paying(amount: int) -> str:
            self.paid.append(amount)
            if error is not None:
                raise error
            return f"paid {amount}"

        return paying


def payment(worker: Any) -> Plan:
    """Return a plan of one payment."""
    plan = Plan("pay")
    plan.add("pay", agent=worker, inputs={"amount": 3})
    return plan


@agent(description="Pays in another way.")
async def spare(amount: int) -> str:
    raise AssertionError("nobody knows whether the money has left: no other agent may be tried")


@pytest.mark.parametrize(
    "error",
    [RuntimeError("the line went dead"), TransientError("later", retry_after=0.01), TimeoutError("no receipt")],
    ids=["crash", "transient", "timeout"],
)
async def test_what_failed_half_way_is_never_started_again_by_itself(error: Exception) -> None:
    """No retry, no next dispatch, no fallback: the task fails, and its problem says why."""
    account = Account()
    paying = account.agent(error, fallback="spare", attempts=5)
    async with Orchestrator([paying, spare], policy=Policy(attempts=5, replans=0)) as orchestrator:
        outcome = await orchestrator.run(payment(paying))

    assert account.paid == [3]
    assert outcome.status is OutcomeStatus.FAILED
    assert str(error) in outcome.problems[0].message


async def test_a_wrong_set_up_does_not_repeat_the_effect() -> None:
    """A failure that stops other runs, to be resumed, ends this task: a resume would pay again."""
    account = Account()
    paying = account.agent(ConfigurationError("no printer for the receipt"))
    async with Orchestrator([paying]) as orchestrator:
        outcome = await orchestrator.run(payment(paying))

    assert account.paid == [3]
    assert outcome.status is OutcomeStatus.FAILED
    assert "no printer" in outcome.problems[0].message


async def test_a_rejected_output_does_not_repeat_the_effect() -> None:
    """The money has left, whatever the receipt looks like: no repair and no fresh attempt."""
    account = Account()
    paying = account.agent()

    def never_good(output: str) -> str:
        return "this is no receipt"

    policy = Policy(attempts=5, repairs=5, replans=0)
    async with Orchestrator([paying], validators=[never_good], policy=policy) as orchestrator:
        outcome = await orchestrator.run(payment(paying))

    assert account.paid == [3]
    assert "this is no receipt" in outcome.problems[0].message


async def test_a_person_decides_when_one_is_there() -> None:
    """The run waits and asks; only a person's word starts it again."""
    account = Account()
    paying = account.agent(RuntimeError("the line went dead"))
    asked: list[str] = []

    def on_request(request: Request) -> str:
        asked.append(request.question)
        return "retry" if len(asked) == 1 else "fail"

    policy = Policy(attempts=5, replans=0)
    async with Orchestrator([paying], policy=policy, on_request=on_request) as orchestrator:
        outcome = await orchestrator.run(payment(paying))

    assert account.paid == [3, 3]
    assert len(asked) == 2
    assert "the line went dead" in asked[0]
    assert outcome.status is OutcomeStatus.FAILED


async def test_a_task_cut_off_half_way_is_unknown_and_not_repeated_by_a_resume(tmp_path: Path) -> None:
    """The process ends between the payment and its receipt: the run says that it does not know, and waits or fails."""
    account = Account()
    begun = asyncio.Event()

    @agent(name="paying", description="Pays.", effects="once")
    async def stuck(amount: int) -> str:
        account.paid.append(amount)
        begun.set()
        await asyncio.Event().wait()
        return "never"

    async with Orchestrator([stuck], journal=tmp_path / "runs.db") as before:
        run = await before.submit(payment(stuck))
        await begun.wait()
    async with Orchestrator([account.agent(), spare], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run.id, changed="accept")

    assert account.paid == [3]
    assert outcome.status is OutcomeStatus.FAILED
    assert "not known" in outcome.problems[0].message


async def test_no_patch_puts_another_agent_in_the_place_of_one_that_may_have_paid() -> None:
    """The rules would find an agent that fits; they are not asked, and whoever plans otherwise is refused."""
    account = Account()
    paying = account.agent(RuntimeError("the line went dead"))

    @agent(description="Fails.")
    async def failing() -> str:
        await asyncio.sleep(0.01)
        raise RuntimeError("cannot")

    @agent(description="Pays in another way.")
    async def another(amount: int) -> str:
        account.paid.append(amount)
        return f"paid {amount}"

    async with Orchestrator([paying, another], policy=Policy(attempts=1)) as orchestrator:
        alone = await orchestrator.run(payment(paying))
    planner = Patcher(Task("pay", "another", inputs={"amount": 3}), Task("other", "failing"))
    plan = payment(paying)
    plan.add("other", agent=failing)
    async with Orchestrator([paying, another, failing], planner=planner, policy=Policy(attempts=1)) as orchestrator:
        beside = await orchestrator.run(plan)

    assert account.paid == [3, 3]
    assert (alone.status, beside.status) == (OutcomeStatus.FAILED, OutcomeStatus.FAILED)
    assert beside.states["pay"] == "failed"


class Patcher:
    """Wants to change a task that has succeeded."""

    name = "patcher"

    def __init__(self, *put: Task, drop: tuple[str, ...] = ()) -> None:
        self._patch = Patch(put=put, drop=drop)

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        raise NotImplementedError

    async def patch(self, request: PlanRequest) -> PlanReport:
        return PlanReport(patch=self._patch)


@pytest.mark.parametrize(
    "planner",
    [
        Patcher(Task("pay", "paying", inputs={"amount": 4}), Task("tell", "telling", inputs={"text": "$pay"})),
        Patcher(Task("tell", "telling", inputs={"text": "told"}), drop=("pay",)),
    ],
    ids=["another amount", "dropped"],
)
@pytest.mark.parametrize("effects", ["once", "idempotent"])
async def test_no_patch_touches_what_has_had_its_effect(effects: Effect, planner: Patcher) -> None:
    """The patch is refused with a reason, and the money leaves once."""
    account = Account()
    paying = account.agent(effects=effects)

    @agent(description="Fails.")
    async def failing(text: str) -> str:
        raise RuntimeError("cannot")

    @agent(description="Tells.")
    async def telling(text: str) -> str:
        return text

    plan = payment(paying)
    plan.add("tell", agent=failing, inputs={"text": "$pay"})
    team = [paying, failing, telling]
    async with Orchestrator(team, planner=planner, policy=Policy(attempts=1, replans=1)) as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()

    refused = [problem for event in events if isinstance(event, PlanRejected) for problem in event.problems]
    assert account.paid == [3]
    assert outcome.states["pay"] == "succeeded"
    assert any("has effects" in problem.message and problem.task == "pay" for problem in refused)


async def test_a_succeeded_effect_is_not_repeated_by_a_resume(tmp_path: Path) -> None:
    """The run goes on in another process: the payment is read back."""
    account = Account()
    paying = account.agent()
    begun, gate = asyncio.Event(), asyncio.Event()

    @agent(description="Waits.")
    async def waiting(text: str) -> str:
        begun.set()
        await gate.wait()
        return text

    plan = payment(paying)
    plan.add("wait", agent=waiting, inputs={"text": "$pay"})
    async with Orchestrator([paying, waiting], journal=tmp_path / "runs.db") as before:
        run = await before.submit(plan)
        await begun.wait()
    gate.set()
    async with Orchestrator([paying, waiting], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run.id)

    assert account.paid == [3]
    assert outcome.answer == "paid 3"


async def test_the_idempotency_key_is_the_same_over_dispatches_attempts_and_agents() -> None:
    """A service that knows the key sees one request, however often it is made."""
    keys: list[str] = []

    @agent(description="Posts.", effects="idempotent", fallback="other")
    async def posting(context: Context) -> str:
        keys.append(context.idempotency_key)
        if len(keys) == 1:
            raise TransientError("busy", retry_after=0.01)
        raise RuntimeError("no")

    @agent(description="Posts in another way.", effects="idempotent")
    async def other(context: Context) -> str:
        keys.append(context.idempotency_key)
        return "posted"

    plan = Plan("post")
    plan.add("post", agent=posting)
    async with Orchestrator([posting, other]) as orchestrator:
        outcome = await orchestrator.run(plan)

    assert outcome.answer == "posted"
    assert keys == [f"{outcome.run_id}/post"] * 4


async def test_an_effect_begins_only_when_its_start_is_on_the_disk(tmp_path: Path) -> None:
    """Whoever reads the journal file from outside sees the start before the body runs: a crash leaves a trace."""
    seen: list[int | None] = []
    place = tmp_path / "runs.db"

    @agent(description="Pays.", effects="once")
    async def paying(context: Context) -> str:
        with closing(sqlite3.connect(place)) as outside:
            seen.append(outside.execute("SELECT head FROM runs WHERE run_id = ?", (context.run_id,)).fetchone()[0])
        return "paid"

    async with Orchestrator([paying], journal=place) as orchestrator:
        for number in range(5):
            plan = Plan(f"pay {number}")
            plan.add("pay", agent=paying)
            (await orchestrator.run(plan)).raise_for_problems()

    assert seen == [4] * 5, "RunStarted, TasksAccepted, PlanCompleted, TaskStarted"


async def test_a_tool_pays_once_over_attempts_and_a_crash(tmp_path: Path) -> None:
    """The agent fails after it has paid, then its process ends: the receipt is what everybody after that gets."""
    paid: list[str] = []
    stuck, gate = asyncio.Event(), asyncio.Event()

    @tool(effect="once")
    async def pay(amount: int, context: Context) -> str:
        """Pay."""
        paid.append(context.idempotency_key)
        return f"paid {amount}"

    @agent(name="paying", description="Pays by a tool.", tools=[pay], attempts=3)
    async def by_tool(amount: int, context: Context) -> str:
        receipt = await context.tool(pay, amount=amount)
        if context.attempt == 1:
            raise RuntimeError("the printer is out of paper")
        if not gate.is_set():
            stuck.set()
            await asyncio.Event().wait()
        return receipt

    async with Orchestrator([by_tool], journal=tmp_path / "runs.db") as before:
        run = await before.submit(payment(by_tool))
        await stuck.wait()
    gate.set()
    async with Orchestrator([by_tool], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run.id)

    assert (outcome.answer, paid) == ("paid 3", [f"{run.id}/pay/pay/{digest({'amount': 3})[:16]}-1"])


async def test_a_payment_that_was_cut_off_waits_for_a_person(tmp_path: Path) -> None:
    """Nobody saw its end: it is not made again, and a person says what is to be."""
    paid: list[int] = []
    stuck = asyncio.Event()

    @tool(effect="once")
    async def pay(amount: int) -> str:
        """Pay."""
        paid.append(amount)
        stuck.set()
        await asyncio.Event().wait()
        return "never"

    @agent(name="paying", description="Pays by a tool.", tools=[pay])
    async def by_tool(amount: int, context: Context) -> str:
        return str(await context.tool(pay, amount=amount))

    async with Orchestrator([by_tool], journal=tmp_path / "runs.db") as before:
        run = await before.submit(payment(by_tool))
        await stuck.wait()
    async with Orchestrator([by_tool], journal=tmp_path / "runs.db") as after:
        again = await after.take_up(run.id)
        waiting = await again.outcome()
        await again.answer(again.waiting[0].request_id, {"done": "paid by hand"}, by="ann")
        outcome = await again.outcome()

    assert (waiting.status, outcome.answer, paid) == (OutcomeStatus.WAITING, "paid by hand", [3])
