"""The calls of a dispatch: called again, in another order, in other words, from inside, by a delegated agent."""

import asyncio
import threading
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.errors import EffectNotDone, TransientError
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.outcome import OutcomeStatus


def plan() -> Plan:
    """Return a plan of one task."""
    plan = Plan("do it")
    plan.add("work", agent="worker")
    return plan


def busy() -> TransientError:
    """Return what cuts an attempt off and has it go on."""
    return TransientError("busy", retry_after=0.01)


async def test_a_call_whose_end_is_not_known_is_not_made_again_in_a_loop() -> None:
    """The body catches everything and tries again: nothing is called, nor is the tool with other arguments."""
    acted: list[tuple[int, str]] = []

    @tool(effect="once")
    async def pay(amount: int, note: str) -> str:
        acted.append((amount, note))
        raise TimeoutError("the line went dead")

    @agent(name="worker", description="Pays.", tools=[pay])
    async def worker(context: Context) -> str:
        for note in ("rent", "rent", "the rent"):
            try:
                return str(await context.tool(pay, amount=3, note=note))
            except Exception as error:  # noqa: BLE001  # as people write it
                last = error
        raise last

    async with Orchestrator([worker]) as orchestrator:
        run = await orchestrator.submit(plan())
        waiting = await run.outcome()
        question = run.waiting[0].question
        await run.answer(run.waiting[0].request_id, {"done": "paid"}, by="ann")
        outcome = await run.outcome()

    assert (waiting.status, acted) == (OutcomeStatus.WAITING, [(3, "rent")])
    assert "of an earlier call it is not known whether it has happened" in question
    assert outcome.answer == "paid"


async def test_a_call_that_is_known_not_to_have_happened_is_made_again_under_its_key() -> None:
    """A probe, asked twice in the loop, has the last word."""
    acted: list[str] = []

    @tool(effect="once", probe=lambda key: None if len(acted) == 1 else "found")
    async def pay(context: Context) -> str:
        acted.append(context.idempotency_key)
        raise TimeoutError("the line went dead")

    @agent(name="worker", description="Pays.", tools=[pay])
    async def worker(context: Context) -> list[str]:
        try:
            await context.tool(pay)
        except Exception:  # noqa: BLE001  # as people write it
            acted.append("tried")
        return [str(await context.tool(pay)), str(await context.tool(pay))]

    async with Orchestrator([worker], policy=Policy(attempts=1)) as orchestrator:
        outcome = await orchestrator.run(plan())

    first, _, second = acted
    assert outcome.answer == ["found", "found"]
    assert (first[:-1], first[-2:], second[-2:]) == (second[:-1], "-1", "-2")


async def test_calls_inside_two_tools_keep_to_their_tools_in_whatever_order() -> None:
    """The one that was cut off comes first now: it does not get the other one's receipt."""
    paid: list[str] = []
    tries: list[int] = []

    @tool(effect="once")
    async def pay(amount: int, context: Context) -> int:
        paid.append(context.idempotency_key)
        return len(paid)

    @tool
    async def buy(what: str, context: Context) -> str:
        if what == "milk" and len(tries) == 1:
            raise busy()
        return f"{what}: receipt {await context.tool(pay, amount=3)}"

    @agent(name="worker", description="Buys.", tools=[pay])
    async def worker(context: Context) -> list[str]:
        tries.append(1)
        order = ["bread", "milk"] if len(tries) == 1 else ["milk", "bread"]
        return sorted([str(await context.tool(buy, what=what)) for what in order])

    async with Orchestrator([worker]) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert outcome.answer == ["bread: receipt 1", "milk: receipt 2"]
    assert len(set(paid)) == 2


@pytest.mark.parametrize("error", [busy, lambda: RuntimeError("no")], ids=["dispatch", "attempt"])
async def test_an_idempotent_call_has_its_key_in_whatever_order(error: Any) -> None:
    """A service that takes the key opens each ticket once, and gives each call its own."""
    tickets: dict[str, str] = {}
    tries: list[int] = []

    @tool(effect="idempotent")
    async def ticket(text: str, context: Context) -> str:
        return tickets.setdefault(context.idempotency_key, text)

    @agent(name="worker", description="Reports.", tools=[ticket])
    async def worker(context: Context) -> list[str]:
        tries.append(1)
        texts = ["disk"] if len(tries) == 1 else ["cpu", "disk"]
        said = [str(await context.tool(ticket, text=text)) for text in texts]
        if len(tries) == 1:
            raise error()
        return said

    async with Orchestrator([worker]) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert outcome.answer == ["cpu", "disk"]
    assert sorted(tickets.values()) == ["cpu", "disk"]


async def test_a_continued_attempt_makes_a_new_call_before_the_one_that_it_has_made() -> None:
    """What has ended as a step is no call in other words."""
    paid: list[int] = []
    tries: list[int] = []

    @tool(effect="once")
    async def pay(amount: int) -> int:
        paid.append(amount)
        return amount

    @agent(name="worker", description="Pays.", tools=[pay])
    async def worker(context: Context) -> list[int]:
        tries.append(1)
        said = [int(await context.tool(pay, amount=amount)) for amount in ([3] if len(tries) == 1 else [4, 3])]
        if len(tries) == 1:
            raise busy()
        return said

    async with Orchestrator([worker]) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert (outcome.answer, paid) == ([4, 3], [3, 4])


async def test_a_payment_that_is_delegated_in_other_words_waits_for_a_person() -> None:
    """The caller's fresh attempt gives the cashier another note: the amount has been paid before."""
    paid: list[int] = []
    tries: list[int] = []

    @tool(effect="once")
    async def pay(amount: int) -> str:
        paid.append(amount)
        return f"paid {amount}"

    @agent(description="Pays.", tools=[pay])
    async def cashier(amount: int, note: str, context: Context) -> str:
        return str(await context.tool(pay, amount=amount))

    @agent(name="worker", description="Has it paid.")
    async def worker(context: Context) -> str:
        tries.append(1)
        note = f"please, for the {len(tries)}. time"
        said = await context.call("cashier", amount=5, note=note)
        if len(tries) == 1:
            raise RuntimeError("no")
        return str(said)

    async with Orchestrator([worker, cashier]) as orchestrator:
        run = await orchestrator.submit(plan())
        waiting = await run.outcome()
        await run.answer(run.waiting[0].request_id, {"done": "paid before"}, by="ann")
        outcome = await run.outcome()

    assert waiting.status is OutcomeStatus.WAITING
    assert (outcome.answer, paid) == ("paid before", [5])


async def test_that_an_inner_call_did_not_happen_says_nothing_of_the_outer_one() -> None:
    """The outer tool has acted when the inner one says that it has not."""
    booked: list[str] = []

    @tool(effect="once")
    async def mail() -> str:
        raise EffectNotDone("no route")

    @tool(effect="once")
    async def book(context: Context) -> str:
        booked.append("seat")
        return str(await context.tool(mail))

    @agent(name="worker", description="Books.", tools=[book])
    async def worker(context: Context) -> str:
        try:
            return str(await context.tool(book))
        except EffectNotDone as error:
            raise busy() from error

    async with Orchestrator([worker]) as orchestrator:
        run = await orchestrator.submit(plan())
        outcome = await run.outcome()
        question = run.waiting[0].question

    assert (outcome.status, booked) == (OutcomeStatus.WAITING, ["seat"])
    assert "Has 'book'" in question


async def test_nobody_is_asked_to_allow_what_has_happened() -> None:
    """A fresh attempt asks for a call that a person allowed, and that was made: its receipt needs no other yes."""
    asked: list[str] = []
    tries: list[int] = []

    @tool(effect="once", approval=True)
    async def pay(amount: int) -> str:
        return f"paid {amount}"

    @agent(name="worker", description="Pays.", tools=[pay])
    async def worker(context: Context) -> str:
        tries.append(1)
        said = str(await context.tool(pay, amount=3))
        if len(tries) == 1:
            raise RuntimeError("no")
        return said

    def allow(request: Any) -> bool:
        asked.append(request.question)
        return True

    async with Orchestrator([worker], on_request=allow) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert (outcome.answer, len(asked)) == ("paid 3", 1)


class Stopped(MemoryJournal):
    """A journal whose owners count as dead while they hold their locks: they were stopped."""

    def is_alive(self, owner: str) -> bool:
        return False


async def test_an_owner_before_the_last_one_may_go_on_too() -> None:
    """Who began the call was passed over twice: a probe is not believed while that process is there."""
    journal = Stopped()
    begun, gate, reached = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def probe(key: str) -> bool:
        return False

    @tool(effect="once", probe=probe)
    async def pay() -> str:
        begun.set()
        await gate.wait()
        return "paid"

    @agent(name="worker", description="Pays.", tools=[pay])
    async def worker(context: Context) -> str:
        if begun.is_set() and not reached.is_set():
            reached.set()
            await asyncio.Event().wait()
        return str(await context.tool(pay))

    first = Orchestrator([worker], journal=journal)
    async with first, Orchestrator([worker], journal=journal) as third:
        run = await first.submit(plan())
        await begun.wait()
        async with Orchestrator([worker], journal=journal) as second:
            await second.take_up(run.id)
            await reached.wait()  # the second owner has not come to the call
        taken = await third.take_up(run.id)
        outcome = await taken.outcome()
        question = taken.waiting[0].question
        gate.set()

    assert outcome.status is OutcomeStatus.WAITING
    assert "stands still and may go on" in question


async def test_what_goes_on_in_a_thread_outlives_its_orchestrator() -> None:
    """It was closed while a tool ran that nothing can stop: the next one does not believe that nothing has happened."""
    journal = MemoryJournal()
    begun, gate = threading.Event(), threading.Event()
    paid: list[str] = []

    def pay() -> str:
        begun.set()
        gate.wait(5)
        paid.append("paid")
        return "paid"

    paying = tool(effect="once", probe=lambda key: False)(pay)

    @agent(name="worker", description="Pays.", tools=[paying])
    async def worker(context: Context) -> str:
        return str(await context.tool(paying))

    async with Orchestrator([worker], journal=journal, policy=Policy(grace=0.05)) as before:
        run = await before.submit(plan())
        await asyncio.to_thread(begun.wait, 20)
    async with Orchestrator([worker], journal=journal) as after:
        taken = await after.take_up(run.id)
        outcome = await taken.outcome()
        gate.set()

    assert (outcome.status, paid[1:]) == (OutcomeStatus.WAITING, [])


async def test_closing_while_a_thread_acts_costs_nobody_an_attempt() -> None:
    """The thread's receipt is waited for; what is cut off then goes on as the same attempt, and nothing is begun."""
    journal = MemoryJournal()
    acting, gate, cut = threading.Event(), threading.Event(), asyncio.Event()
    begun: list[str] = []

    def slow() -> str:
        acting.set()
        gate.wait(5)
        return "slow"

    @tool(effect="once", probe=lambda key: "found")
    async def hanging() -> str:
        begun.append("hanging")
        cut.set()
        await asyncio.Event().wait()
        return "never"

    @tool(effect="once")
    async def later() -> str:
        begun.append("later")
        return "later"

    slowly = tool(effect="once")(slow)

    @agent(name="threads", description="Acts in a thread, and then once more.", tools=[slowly, later], attempts=1)
    async def threads(context: Context) -> list[str]:
        return [str(await context.tool(slowly)), str(await context.tool(later))]

    @agent(name="loops", description="Acts in the loop.", tools=[hanging], attempts=1, grace=0.1)
    async def loops(context: Context) -> str:
        return str(await context.tool(hanging))

    plan = Plan("two")
    plan.add("one", agent="threads")
    plan.add("two", agent="loops")
    async with Orchestrator([threads, loops], journal=journal) as before:
        run = await before.submit(plan)
        await cut.wait()
        await asyncio.to_thread(acting.wait, 20)
        asyncio.get_running_loop().call_later(0.05, gate.set)
    closed = list(begun)
    async with Orchestrator([threads, loops], journal=journal) as after:
        outcome = await after.resume(run.id)

    assert closed == ["hanging"]
    assert (outcome.outputs["one"], outcome.outputs["two"]) == (["slow", "later"], "found")
    assert (str(outcome.status), begun) == ("succeeded", ["hanging", "later"])
