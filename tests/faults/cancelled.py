"""Runs that are cancelled at many moments, and what leaves for the provider after that: it must be nothing.

    python -m tests.faults.cancelled --moments 400

1. One run uses the model in every way there is: prompt agents with tools, streams, loops, calls in tasks of their own,
   shielded calls, calls from threads, calls in `finally:` and after a swallowed cancellation, delegated work, calls
   left behind; all of it through one key that allows few requests, and a server that also answers 429.
2. It is run once to its end, by a plan that was given and by one that is made, to know when requests leave; then again
   for each moment, cancelled there, and watched for two minutes of virtual time. What left more than 100 ms after the
   cancellation counts.
3. A moment is worth trying only where the whole run still sends requests 100 ms later: `control` counts those requests.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

import anyio.from_thread
import looptime

from agentorch import Agent, Context, Orchestrator, Plan, Policy, agent, tool
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.ports.model import ToolCall
from agentorch.testing import LoopClock
from agentorch.testing.fake_openai import Answer, Fail, FakeOpenAI, Say

ALLOWED: Final = 0.1
"""Seconds that a request under way may take to leave."""
WATCHED: Final = 120.0
"""Seconds for which a cancelled run is watched."""
GRACE: Final = 5.0
How = Literal["cancel", "caller", "planning"]


@dataclass(frozen=True, slots=True)
class Findings:
    """What came of all moments."""

    moments: int
    """Runs that were cancelled."""
    requests_before_cancel: int
    """Requests that had left by then, all told."""
    requests_after_cancel: int
    """Requests that left later than ALLOWED after it."""
    requests_within_allowance: int
    control: int
    """The fewest requests that a whole run sends more than ALLOWED after a moment: were it 0, it would try nothing."""
    longest_teardown: float
    """Seconds from a cancellation to the outcome."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one moment."""

    before: int
    after: int
    within: int
    teardown: float


@tool
async def look(what: str) -> str:
    """Looks something up."""
    await asyncio.sleep(0.2)
    return f"{what}: nothing"


@agent(description="Asks again and again.")
async def looping(context: Context) -> str:
    said = ""
    for number in range(6):
        said = await context.model(f"Round {number}?")
    return said


@agent(description="Asks from tasks of its own, and does not wait for all of them.")
async def spawning(context: Context) -> str:
    asked = [asyncio.create_task(context.model(f"Spawned {number}?")) for number in range(5)]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    return str(len(done))


@agent(description="Takes no cancellation for an answer.")
async def stubborn(context: Context) -> str:
    for number in range(12):
        try:
            await context.model(f"Stubborn {number}?")
        except asyncio.CancelledError:
            await asyncio.sleep(1)
    return "at last"


@agent(description="Cleans up by asking, and shields what it asks.")
async def tidy(context: Context) -> str:
    try:
        await asyncio.shield(context.model("Shielded?"))
        await asyncio.sleep(2)
        return await asyncio.wait_for(context.model("Then?", tools=[look]), 60)
    finally:
        await context.model("Anything left to clean up?")


@agent(description="Asks from its thread.")
def threaded(context: Context) -> str:
    said = ""
    for number in range(3):
        said = anyio.from_thread.run(context.model, f"Thread {number}?")
    return said


@agent(description="Has others ask.")
async def delegating(context: Context) -> str:
    answers = await asyncio.gather(*(context.call("researcher", topic=f"part {number}") for number in range(3)))
    return " ".join(answers)


RESEARCHER: Final = Agent(
    "researcher", description="Finds out about a topic.", prompt="Look the topic up.", tools=[look], attempts=2
)
TEAM: Final = (looping, spawning, stubborn, tidy, threaded, delegating, RESEARCHER)


def plan() -> Plan:
    """Return the plan that uses the model in every way."""
    made = Plan("ask in every way")
    first = made.add("first", agent="researcher", inputs={"topic": "buses"})
    for one in (looping, spawning, stubborn, tidy, threaded, delegating):
        made.add(one.name, agent=one.name)
    made.add("last", agent="researcher", inputs={"topic": first.ref}, needs=["looping", "spawning"])
    return made


def answering() -> Callable[[dict[str, Any]], Answer]:
    """Return a server's mind: every seventh request is refused, tools are asked for twice in a conversation."""
    count = 0

    def answer(body: dict[str, Any]) -> Answer:
        nonlocal count
        count += 1
        if count % 7 == 0:
            return Fail(429, retry_after=1.5)
        used = sum(message["role"] == "tool" for message in body["messages"])
        if body.get("tools") and used < 2:
            return Say(tool_calls=[ToolCall(f"c{used}", "look", json.dumps({"what": f"thing {used}"}))], delay=0.1)
        return Say(pieces=["It ", "is ", "known."], delay=0.15)

    return answer


async def whole(how: How) -> list[float]:
    """Carry the run out to its end; return when its requests left, from its start."""
    async with FakeOpenAI(otherwise=answering()) as server, _orchestrator(server, how=how) as orchestrator:
        start = asyncio.get_running_loop().time()
        await orchestrator.run(_goal(how))
        await asyncio.sleep(WATCHED)
        return [time - start for time in server.times]


async def cancelled_at(moment: float, how: How) -> Tried:
    """Cancel the run at `moment`; return what left after that."""
    loop = asyncio.get_running_loop()
    async with FakeOpenAI(otherwise=answering()) as server, _orchestrator(server, how=how) as orchestrator:
        goal = _goal(how)
        if how == "caller":
            running = asyncio.create_task(orchestrator.run(goal))
            await asyncio.sleep(moment)
            cancelled = loop.time()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        else:
            run = await orchestrator.submit(goal)
            await asyncio.sleep(moment)
            cancelled = loop.time()
            await run.cancel()
            await run.outcome()
        teardown = loop.time() - cancelled
        await asyncio.sleep(WATCHED)
        late = [time for time in server.times if time > cancelled]
        after = sum(time > cancelled + ALLOWED for time in late)
        return Tried(len(server.times) - len(late), after, len(late) - after, teardown)


def try_moments(count: int) -> Findings:
    """Cancel the run at `count` moments, spread over the time in which it sends requests."""
    ways: tuple[How, ...] = ("cancel", "cancel", "caller", "planning")
    times: dict[How, list[float]] = {how: in_virtual_time(whole(how)) for how in dict.fromkeys(ways)}
    moments: list[tuple[How, float]] = []
    for index in range(count):
        how = ways[index % len(ways)]
        moments.append((how, (max(times[how]) - ALLOWED) * index / count))
    tried = [in_virtual_time(cancelled_at(moment, how)) for how, moment in moments]
    return Findings(
        moments=len(tried),
        requests_before_cancel=sum(one.before for one in tried),
        requests_after_cancel=sum(one.after for one in tried),
        requests_within_allowance=sum(one.within for one in tried),
        control=min(sum(time > moment + ALLOWED for time in times[how]) for how, moment in moments),
        longest_teardown=round(max(one.teardown for one in tried), 3),
    )


def _goal(how: How) -> str | Plan:
    return "ask in every way" if how == "planning" else plan()


def in_virtual_time(work: Coroutine[Any, Any, Any]) -> Any:
    """Run `work` in an event loop whose waits take no time."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(work)


def _orchestrator(server: FakeOpenAI, *, how: How = "cancel") -> Orchestrator:
    limits = Limits(concurrency=3, requests_per_minute=240)
    model = GovernedModel(server.model(), Governor("fake", limits), retries=2)
    return Orchestrator(
        TEAM,
        model=model,
        planner="model" if how == "planning" else "rules",
        policy=Policy(replans=0, grace=GRACE),
        clock=LoopClock(),
    )


def main() -> int:
    """Print the findings as JSON; return 1 when a request left after a cancel."""
    parser = argparse.ArgumentParser(description="Cancel a run at many moments; count the requests after that.")
    parser.add_argument("--moments", type=int, default=200)
    found = try_moments(parser.parse_args().moments)
    print(json.dumps(asdict(found)))  # noqa: T201
    return int(found.requests_after_cancel > 0)


if __name__ == "__main__":
    raise SystemExit(main())
