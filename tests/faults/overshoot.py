"""How far a run passes its budget: many calls at once, whose input is counted wrongly, and answers of any length.

    python -m tests.faults.overshoot            # a table
    python -m tests.faults.overshoot --json     # the same for programs; exit code 1 if a limit does not hold

What may be passed is the error of one estimate: of the one call that takes all that is left. Calls are never passed.
"""

import argparse
import asyncio
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from agentorch import Budget, Context, Orchestrator, Plan, Policy, agent
from agentorch.core.usage import Usage
from agentorch.ports.model import ModelRequest, ModelResponse, OnDelta
from agentorch.runtime.outcome import OutcomeStatus

TASKS = 40
"""Tasks that are all ready at once."""
CALLS = 3
"""Calls that each makes, one after the other."""
DOLLARS = 1e-6
"""What a token costs."""


@dataclass(frozen=True)
class Figure:
    """One budget, tried."""

    limit: str
    counted: float
    """What the input is counted as, as a part of what it is."""
    seed: int
    allowed: float
    used: float
    overshoot: float
    error: float
    """The largest error of one estimate: tokens of input that were not counted."""
    calls: int
    status: str

    @property
    def holds(self) -> bool:
        """Whether at most one estimate's error was passed."""
        return self.overshoot <= self.error + 1e-12

    @property
    def stopped(self) -> bool:
        """Whether the limit was met: a run that ends before it shows nothing."""
        return self.status != OutcomeStatus.SUCCEEDED and self.used > self.allowed / 2


class Miscounting:
    """A model whose input is more, or less, than it counts; it stops where it is told to."""

    name = "miscounting"

    def __init__(self, counted: float, seed: int) -> None:
        self.counted = counted
        self.calls = 0
        self.error = 0
        """The most tokens by which one count was too low."""
        self.used = Usage()
        self._random = random.Random(seed)

    async def complete(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Answer at length, after a while."""
        del on_delta
        self.calls += 1
        size = sum(len(message.content) for message in request.messages)
        wanted = round(self._random.lognormvariate(6.5, 0.8))
        await asyncio.sleep(self._random.random() / 50)
        said = wanted if request.max_output_tokens is None else min(wanted, request.max_output_tokens)
        self.error = max(self.error, size - sum(self.count(message.content) for message in request.messages))
        usage = Usage(size, said, calls=1, money=(size + said) * DOLLARS)
        self.used += usage
        return ModelResponse("said", "stop", usage=usage, model=self.name)

    def count(self, text: str) -> int:
        """Return a wrong count: a character is a token."""
        return round(len(text) * self.counted)

    def cost(self, usage: Usage) -> float:
        """Return what `usage` costs."""
        return usage.tokens * DOLLARS

    async def close(self) -> None:
        """Do nothing."""


async def tried(limit: str, allowed: float, counted: float, seed: int) -> Figure:
    """Run all the tasks under one limit."""
    model = Miscounting(counted, seed)
    sizes = random.Random(seed)

    @agent(description="Asks the model again and again.", needs_model=True)
    async def asking(size: int, context: Context) -> str:
        for number in range(CALLS):
            await context.model(f"{number}" * size)
        return "done"

    plan = Plan("many questions")
    for number in range(TASKS):
        plan.add(f"t{number}", agent=asking, inputs={"size": sizes.randint(100, 3_000)})
    policy = Policy(attempts=1, replans=0)
    budget = Budget.model_validate({limit: allowed})
    async with Orchestrator([asking], model=model, planner="rules", policy=policy) as orchestrator:
        outcome = await orchestrator.run(plan, budget=budget)
    spent = {"max_tokens": model.used.tokens, "max_money": model.used.money, "max_calls": model.calls}[limit]
    error = {"max_tokens": model.error, "max_money": model.error * DOLLARS, "max_calls": 0}[limit]
    over = max(0.0, spent - allowed)
    return Figure(limit, counted, seed, allowed, spent, over, error, model.calls, str(outcome.status))


async def figures(seeds: Sequence[int]) -> list[Figure]:
    """Try every limit, with counts that are half as much, right, and half as much again."""
    cases = [("max_tokens", 30_000), ("max_tokens", 120_000), ("max_money", 0.06), ("max_calls", 50)]
    return [
        await tried(limit, allowed, counted, seed)
        for limit, allowed in cases
        for counted in (1 / 1.5, 1.0, 1.5)
        for seed in seeds
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the figures; return 1 if one does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seeds", type=int, default=3, help="how many seeds for each case")
    options = parser.parse_args(argv)
    found = asyncio.run(figures(range(options.seeds)))
    broken = [figure for figure in found if not figure.holds]
    if options.json:
        sys.stdout.write(json.dumps(_summary(found)) + "\n")
    else:
        for figure in found:
            sys.stdout.write(" ".join(f"{name}={value}" for name, value in asdict(figure).items()) + "\n")
        words = f"{len(found)} runs, {len(broken)} passed their budget by more than the error of one estimate"
        sys.stdout.write(words + "\n")
    return 1 if broken else 0


def _summary(found: list[Figure]) -> dict[str, Any]:
    return {
        "runs": len(found),
        "tasks": TASKS,
        "calls_of_a_task": CALLS,
        "stopped": sum(figure.stopped for figure in found),
        "calls": sum(figure.calls for figure in found),
        "worst_overshoot_in_estimates": max(figure.overshoot / figure.error for figure in found if figure.error),
        "beyond_one_estimate": sum(not figure.holds for figure in found),
        "figures": [asdict(figure) for figure in found],
    }


if __name__ == "__main__":
    sys.exit(main())
