"""Fifty agents on one provider key whose limits a fake server counts and enforces, for ten minutes of virtual time.

    python benchmarks/storm.py [--minutes 10] [--rows WORD]

Real orchestrator, prompt agents, governor and `openai` client; only the server is a stand-in, and it knows nothing of
the client. A row is a way of counting a minute, what the server tells, what the governor was told beforehand, and how
far the true tokens are from the estimates. Printed are the share of the binding limit that was used, beside the floor;
refusals (429) in all and in the worst minute, beside the most that may be; tasks that failed.
"""

import argparse
import asyncio
import itertools
import random
import time
from dataclasses import dataclass
from typing import Any

import looptime

from agentorch import Agent, Orchestrator, Plan, Policy
from agentorch.models import GovernedModel, Governor, Limits
from agentorch.testing.clock import LoopClock
from agentorch.testing.fake_openai import FakeOpenAI, Say
from agentorch.testing.rate_limits import Kind, RateLimited, Unit

AGENTS = 50
FLOOR = 0.95
"""Of the binding limit, that is to be used."""
MOST = 8
"""Refusals in any minute, of 40 to 120 requests."""
REQUESTS, TOKENS = 60, 60_000
"""Of a limit a minute; the other one is half as large again, so that it does not bind."""
OUTPUT = 800
"""Tokens of output that the governor expects; with the prompt that makes about a thousand."""
ERRORS = {"-50 %": (0.5, 0.5), "+50 %": (1.5, 1.5), "either": (0.5, 1.5)}


@dataclass(frozen=True)
class Storm:
    """One row."""

    kind: Kind
    tells: str
    """What the server says: "headers", "retry-after" or "nothing"."""
    knows: str = "nothing"
    """What the governor is told beforehand: "nothing" or "limits"."""
    error: str = "either"
    binding: Unit = "tokens"
    minutes: int = 10


@dataclass(frozen=True)
class Figures:
    """What came of it."""

    used: float
    """Share of the binding limit."""
    refused: list[int]
    """Requests answered with 429, by minute."""
    failed: int
    """Tasks that did not succeed."""
    tasks: int
    finished: float
    """When the last task ended, in seconds."""


def ready_made(storm: Storm, seed: int = 7) -> RateLimited:
    """Return the server's side."""
    noise = random.Random(seed)
    low, high = ERRORS[storm.error]

    def answer(body: dict[str, Any]) -> Say:
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4
        total = int((prompt + OUTPUT) * noise.uniform(low, high))
        seconds = noise.uniform(2, 8)
        return Say(pieces=("so ", "be it"), usage=(prompt, max(1, total - prompt), 0), delay=seconds / 2, latency=0.3)

    tokens = TOKENS if storm.binding == "tokens" else 3 * TOKENS
    return RateLimited(
        answer,
        requests=REQUESTS if storm.binding == "requests" else 3 * REQUESTS,
        tokens=tokens,
        kind=storm.kind,
        headers=storm.tells == "headers",
        retry_after=storm.tells != "nothing",
    )


def plan_of(tasks: int) -> tuple[Plan, list[Agent]]:
    """Return a plan of independent tasks for fifty agents."""
    agents = [
        Agent(f"agent{number}", description="Says so.", prompt="Say so. " + "Be exact. " * 70)
        for number in range(AGENTS)
    ]
    plan = Plan("storm", answer="$t0")
    for number in range(tasks):
        plan.add(f"t{number}", agent=agents[number % AGENTS], inputs={"words": f"number {number}"})
    return plan, agents


async def carried_out(storm: Storm) -> Figures:
    """Carry one row out on the running (virtual) loop."""
    limited = ready_made(storm)
    mean = sum(ERRORS[storm.error]) / 2 * 1_000
    a_minute = REQUESTS if storm.binding == "requests" else TOKENS / mean
    plan, agents = plan_of(int(a_minute * (storm.minutes + 1.5)))
    known = Limits(concurrency=AGENTS, requests_per_minute=limited.limits["requests"],
                   tokens_per_minute=limited.limits["tokens"])  # fmt: skip
    async with FakeOpenAI(otherwise=limited) as server:
        governor = Governor(server.base_url, known if storm.knows == "limits" else Limits(concurrency=AGENTS))
        model = GovernedModel(server.model(traffic=governor), governor)
        policy = Policy(parallel=AGENTS, replans=0)
        async with Orchestrator(agents, model=model, policy=policy, clock=LoopClock()) as orchestrator:
            before = asyncio.get_running_loop().time()
            outcome = await orchestrator.run(plan)
            finished = asyncio.get_running_loop().time() - before
        await model.close()
    seconds = storm.minutes * 60.0
    return Figures(
        used=limited.used(storm.binding, seconds=seconds),
        refused=limited.refused_per_minute(seconds=seconds),
        failed=len(plan.graph().tasks) - len(outcome.outputs),
        tasks=len(plan.graph().tasks),
        finished=finished,
    )


def in_virtual_time(storm: Storm) -> Figures:
    """Carry one row out under a virtual clock."""
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        return runner.run(carried_out(storm))


def storms(minutes: int) -> list[Storm]:
    """Return every row."""
    kinds: tuple[Kind, ...] = ("sliding", "fixed", "bucket")
    told = (("headers", "limits"), ("nothing", "limits"), ("headers", "nothing"), ("retry-after", "nothing"),
            ("nothing", "nothing"))  # fmt: skip
    rows = [
        Storm(kind, tells, knows, error, minutes=minutes)
        for kind, (tells, knows), error in itertools.product(kinds, told, ERRORS)
    ]
    return rows + [Storm(kind, "headers", "nothing", binding="requests", minutes=minutes) for kind in kinds]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rows", default="", help="only rows that hold this word")
    options = parser.parse_args()
    print(f"{'minute':8} {'server says':12} {'we know':8} {'binds':9} {'estimates':>9}  {'used':>6} {'floor':>6}"
          f"  {'429s':>5} {'worst':>5} {'most':>5}  {'failed':>6}  {'took':>6}")  # fmt: skip
    for storm in storms(options.minutes):
        row = f"{storm.kind:8} {storm.tells:12} {storm.knows:8} {storm.binding:9} {storm.error:>9}"
        if options.rows not in row:
            continue
        before = time.perf_counter()
        figures = in_virtual_time(storm)
        took = time.perf_counter() - before
        refused = figures.refused
        print(f"{row}  {figures.used:6.1%} {FLOOR:6.0%}  {sum(refused):5} {max(refused):5} {MOST:5}"
              f"  {figures.failed:6}  {took:4.1f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
