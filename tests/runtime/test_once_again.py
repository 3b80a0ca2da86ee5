"""Effects and attempts that are not like the ones before: other orders, other places, an owner that may wake up."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agentorch import Agent, Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.errors import EffectNotDone, TransientError
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.tools import Tool


def plan() -> Plan:
    """Return a plan of one task."""
    plan = Plan("pay")
    plan.add("pay", agent="payer")
    return plan


class Till:
    """Pays amounts; the first payment of `closed` does not happen."""

    def __init__(self, *, closed: int = 0) -> None:
        self.paid: list[int] = []
        self._closed = closed

    def tool(self) -> Tool[..., Any]:
        """Return the tool."""

        @tool(effect="once")
        async def pay(amount: int) -> str:
            """Pay an amount."""
            if amount == self._closed:
                self._closed = 0
                raise EffectNotDone("the till is closed")
            self.paid.append(amount)
            return f"paid {amount}"

        return pay


def trying(pay: Tool[..., Any], orders: Sequence[Sequence[int]], error: Callable[[], Exception]) -> Agent:
    """Return an agent that pays the amounts of each of `orders` in turn, one try after the other."""
    tries = iter(orders)
    last = orders[-1]

    @agent(name="payer", description="Pays.", tools=[pay])
    async def payer(context: Context) -> list[str]:
        amounts = next(tries)
        said: list[str] = []
        for amount in amounts:
            try:
                said.append(str(await context.tool(pay, amount=amount)))
            except EffectNotDone:
                said.append("not paid")
        if amounts is not last:
            raise error()
        return said

    return payer


@pytest.mark.parametrize(
    "error", [lambda: RuntimeError("no"), lambda: TransientError("busy", retry_after=0.01)], ids=["attempt", "dispatch"]
)
@pytest.mark.parametrize(
    ("closed", "orders", "paid", "answer"),
    [
        (3, [[3, 4], [4]], [4], ["paid 4"]),
        (3, [[3, 4], [4, 3]], [4, 3], ["paid 4", "paid 3"]),
        (3, [[3, 4], [3, 4]], [4, 3], ["paid 3", "paid 4"]),
        (3, [[3, 3], [3]], [3], ["paid 3"]),
        (0, [[3, 4], [4, 3]], [3, 4], ["paid 4", "paid 3"]),
        (0, [[3, 3], [3, 3, 3]], [3, 3, 3], ["paid 3", "paid 3", "paid 3"]),
    ],
    ids=["left out", "turned round", "tried again", "called again", "another order", "once more"],
)
async def test_each_payment_is_made_once_in_whatever_order(
    closed: int, orders: list[list[int]], paid: list[int], answer: list[str], error: Callable[[], Exception]
) -> None:
    """A later try that counts its calls otherwise, for one had not happened, or just so, finds the receipts."""
    till = Till(closed=closed)
    async with Orchestrator([trying(till.tool(), orders, error)], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert (outcome.answer, till.paid) == (answer, paid)


async def test_a_payment_that_another_tool_has_made_may_be_the_same_one() -> None:
    """The fresh attempt makes it in another tool's call: nobody can tell, so a person is asked."""
    till = Till()
    pay = till.tool()
    tries: list[str] = []

    @tool
    async def buy(what: str, context: Context) -> str:
        """Buy something."""
        return f"{what}: {await context.tool(pay, amount=3)}"

    @agent(name="payer", description="Buys.", tools=[pay])
    async def payer(context: Context) -> str:
        tries.append("")
        if len(tries) == 1:
            await context.tool(buy, what="bread")
            raise RuntimeError("no")
        return f"{await context.tool(pay, amount=3)} and {await context.tool(buy, what='bread')}"

    async with Orchestrator([payer]) as orchestrator:
        run = await orchestrator.submit(plan())
        waiting = await run.outcome()
        question = run.waiting[0].question
        await run.answer(run.waiting[0].request_id, "retry", by="ann")
        outcome = await run.outcome()

    assert (waiting.status, till.paid[:1]) == (OutcomeStatus.WAITING, [3])
    assert "from another place" in question
    assert (outcome.answer, till.paid) == ("paid 3 and bread: paid 3", [3, 3]), "ann has said that it is another one"


async def test_a_tool_that_is_read_back_keeps_its_payment() -> None:
    """The step of the outer tool is known: the same payment in the next call is another one."""
    till = Till()
    pay = till.tool()
    tries: list[str] = []

    @tool
    async def buy(what: str, context: Context) -> str:
        """Buy something."""
        if len(tries) == 1 and what == "milk":
            raise TransientError("the shop is full", retry_after=0.01)
        return f"{what}: {await context.tool(pay, amount=3)}"

    @agent(name="payer", description="Buys.", tools=[pay])
    async def payer(context: Context) -> str:
        tries.append("")
        return f"{await context.tool(buy, what='bread')} and {await context.tool(buy, what='milk')}"

    async with Orchestrator([payer]) as orchestrator:
        outcome = await orchestrator.run(plan())

    assert (outcome.answer, till.paid) == ("bread: paid 3 and milk: paid 3", [3, 3])


class Stopped(MemoryJournal):
    """A journal whose first owner seems to have been stopped: it holds its lock, and does not beat."""

    def __init__(self) -> None:
        super().__init__()
        self.first = ""

    def claim(self, owner: str) -> None:
        self.first = self.first or owner
        super().claim(owner)

    def is_alive(self, owner: str) -> bool:
        return owner != self.first and super().is_alive(owner)


async def test_no_probe_is_believed_while_the_old_owner_may_go_on() -> None:
    """The process that began the payment is only stopped: that it has not happened yet says nothing."""
    journal = Stopped()
    paid: list[str] = []
    asked: list[str] = []
    begun, gate, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def probe(key: str) -> bool:
        asked.append(key)
        return False

    @tool(effect="once", probe=probe)
    async def pay(context: Context) -> str:
        """Pay."""
        begun.set()
        if not asked:
            await gate.wait()
        paid.append(context.idempotency_key)
        done.set()
        return "paid"

    @agent(name="payer", description="Pays.", tools=[pay])
    async def payer(context: Context) -> str:
        return str(await context.tool(pay))

    async with Orchestrator([payer], journal=journal) as after:
        journal.first = ""
        async with Orchestrator([payer], journal=journal) as before:
            run = await before.submit(plan())
            await begun.wait()
            taken = await after.take_up(run.id)
            waiting = await taken.outcome()
            question = taken.waiting[0].question
            gate.set()
            await done.wait()
        await taken.answer(taken.waiting[0].request_id, {"done": "paid by the other one"}, by="ann")
        outcome = await taken.outcome()

    assert (waiting.status, len(asked)) == (OutcomeStatus.WAITING, 1)
    assert "stands still" in question
    assert (outcome.answer, len(paid)) == ("paid by the other one", 1)
