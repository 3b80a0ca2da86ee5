"""Tools with `effect="once"`: intended, done once, a receipt afterwards; what nobody knows waits for a person."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.core.identity import digest
from agentorch.errors import EffectNotDone, TransientError
from agentorch.events import EffectDone, EffectIntended, EffectVoided, RequestOpened, RunFinished
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.runtime.why import explain
from agentorch.tools import Tool


class Bank:
    """Where the money leaves: `paid` is what has happened, whatever anybody was told."""

    def __init__(self) -> None:
        self.paid: list[tuple[str, int]] = []
        self.begun = asyncio.Event()
        self.hangs = False
        self.error: Exception | None = None

    def tool(self, *, probe: Callable[[str], Any] | None = None) -> Tool[..., Any]:
        """Return the tool."""

        @tool(effect="once", probe=probe)
        async def pay(amount: int, context: Context) -> str:
            """Pay an amount."""
            if isinstance(self.error, EffectNotDone):
                error, self.error = self.error, None
                raise error
            self.paid.append((context.idempotency_key, amount))
            if self.hangs:
                self.begun.set()
                await asyncio.Event().wait()
            if self.error is not None:
                raise self.error
            return f"paid {amount}"

        return pay


def paying(pay: Tool[..., Any], *, amounts: list[int] | None = None, errors: list[Exception] | None = None):
    """Return an agent that pays, and after that raises each of `errors` once."""
    left, sums = list(errors or ()), list(amounts or ())

    @agent(description="Pays.", tools=[pay])
    async def payer(context: Context) -> str:
        receipt = await context.tool(pay, amount=sums.pop(0) if sums else 3)
        if left:
            raise left.pop(0)
        return receipt

    return payer


def key_of(run_id: str, number: int = 1) -> str:
    """Return the key of a payment of 3."""
    return f"{run_id}/pay/pay/{digest({'amount': 3})[:16]}-{number}"


def plan() -> Plan:
    """Return a plan of one payment."""
    plan = Plan("pay")
    plan.add("pay", agent="payer")
    return plan


async def cut_off(journal: Path, bank: Bank, pay: Tool[..., Any]) -> str:
    """End the process, so to say, while the payment is under way."""
    bank.hangs = True
    async with Orchestrator([paying(pay)], journal=journal) as before:
        run = await before.submit(plan())
        await bank.begun.wait()
    bank.hangs = False
    return run.id


@pytest.mark.parametrize(
    "error", [TransientError("busy", retry_after=0.01), RuntimeError("the printer is out of paper")], ids=repr
)
async def test_a_later_dispatch_or_attempt_gets_the_receipt(error: Exception) -> None:
    """The agent fails after it has paid: it may start again, and the money leaves once."""
    bank = Bank()
    payer = paying(bank.tool(), errors=[error])
    async with Orchestrator([payer]) as orchestrator:
        run = await orchestrator.submit(plan())
        outcome = await run.outcome()
        events = [event async for event in run]

    assert outcome.answer == "paid 3"
    assert bank.paid == [(key_of(run.id), 3)]
    kinds = [type(event) for event in events if isinstance(event, EffectIntended | EffectDone | EffectVoided)]
    assert kinds == [EffectIntended, EffectDone]


@pytest.mark.parametrize(
    ("said", "answer", "paid"),
    [({"done": "paid before"}, "paid before", [3]), ("retry", "paid 4", [3, 4]), ("skip", None, [3])],
    ids=["the same payment", "another one", "neither"],
)
async def test_other_arguments_for_a_call_that_has_happened_wait_for_a_person(
    said: Any, answer: str | None, paid: list[int]
) -> None:
    """A fresh attempt wants to pay another amount: a person says whether that is another payment."""
    bank = Bank()
    payer = paying(bank.tool(), amounts=[3, 4, 4], errors=[RuntimeError("no")])
    async with Orchestrator([payer]) as orchestrator:
        run = await orchestrator.submit(plan())
        waiting = await run.outcome()
        (request,) = run.waiting
        await run.answer(request.request_id, said, by="ann")
        outcome = await run.outcome()

    assert waiting.status is OutcomeStatus.WAITING
    assert (request.kind, request.task) == ("effect", "pay")
    assert """tool 'pay' with {"amount": 4} was called before, with other arguments""" in request.question
    assert (outcome.answer, [amount for _, amount in bank.paid]) == (answer, paid)


@pytest.mark.parametrize(
    ("said", "answer", "times"),
    [({"done": "paid by hand"}, "paid by hand", 1), ("retry", "paid 3", 2), ("skip", None, 1)],
    ids=str,
)
async def test_what_was_cut_off_waits_for_a_person(tmp_path: Path, said: Any, answer: Any, times: int) -> None:
    """Intended and not done: the resumed run calls nothing by itself; a person says what is to be."""
    bank = Bank()
    pay = bank.tool()
    run_id = await cut_off(tmp_path / "runs.db", bank, pay)

    async with Orchestrator([paying(pay)], journal=tmp_path / "runs.db") as after:
        run = await after.take_up(run_id)
        waiting = await run.outcome()
        (request,) = run.waiting
        before = len(bank.paid)
        await run.answer(request.request_id, said, by="ann")
        outcome = await run.outcome()

    assert (waiting.status, before) == (OutcomeStatus.WAITING, 1)
    assert (outcome.answer, len(bank.paid)) == (answer, times)


async def test_done_without_a_result_that_is_needed_asks_for_it(tmp_path: Path) -> None:
    """The tool gives text: a person who only says "done" is asked what it gave."""
    bank = Bank()
    pay = bank.tool()
    run_id = await cut_off(tmp_path / "runs.db", bank, pay)
    async with Orchestrator([paying(pay)], journal=tmp_path / "runs.db") as after:
        run = await after.take_up(run_id)
        await run.outcome()
        await run.answer(run.waiting[0].request_id, "done", by="ann")
        await run.outcome()
        (request,) = run.waiting
        await run.answer(request.request_id, {"done": "by cheque"}, by="ann")
        outcome = await run.outcome()

    assert "its result is not known" in request.question
    assert (outcome.answer, len(bank.paid)) == ("by cheque", 1)


@pytest.mark.parametrize(
    ("told", "answer", "times"), [(False, "paid 3", 2), ("it was paid", "it was paid", 1)], ids=["not", "done"]
)
async def test_a_probe_decides_when_it_knows(tmp_path: Path, told: Any, answer: str, times: int) -> None:
    """The tool can be asked by key whether the effect has happened: no person is needed."""
    bank = Bank()
    asked: list[str] = []

    async def probe(key: str) -> Any:
        asked.append(key)
        return told

    pay = bank.tool(probe=probe)
    run_id = await cut_off(tmp_path / "runs.db", bank, pay)
    async with Orchestrator([paying(pay)], journal=tmp_path / "runs.db") as after:
        outcome = await after.resume(run_id)

    assert asked == [key_of(run_id)]
    assert (outcome.answer, len(bank.paid)) == (answer, times)


def telling(value: Any) -> Callable[[str], Any]:
    """Return a probe that says `value`."""

    def probe(key: str) -> Any:
        return value

    return probe


def raising(key: str) -> Any:
    """Be a probe that breaks."""
    raise OSError("no route")


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        (telling(None), "its end was not seen"),
        (telling(True), "its result is not known"),
        (raising, "could not be looked up (probe: OSError: no route)"),
    ],
    ids=["does not know", "knows no result", "breaks"],
)
async def test_a_probe_that_cannot_tell_leaves_it_to_a_person(
    tmp_path: Path, probe: Callable[[str], Any], words: str
) -> None:
    """The question says why."""
    bank = Bank()
    pay = bank.tool(probe=probe)
    run_id = await cut_off(tmp_path / "runs.db", bank, pay)
    async with Orchestrator([paying(pay)], journal=tmp_path / "runs.db") as after:
        run = await after.take_up(run_id)
        outcome = await run.outcome()

    assert outcome.status is OutcomeStatus.WAITING
    assert words in run.waiting[0].question
    assert len(bank.paid) == 1


@pytest.mark.parametrize(
    ("probe", "paid", "status"),
    [(None, 1, "waiting"), (telling(False), 2, "failed"), (telling("paid all the same"), 1, "succeeded")],
    ids=["no probe", "not done", "done"],
)
async def test_a_tool_that_raises_may_have_acted(probe: Any, paid: int, status: str) -> None:
    """Without a probe nobody knows; with one, the call is repeated only when it certainly did not happen."""
    bank = Bank()
    bank.error = RuntimeError("the line went dead")
    async with Orchestrator([paying(bank.tool(probe=probe))], policy=Policy(attempts=2, replans=0)) as orchestrator:
        run = await orchestrator.submit(plan())
        outcome = await run.outcome()

    assert (str(outcome.status), len(bank.paid)) == (status, paid)
    if status == "waiting":
        assert "the line went dead" in run.waiting[0].question


async def test_a_tool_may_say_that_nothing_has_happened() -> None:
    """EffectNotDone: the intent is void, and the next attempt calls again under the same key."""
    bank = Bank()
    bank.error = EffectNotDone("the till is closed")

    @agent(description="Pays, and tries again.", name="payer", tools=[pay := bank.tool()])
    async def payer(context: Context) -> str:
        try:
            return str(await context.tool(pay, amount=3))
        except EffectNotDone as error:
            raise TransientError(str(error), retry_after=0.01) from error

    async with Orchestrator([payer]) as orchestrator:
        run = await orchestrator.submit(plan())
        outcome = await run.outcome()
        events = [event async for event in run]

    assert (outcome.answer, len(bank.paid)) == ("paid 3", 1)
    effects = [event.effect for event in events if isinstance(event, EffectIntended | EffectVoided)]
    assert effects == [key_of(run.id)] * 3


async def test_a_cancelled_run_waits_for_the_receipt_of_what_is_under_way() -> None:
    """The call ends within the grace: its receipt stands behind the run's last word, and the outcome knows it."""
    bank = Bank()
    gate = asyncio.Event()

    @tool(effect="once")
    async def pay(amount: int) -> str:
        """Pay."""
        bank.begun.set()
        await gate.wait()
        bank.paid.append(("", amount))
        return f"paid {amount}"

    async with Orchestrator([paying(pay)]) as orchestrator:
        run = await orchestrator.submit(plan())
        await bank.begun.wait()
        await run.cancel()
        gate.set()
        outcome = await run.outcome()
        events = [event async for event in await orchestrator.attach(run.id)]

    assert outcome.status is OutcomeStatus.CANCELLED
    *_, last, receipt = events
    assert isinstance(last, RunFinished)
    assert "whether its call of 'pay' has happened is not known" in last.problems[-1].message
    assert receipt.type == "EffectDone"
    assert not any("is not known" in problem.message for problem in outcome.problems)


async def test_questions_about_effects_cannot_be_confused(tmp_path: Path) -> None:
    """Two payments of one run wait at once, and are answered in the other order."""
    bank = Bank()
    bank.error = RuntimeError("the line went dead")
    pay = bank.tool()

    @agent(name="payer", description="Pays.", tools=[pay])
    async def payer(amount: int, context: Context) -> str:
        return str(await context.tool(pay, amount=amount))

    two = Plan("pay twice", answer=None)
    two.add("first", agent=payer, inputs={"amount": 1})
    two.add("second", agent=payer, inputs={"amount": 2})
    two.add("both", agent="joiner", inputs={"parts": ["$first", "$second"]})

    @agent(description="Joins.")
    async def joiner(parts: list[str]) -> str:
        return " and ".join(parts)

    async with Orchestrator([payer, joiner]) as orchestrator:
        run = await orchestrator.submit(two)
        await run.outcome()
        by_task = {request.task: request for request in run.waiting}
        await run.answer(by_task["second"].request_id, {"done": "two"}, by="ann")
        await run.answer(by_task["first"].request_id, {"done": "one"}, by="ann")
        outcome = await run.outcome()
        opened = [event.request_id async for event in run if isinstance(event, RequestOpened)]

    assert outcome.answer == "one and two"
    assert len(set(opened)) == 2


async def test_why_tells_what_became_of_an_effect() -> None:
    """Begun, not known, asked, answered, and the attempt that goes on."""
    bank = Bank()
    bank.error = RuntimeError("the line went dead")
    async with Orchestrator([paying(bank.tool())]) as orchestrator:
        run = await orchestrator.submit(plan())
        await run.outcome()
        await run.answer(run.waiting[0].request_id, {"done": "by cheque"}, by="ann")
        await run.outcome()
        lines = [line.text for line in explain([event async for event in run], "pay")]

    told = "; ".join(lines)
    assert f"'pay' is about to be called, once ({key_of(run.id)})" in told
    assert "'pay' has happened, says ann" in told
    assert "the same attempt is dispatched again: ann said what has become of its effect" in told


async def test_a_call_inside_a_tool_and_one_in_the_body_are_two_effects() -> None:
    """When the outer tool is read back, its inner call is not made; the body's own is not taken for it."""
    sent: list[str] = []
    tries: list[int] = []

    @tool(effect="once")
    async def send(text: str) -> str:
        """Send."""
        sent.append(text)
        return text

    @tool
    async def outer(context: Context) -> str:
        """Send from inside."""
        return str(await context.tool(send, text="hello"))

    @agent(name="payer", description="Sends twice.", tools=[send])
    async def payer(context: Context) -> str:
        inside = await context.tool(outer)
        tries.append(1)
        if len(tries) == 1:
            raise TransientError("busy", retry_after=0.01)
        return f"{inside} and {await context.tool(send, text='hello')}"

    async with Orchestrator([payer]) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert (outcome.answer, sent) == ("hello and hello", ["hello", "hello"])
