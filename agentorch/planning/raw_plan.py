"""A plan as a model may write it: whatever the keys are called, the same parts.

Models say `nodes`, `steps`, `depends_on`, `tool`, `args`, `edges`; here these become one form, unchecked otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from agentorch.planning.streaming import TASK_LISTS

_IDS: Final = ("id", "task_id", "node_id", "step_id", "step", "number", "key", "idx", "index")
_AGENTS: Final = ("agent", "agent_name", "tool", "tool_name", "assigned_to", "assignee", "worker", "function", "action")
_OBJECTIVES: Final = ("objective", "description", "goal", "instruction", "instructions", "prompt", "thought")
_INPUTS: Final = ("inputs", "input", "args", "arguments", "parameters", "params", "action_input", "tool_input")
_NEEDS: Final = ("needs", "dependencies", "depends_on", "dependson", "deps", "dep", "requires", "after", "parents")
_EDGES: Final = ("edges", "links", "task_links", "dependencies", "connections")
_ANSWERS: Final = ("answer", "final", "final_answer", "output", "result")
_DROPS: Final = ("drop", "remove", "delete")
_SOURCES: Final = ("source", "from", "src", "start", "before")
_TARGETS: Final = ("target", "to", "dst", "end", "after")
_WRAPPERS: Final = ("plan", "dag", "workflow", "graph", "response", "arguments", "patch")


@dataclass(slots=True)
class RawTask:
    """One task, as it was written."""

    id: Any = None
    agent: Any = None
    objective: Any = None
    inputs: Any = None
    needs: list[Any] = field(default_factory=list[Any])
    rest: dict[str, Any] = field(default_factory=dict[str, Any])
    """Keys that mean nothing here, and policies."""


@dataclass(slots=True)
class RawPlan:
    """A plan or patch, as it was written."""

    tasks: list[RawTask]
    edges: list[tuple[Any, Any]] = field(default_factory=list[tuple[Any, Any]])
    """Pairs: the second needs the first."""
    answer: Any = None
    drop: list[Any] = field(default_factory=list[Any])


def raw_plan(value: Any) -> RawPlan | None:
    """Return the parts of a plan, or None when `value` holds no list of tasks."""
    if isinstance(value, list):
        return RawPlan(_tasks(cast("list[Any]", value)))
    if not isinstance(value, dict):
        return None
    plan = _lowered(cast("dict[str, Any]", value))
    for key in _listing(plan):
        content = plan[key]
        tasks = list(_named(cast("dict[str, Any]", content))) if isinstance(content, dict) else content
        if isinstance(tasks, list):
            edges = list(_edges(_first(plan, _EDGES)))
            return RawPlan(
                _tasks(cast("list[Any]", tasks)), edges, _first(plan, _ANSWERS), _listed(_first(plan, _DROPS))
            )
    for key in _WRAPPERS:
        if isinstance(plan.get(key), dict | list) and (inner := raw_plan(plan[key])):
            return inner
    if _first(plan, _AGENTS) is not None:
        return RawPlan([raw_task(plan)])
    return RawPlan([], answer=_first(plan, _ANSWERS), drop=_listed(plan["drop"])) if "drop" in plan else None


def raw_task(value: Mapping[str, Any]) -> RawTask:
    """Return the parts of one task."""
    task = _lowered(value)
    id, agent = _taken(task, _IDS), _taken(task, _AGENTS)
    objective, inputs = _taken(task, _OBJECTIVES), _taken(task, _INPUTS)
    needs = _listed(_taken(task, _NEEDS))
    # `task` and `name` are what the others leave: an agent, else an id, else the words of the objective.
    for key in ("task", "name", "title"):
        if key in task and agent is None:
            agent = task.pop(key)
        elif key in task and id is None and key == "name":
            id = task.pop(key)
        elif key in task and objective is None:
            objective = task.pop(key)
    if isinstance(agent, dict):
        call = _lowered(cast("dict[str, Any]", agent))
        agent, inputs = call.get("name"), _taken(call, _INPUTS) if inputs is None else inputs
    return RawTask(id, agent, objective, inputs, needs, task)


def _listing(plan: Mapping[str, Any]) -> list[str]:
    return [key for key in plan if key in TASK_LISTS and (key != "plan" or isinstance(plan[key], list))]


def _lowered(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).strip().lower().replace("-", "_").replace(" ", "_"): item for key, item in value.items()}


def _first(plan: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((plan[name] for name in names if plan.get(name) is not None), None)


def _taken(task: dict[str, Any], names: Iterable[str]) -> Any:
    found = next((name for name in names if task.get(name) is not None), None)
    return task.pop(found) if found else None


def _tasks(items: list[Any]) -> list[RawTask]:
    return [
        raw_task(cast("dict[str, Any]", item)) if isinstance(item, dict) else RawTask(objective=item) for item in items
    ]


def _named(tasks: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for id, task in tasks.items():
        if isinstance(task, dict):
            yield {"id": id, **cast("dict[str, Any]", task)}


def _edges(value: Any) -> Iterable[tuple[Any, Any]]:
    for edge in _listed(value):
        if isinstance(edge, dict):
            pair = _lowered(cast("dict[str, Any]", edge))
            yield _first(pair, _SOURCES), _first(pair, _TARGETS)
        elif isinstance(edge, list | tuple) and len(cast("list[Any]", edge)) == 2:  # noqa: PLR2004  (a pair)
            yield edge[0], edge[1]
        elif isinstance(edge, str) and "->" in edge:
            source, _, target = edge.strip("() ").partition("->")
            yield source.strip(), target.strip()


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, str) and "," in value:
        return [part.strip() for part in value.split(",")]
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else [value]
