"""What a plan comes to, worked out the simple way: task by task in topological order, no time, no slots, no events.

It knows joins, failure kinds and the ladder's rungs from the design, and shares no code with the engine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agentorch.core.card import AgentCard
from agentorch.core.policy import Policy
from agentorch.core.task import Task

Script = Mapping[str, Sequence[str]]
"""Per task, what its dispatches come to, in order: failure kinds, then success."""


@dataclass
class Result:
    """What became of a plan."""

    status: dict[str, str]
    outputs: dict[str, Any]
    agents: dict[str, str]
    """Who did each task at last."""
    dispatches: dict[str, int]


def output_of(task: Task, agent: str, inputs: dict[str, Any]) -> Any:
    """Return what `agent` gives: its inputs, unless a join makes them depend on who was first."""
    return [task.id, agent] if task.policy.join not in {"all", "settled"} else [task.id, agent, inputs]


def interpret(tasks: Sequence[Task], cards: Mapping[str, AgentCard], script: Script, policy: Policy) -> Result:
    """Carry `tasks` out, each after its needs."""
    result = Result({}, {}, {}, {})
    for task in tasks:
        held = [need for need in task.needs if result.status[need] == "succeeded"]
        if not _holds(task, len(held)):
            result.status[task.id] = "skipped"
            continue
        agent, count = _climb(task, cards, script.get(task.id, ()), policy)
        result.dispatches[task.id] = count
        result.status[task.id] = "succeeded" if agent is not None else "failed"
        if agent is not None:
            inputs = {name: result.outputs.get(value[1:]) for name, value in task.inputs.items()}
            result.agents[task.id] = agent
            result.outputs[task.id] = output_of(task, agent, inputs)
    return result


def _holds(task: Task, held: int) -> bool:
    join = task.policy.join
    if not task.needs or join == "settled":
        return True
    wanted = len(task.needs) if join == "all" else 1 if join == "any" else int(join)
    return held >= wanted


def _climb(task: Task, cards: Mapping[str, AgentCard], script: Sequence[str], policy: Policy) -> tuple[str | None, int]:
    """Return the agent that succeeds at last, or None, and how often the task was dispatched."""
    outcomes = list(script)
    count = 0
    for agent in (task.agent, *cards[task.agent].fallback):
        card = cards[agent]
        for _ in range(card.models):
            starts = repairs = 0
            redispatches = 0
            starts += 1
            while True:
                count += 1
                kind = outcomes.pop(0) if outcomes else "ok"
                if kind == "ok":
                    return agent, count
                if kind == "transient":
                    redispatches += 1
                    if redispatches < 6:
                        continue
                    break
                redispatches = 0
                if kind == "invalid" and card.repairable and repairs < policy.repairs:
                    repairs += 1
                    continue
                if kind in {"invalid", "crash"} and starts < policy.attempts:
                    starts += 1
                    continue
                break
            if kind == "permanent":
                break
    return None, count
