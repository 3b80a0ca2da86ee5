"""A plan as lines of text: a drawing of it where that fits, and below it the tasks with their details."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, Final

from agentorch.cli.rails import APART, rails
from agentorch.cli.screen import Sheet
from agentorch.cli.words import json_text, one_line
from agentorch.core.references import with_needs
from agentorch.core.task import Task
from agentorch.core.usage import Budget
from agentorch.core.values import clipped
from agentorch.planning.fanning import OBJECTIVE
from agentorch.plans import Plan

_SHOWN: Final = 300
"""Characters of an input that are shown."""


def as_text(plan: Plan, sheet: Sheet, *, states: Mapping[str, str] | None = None) -> str:
    """Return the plan as lines: its drawing, with the tasks' `states`, then a task each, below those that it needs."""
    tasks = _in_order(plan.tasks)
    drawing = _drawn(tasks, sheet, states or {})
    return "\n".join([*drawing, *([""] if drawing else []), _listed(plan, tasks)])


def _drawn(tasks: Sequence[Task], sheet: Sheet, states: Mapping[str, str]) -> list[str]:
    """Return a row for each task: rails, id, and what fits of agent and state; none where no task needs another."""
    needs = {task.id: task.needs for task in tasks}
    if not any(needs.values()):
        return []
    drawings = [rails(needs, plain=not sheet.unicode, apart=apart) for apart in (APART, 0)]
    ids = [one_line(task.id) for task in tasks]
    stand = [states.get(task.id, "") for task in tasks]
    agents = [one_line(task.agent) for task in tasks]
    for more, rows in product(([agents, stand], [stand], []), filter(None, drawings)):
        lines = _aligned([rows, ids, *more])
        if sheet.width is None or max(map(len, lines)) <= sheet.width:
            return lines
    return []


def _aligned(columns: Sequence[Sequence[str]]) -> list[str]:
    wide = [max(map(len, column)) for column in columns]
    return ["  ".join(map(str.ljust, row, wide)).rstrip() for row in zip(*columns, strict=True)]


def _listed(plan: Plan, tasks: Sequence[Task]) -> str:
    wide = max(len(task.id) for task in tasks)
    agents = max(len(task.agent) for task in tasks)
    lines: list[str] = []
    for number, task in enumerate(tasks, start=1):
        needs = f"  needs {', '.join(task.needs)}" if task.needs else ""
        lines.append(f"{number:>2}  {task.id:<{wide}}  {task.agent:<{agents}}{needs}".rstrip())
        if task.objective not in {"", OBJECTIVE}:
            lines.append(f"    {one_line(task.objective)}")
        lines += [f"    {name}: {_shown(value)}" for name, value in task.inputs.items()]
        limits = {**task.policy.model_dump(exclude_unset=True), **_set(task.budget)}
        lines += [f"    {name} = {_shown(value)}" for name, value in limits.items()]
    used = {need for task in tasks for need in task.needs}
    sinks = [task.id for task in tasks if task.id not in used]
    answer = plan.answer or (f"${sinks[0]}" if len(sinks) == 1 else f"written from {', '.join(sinks)}")
    return "\n".join([*lines, f"answer: {answer}"])


def _shown(value: Any) -> str:
    return clipped(one_line(value if isinstance(value, str) else json_text(value)), _SHOWN)


def _set(budget: Budget | None) -> dict[str, Any]:
    return {} if budget is None else budget.model_dump(exclude_unset=True)


def _in_order(tasks: Sequence[Task]) -> list[Task]:
    """Return the tasks with all their needs, each below what it needs; a cycle's tasks come last."""
    known = {task.id: task for task in tasks}
    waiting = [with_needs(task, known) for task in tasks]
    placed: dict[str, Task] = {}
    while waiting:
        ready = [task for task in waiting if all(need in placed or need not in known for need in task.needs)]
        placed |= {task.id: task for task in ready or waiting}
        waiting = [task for task in waiting if task.id not in placed]
    return list(placed.values())
