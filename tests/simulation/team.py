"""The agents of the simulation: what they give depends on their inputs alone, what goes wrong on the seed."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from agentorch import Agent, Context, agent, tool
from agentorch.core.usage import Usage
from agentorch.errors import EffectNotDone, FailureKind, ModelError, PermanentError, TransientError
from agentorch.ports.model import ModelRequest, ModelResponse, OnDelta
from tests.simulation.scenario import Scenario
from tests.simulation.world import ASKING, Process, World

MOST_TROUBLES = 2
"""Failures that befall a task before it is left alone: every run must be able to end."""


@dataclass
class Work:
    """What the agents of one process share."""

    world: World
    process: Process
    scenario: Scenario

    def troubled(self, name: str, *kinds: str, times: float = 1) -> str | None:
        """Return what goes wrong now with a task, if anything does; it is written down."""
        if self.world.troubles[name] >= MOST_TROUBLES or not self.world.happens(self.scenario.trouble * times):
            return None
        self.world.troubles[name] += 1
        kind = self.world.chance.choice(kinds)
        self.world.fault(kind, name)
        return kind

    async def passes(self, mean: float) -> None:
        """Let time pass; a dead process never comes back from it."""
        await asyncio.sleep(self.world.pause(mean))
        if self.process.dead:
            await asyncio.Event().wait()

    async def do(self, name: str, mean: float = 0.2) -> None:
        """Take time, and perhaps go wrong."""
        await self.passes(mean)
        match self.troubled(name, "crash", "transient", "hang", "refuse"):
            case None:
                return
            case "crash":
                raise RuntimeError("it broke")
            case "transient":
                raise TransientError("busy", retry_after=self.world.pause(0.3))
            case "refuse":
                raise PermanentError("it will not")
            case _:
                await asyncio.Event().wait()


def team(world: World, process: Process, scenario: Scenario) -> list[Agent]:
    """Return the agents as one process has them."""
    work = Work(world, process, scenario)
    counter = Agent("counter", description="Counts.", prompt="Count.", output=str, timeout=20)
    counter.check(_counts)
    agents = [*_working(work), *_asking(work), _paying(work), counter]
    for one in agents:
        one.check(_checked(work))
    return agents


def _checked(work: Work) -> Callable[[str, Context], Awaitable[str | None]]:
    async def fits(output: str, context: Context) -> str | None:
        """Reject now and then what is as good as it will ever be."""
        await _turned()
        return f"not this time: {output[:20]}" if work.troubled(context.task.id, "rejected", times=0.3) else None

    return fits


async def _turned() -> None:
    """Let others go first, as a thread would."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def _counts(output: str) -> str | None:
    await _turned()
    return None if output.startswith("count") else "it must begin with count"


def _working(work: Work) -> list[Agent]:
    world = work.world

    @agent(description="Plain work.", timeout=5)
    async def plain(name: str, before: list[Any]) -> str:
        await work.do(name)
        return world.value(name, before)

    @agent(description="Work in two steps.", timeout=5)
    async def stepper(name: str, before: list[Any], context: Context) -> str:
        async def look(part: int) -> str:
            world.made(context.run_id, name, context.attempt, f"look{part}")
            await asyncio.sleep(world.pause(0.1))
            return f"{name} {part}"

        for number in (1, 2):
            assert await context.step(f"look{number}", look, number) == f"{name} {number}"
            await work.do(name, 0.05)
        return world.value(name, before)

    @agent(description="Calls another agent.", timeout=20)
    async def caller(name: str, before: list[Any], context: Context) -> str:
        part = await context.call("plain", name=f"{name}c", before=before)
        assert part == world.value(f"{name}c", before)
        await work.do(name, 0.05)
        return world.value(name, before)

    return [plain, stepper, caller]


def _asking(work: Work) -> list[Agent]:
    @agent(description="Asks the model.", timeout=20, needs_model=True)
    async def asker(name: str, before: list[Any], context: Context) -> str:
        ASKING.set((context.run_id, name, context.attempt))
        said = await context.model(f"words for {name}", output=str)
        assert said == f"words for {name}", said
        await work.do(name, 0.05)
        return work.world.value(name, before)

    @agent(description="Asks a person.", timeout=20)
    async def wondering(name: str, before: list[Any], context: Context) -> str:
        if len(name) % 2:
            assert await context.ask(f"may {name} go on?", bool) in {True, False}
        await work.do(name, 0.05)
        return work.world.value(name, before)

    return [asker, wondering]


def _paying(work: Work) -> Agent:
    @tool(effect="once", probe=partial(_probed, work.world))
    async def pay(name: str, context: Context) -> str:
        """Pay."""
        await work.passes(0.05)
        if work.troubled(name, "effect not done"):
            raise EffectNotDone("the till is closed")
        work.world.pays(context.idempotency_key)
        await work.passes(0.05)
        if work.troubled(name, "effect unknown"):
            raise RuntimeError("the line went dead")
        return f"paid for {name}"

    @agent(description="Pays once.", tools=[pay], timeout=20)
    async def payer(name: str, before: list[Any], context: Context) -> str:
        await context.tool(pay, name=name)
        await work.do(name, 0.05)
        return work.world.value(name, before)

    return payer


async def _probed(world: World, key: str) -> Any:
    """Half the effects can be looked up."""
    await _turned()
    if sum(key.encode()) % 2:
        return None
    return f"paid for {key.split('/')[1]}" if world.paid[key] else False


class SimModel:
    """A model that answers by its prompt, and fails by the seed."""

    name = "simulated"
    priced = True

    def __init__(self, work: Work) -> None:
        self._work = work

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        self._work.world.asks()
        await self._work.passes(0.2)
        used = Usage(calls=1, input_tokens=10, output_tokens=5)
        match self._work.troubled(request.labels.get("task", ""), "429", "timeout", "garbage", "refusal", times=2):
            case "429":
                wait = self._work.world.pause(0.5)
                raise ModelError("slow down", kind=FailureKind.TRANSIENT, retry_after=wait)
            case "timeout":
                raise ModelError("no word", kind=FailureKind.TRANSIENT)
            case "refusal":
                return ModelResponse("", "refusal", refusal="no", usage=used)
            case "garbage":
                return ModelResponse("garbage", "stop", usage=used)
            case _:
                return ModelResponse(_answer(request), "stop", usage=used)

    def count(self, text: str) -> int:
        return len(text) // 4 + 1

    async def close(self) -> None:
        pass


def _answer(request: ModelRequest) -> str:
    if request.labels.get("agent") == "counter":
        return "count: 3"
    return next(line for line in request.messages[-1].content.splitlines() if line.startswith("words for")).strip()
