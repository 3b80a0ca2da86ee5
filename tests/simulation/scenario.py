"""What a seed stands for: a plan, and what will go wrong with it."""

import random
from dataclasses import dataclass
from typing import Any, Final

from agentorch import Budget, Plan

KINDS: Final = ("plain", "plain", "stepper", "stepper", "asker", "counter", "payer", "caller", "wondering")


@dataclass(frozen=True)
class Scenario:
    """Drawn from a seed."""

    plan: Plan
    local: bool
    """Whether workers live in the process, or beyond a bus that may fail."""
    crashes: tuple[int, ...]
    """After how many appends and sends each life ends."""
    cancel_after: float | None
    """Seconds after which the run is cancelled."""
    worker_dies_after: float | None
    budget: Budget
    patches: tuple[str, ...]
    """What the planner does when it is asked for a patch: "good", "bad", "breaks"."""
    trouble: float
    """How likely a call goes wrong."""


def scenario(seed: int) -> Scenario:
    """Return what a seed stands for."""
    chance = random.Random(seed)  # chance, not secrecy
    return Scenario(
        plan=_plan(chance),
        local=chance.random() < 0.4,
        crashes=tuple(chance.randint(3, 140) for _ in range(chance.choice((0, 1, 1, 1, 2, 3)))),
        cancel_after=chance.uniform(0.0, 3.0) if chance.random() < 0.12 else None,
        worker_dies_after=chance.uniform(0.0, 2.0) if chance.random() < 0.3 else None,
        budget=Budget(max_calls=chance.randint(3, 12)) if chance.random() < 0.15 else Budget(),
        patches=tuple(chance.choice(("good", "good", "bad", "breaks")) for _ in range(6)),
        trouble=chance.choice((0.05, 0.12, 0.12, 0.2)),
    )


def _plan(chance: random.Random) -> Plan:
    plan = Plan("simulate")
    names: list[str] = []
    for number in range(chance.randint(20, 28)):
        name, kind = f"t{number}", chance.choice(KINDS)
        some = chance.sample(names[-6:], k=min(len(names), chance.choice((0, 1, 1, 2, 3))))
        policies: dict[str, Any] = {}
        if some and chance.random() < 0.3:
            policies["join"] = chance.choice(("settled", "any"))
        if chance.random() < 0.04:
            policies["approval"] = "before"
        inputs = {"name": name, "before": [] if "join" in policies else [f"${need}" for need in some]}
        plan.add(name, agent=kind, inputs=inputs, needs=some, **policies)
        names.append(name)
    used = {need for task in plan.tasks for need in task.needs}
    sinks = [name for name in names if name not in used]
    plan.add("last", agent="plain", inputs={"name": "last", "before": []}, needs=sinks, join="settled")
    plan.answer = "$last"
    return plan
