"""The scripted run that is killed everywhere: a small team, its plan, its model, its planner and its person.

In it are a rejection, a fallback, a patch, an effect that may happen once, an approval, a delegation and a stop by the
budget. Whatever happens outside the run is written to a `Ledger`, by a key that is the same when it is done again.
Nothing here remembers anything from one process to the next but the ledger.
"""

import re
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import anyio

from agentorch import Budget, Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.core.state import Request
from agentorch.core.task import Task
from agentorch.core.usage import Usage
from agentorch.errors import PermanentError
from agentorch.journal.schema import Durability
from agentorch.ports.journal import Journal
from agentorch.ports.model import ModelRequest, ModelResponse, OnDelta
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest
from tests.faults.cutting import Cut, CutBus
from tests.faults.ledger import Ledger

KEY: Final = "the-one-story"
"""The idempotency key of the run: whoever starts it again takes it up."""
_CHARGED, _SHIPPED, _SIGNED = "charged", "shipped", "signed"
"""What the effects give."""
EFFECTS: Final = {"charge 3": 1, "ship box": 1, "sign": 1}
"""How often each effect is meant to happen, by the tool and its arguments: whatever its key."""
INDEXED: Final = frozenset({"paid"})
"""What is put into the index: once or more, each under one key."""
_ASKED: Final = re.compile(r"<<(.+?)>>")


@dataclass(frozen=True, slots=True)
class Shape:
    """How the scripted run is varied."""

    name: str
    branches: int = 1
    """How many drafts are written side by side; each asks the model four times."""
    durability: Durability = "power"
    kills: int = 2
    """How often it may be killed: a call that is cut off counts against the budget, and is made again."""

    @property
    def calls(self) -> int:
        """How many model calls it may make: the last task makes whatever the others leave, and wants one more."""
        return 4 * self.branches + 2 + (self.branches + 1) * self.kills


SHAPES: Final = (
    Shape("one draft"),
    Shape("two drafts", branches=2, durability="process"),
    Shape("three drafts", branches=3),
)


class NotedModel:
    """A language model that says what it was asked, and writes down each call before and after."""

    name = "noted"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Answer."""
        key = _ASKED.findall(request.messages[-1].content)[-1]
        self._ledger.note("asked", key)
        await anyio.sleep(0.001)
        self._ledger.note("answered", key)
        return ModelResponse(f"said {key}", "stop", usage=Usage(10, 5, calls=1), model=self.name)

    def count(self, text: str) -> int:
        """Return a count from the length alone."""
        return len(text) // 4

    async def close(self) -> None:
        """Do nothing."""


class Mender:
    """Puts `mended` in the place of what is broken."""

    name = "mender"

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        """Not asked here: the plan is given."""
        raise NotImplementedError

    async def patch(self, request: PlanRequest) -> PlanReport:
        """Mend."""
        self._ledger.note("planned", "patch")
        broken = next(one.task for one in request.tasks if one.task.agent == "broken")
        return PlanReport(patch=Patch(put=(Task(broken.id, "mended", inputs=dict(broken.inputs)),)))


def team(ledger: Ledger) -> list[Any]:
    """Return the agents."""
    return [*_writers(ledger), *_doers(), *_payers(ledger), *_callers(ledger)]


async def _ask(ledger: Ledger, context: Context, key: str) -> str:
    said = await context.model(f"Say <<{key}>>")
    ledger.note("got", key)
    return str(said)


def _writers(ledger: Ledger) -> list[Any]:
    @agent(description="Drafts; the first draft is never good enough.", attempts=2, needs_model=True)
    async def drafter(topic: str, context: Context) -> str:
        first = await _ask(ledger, context, f"{topic} outline {context.attempt}")
        context.report(first)
        second = await _ask(ledger, context, f"{topic} text {context.attempt}")
        return f"{first}; {second}"

    @agent(description="Asks more often than the budget allows.", attempts=1, needs_model=True)
    async def greedy(words: list[str], context: Context) -> str:
        for number in count():
            await _ask(ledger, context, f"greedy {number}")
        return ""

    return [drafter, greedy]


def _doers() -> list[Any]:
    @agent(description="Never works.", attempts=1, fallback="steady")
    async def shaky(text: str) -> str:
        raise PermanentError("shaky cannot")

    @agent(description="Works.")
    async def steady(text: str) -> str:
        return f"steady: {text}"

    @agent(description="Is broken.", attempts=1)
    async def broken(text: str) -> str:
        raise PermanentError("broken cannot")

    @agent(description="Stands in for what was broken.")
    async def mended(text: str) -> str:
        return f"mended: {text}"

    return [shaky, steady, broken, mended]


def _payers(ledger: Ledger) -> list[Any]:
    @tool(effect="once", probe=lambda key: _CHARGED if ledger.has("fired", key) else False)
    async def charge(amount: int, context: Context) -> str:
        """Charge a card; the bank can be asked what it has charged."""
        ledger.note("fired", context.idempotency_key, f"charge {amount}")
        return _CHARGED

    @tool(effect="once")
    async def ship(parcel: str, context: Context) -> str:
        """Ship a parcel; only a person can find out whether it has left."""
        ledger.note("fired", context.idempotency_key, f"ship {parcel}")
        return _SHIPPED

    @tool(effect="idempotent")
    async def index(word: str, context: Context) -> str:
        """Put a word into an index that knows the keys that it has had."""
        ledger.note("keyed", context.idempotency_key, word)
        return word

    def weigh(grams: int) -> int:
        ledger.note("stepped", f"weigh {grams}")
        return grams * 2

    @agent(description="Pays, ships and indexes by tools.", tools=[charge, ship, index], attempts=1)
    async def payer(amount: int, context: Context) -> list[Any]:
        weight = await context.step("weigh", weigh, amount)
        ledger.note("got", f"weigh {amount}")
        charged = await context.tool(charge, amount=amount)
        indexed = await context.tool(index, word="paid")
        return [weight, charged, await context.tool(ship, parcel="box"), indexed]

    @agent(description="Signs, once, in its own body.", effects="once", attempts=1)
    async def signer(text: str, context: Context) -> str:
        ledger.note("fired", context.idempotency_key, "sign")
        return _SIGNED

    return [payer, signer]


def _callers(ledger: Ledger) -> list[Any]:
    @agent(description="Asks the model for another.", needs_model=True)
    async def helper(word: str, context: Context) -> str:
        return await _ask(ledger, context, f"helper {word}")

    @agent(description="Has others ask.")
    async def caller(text: str, context: Context) -> list[str]:
        return [await context.call(helper, word=word) for word in ("one", "two")]

    return [helper, caller]


def plan(shape: Shape) -> Plan:
    """Return the plan; its last task is stopped by the budget."""
    plan = Plan("a story of all that can happen", answer="$tail")
    drafts = [plan.add(f"draft{one}", agent="drafter", inputs={"topic": f"t{one}"}) for one in range(shape.branches)]
    kept = plan.add("kept", agent="shaky", inputs={"text": drafts[0]})
    fixed = plan.add("fixed", agent="broken", inputs={"text": kept})
    paid = plan.add("paid", agent="payer", inputs={"amount": 3}, needs=[fixed], approval="before")
    signed = plan.add("signed", agent="signer", inputs={"text": fixed}, needs=[paid])
    called = plan.add("called", agent="caller", inputs={"text": signed})
    plan.add("greedy", agent="greedy", inputs={"words": called}, needs=drafts)
    plan.add("tail", agent="steady", inputs={"text": fixed}, needs=[called])
    return plan


class Person:
    """Agrees to everything, and knows what has really been paid."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def __call__(self, request: Request) -> Any:
        """Answer a request."""
        if request.kind == "approval":
            return True
        if request.kind == "effect":
            return {"done": _SHIPPED} if self._ledger.has("fired", request.effect or "") else "retry"
        return {"output": _SIGNED} if any("/signed" in one.key for one in self._ledger.entries("fired")) else "retry"


def accept(output: Any) -> str | None:
    """Reject what was drafted at the first attempt."""
    return "outlines are numbered 1" if isinstance(output, str) and "outline 1;" in output else None


def orchestrator(shape: Shape, journal: Journal, ledger: Ledger, cut: Cut) -> Orchestrator:
    """Return who carries it out."""
    return Orchestrator(
        team(ledger),
        model=NotedModel(ledger),
        planner=Mender(ledger),
        validators=[accept],
        policy=Policy(repairs=0),
        budget=Budget(max_calls=shape.calls),
        journal=journal,
        bus=CutBus(cut),
        on_request=Person(ledger),
    )


def places(folder: Path) -> tuple[Path, Path, Path]:
    """Return where the journal, the ledger and the result of one story lie."""
    return folder / "runs.db", folder / "ledger", folder / "result.json"
