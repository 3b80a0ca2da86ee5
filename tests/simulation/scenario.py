"""What a seed stands for: a plan, and what will go wrong with it."""

import random
from dataclasses import dataclass
from typing import Any, Final

from agentorch import Budget, Plan

KINDS: Final = ("plain", "plain", "stepper", "stepper", "asker", "counter", "payer", "caller", "wondering")
PATCHES: Final = ("good", "good", "bad", "breaks", "grows", "drops", "touches")
"""What a patch does with the task that failed: gives it to another agent; gives it to nobody; none is made; lets it
need a new task as well; takes it out; gives it to another agent, and changes other work too."""


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
    cancel_from_outside: bool
    """Whether another process asks for that, through the journal."""
    worker_dies_after: tuple[float, ...]
    """Seconds after which each life loses its worker."""
    budget: Budget
    patches: tuple[str, ...]
    """What the planner does when it is asked for a patch: see `PATCHES`."""
    person: bool
    """Whether somebody is there who answers at once what is asked; else it is answered when nothing else is left."""
    trouble: float
    """How likely a call goes wrong."""


def scenario(seed: int) -> Scenario:
    """Return what a seed stands for."""
    chance = random.Random(seed)  # chance, not secrecy
    return Scenario(
        plan=_plan(chance),
        local=chance.random() < 0.4,
        crashes=tuple(chance.randint(3, 140) for _ in range(chance.choice((0, 1, 1, 1, 2, 3)))),
        cancel_after=chance.uniform(0.0, chance.choice((3.0, 20.0))) if chance.random() < 0.15 else None,
        cancel_from_outside=chance.random() < 0.5,
        worker_dies_after=tuple(chance.uniform(0.0, 8.0) for _ in range(chance.choice((0, 0, 1, 2)))),
        budget=Budget(max_calls=chance.randint(3, 12)) if chance.random() < 0.15 else Budget(),
        patches=tuple(chance.choice(PATCHES) for _ in range(6)),
        person=chance.random() < 0.3,
        trouble=chance.choice((0.05, 0.12, 0.12, 0.2)),
    )


def _plan(chance: random.Random) -> Plan:
    plan = Plan("simulate")
    names: list[str] = []
    for number in range(chance.randint(20, 28)):
        name, kind = f"t{number}", chance.choice(KINDS)
        some = chance.sample(names[-6:], k=min(len(names), chance.choice((0, 1, 1, 2, 3))))
        policies: dict[str, Any] = {}
        if some and chance.random() < 0.35:
            policies["join"] = chance.choice(("settled", "any", chance.randint(1, len(some))))
            policies |= {"cancel_rest": True} if chance.random() < 0.3 else {}
        if kind in {"asker", "counter", "stepper"} and chance.random() < 0.1:
            policies["fallback"] = ("plain",)
        if chance.random() < 0.01:
            policies["on_failure"] = "fail_run"
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
