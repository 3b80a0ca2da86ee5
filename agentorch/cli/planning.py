"""`agentorch plan`: the plan for a goal, not run; or a plan file, checked."""

from collections.abc import Sequence
from pathlib import Path

import anyio

from agentorch.cli.plan_checks import say_problems, say_unused, unused
from agentorch.cli.running import hint_at_model, named_values, orchestrator_of, what_to_run
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.teams import check_team
from agentorch.cli.words import one_line
from agentorch.core.references import with_needs
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError, PlanError
from agentorch.plans import Plan

_FAILED, _WRONG = 1, 2


def show_plan(
    goal: str | None, file: Path | None, setup: Setup, *, inputs: Sequence[str], json: bool, mermaid: bool
) -> int:
    """Show a plan; exit code 1 when the goal cannot be planned, 2 when the file has errors."""
    screen = Screen()
    if file is not None and goal is not None:
        raise ConfigurationError("give a goal or --file FILE, not both")
    what = what_to_run(goal, file)
    check_team(setup, plans=not isinstance(what, Plan))
    orchestrator = orchestrator_of(setup, screen)
    code = 0
    if isinstance(what, Plan):
        values = named_values(inputs)
        problems = what.verify(orchestrator.registry, inputs=values or None).problems
        say_problems(screen, file, setup, problems)
        code = _WRONG if any(problem.is_error for problem in problems) else 0
        plan = what
    else:
        hint_at_model(screen, setup)
        try:
            plan = anyio.run(lambda: orchestrator.plan(what, inputs=named_values(inputs)))
        except PlanError as error:
            screen.say(f"agentorch: no plan: {one_line(str(error))}")
            return _FAILED
    say_unused(screen, unused(plan.tasks, named_values(inputs)))
    if json:
        screen.json(plan.to_dict())
    elif mermaid:
        screen.data(plan.to_mermaid().rstrip("\n"))
    elif not code:
        screen.data(as_text(plan))
    return code


def as_text(plan: Plan) -> str:
    """Return the plan as lines: a task each, below those that it needs."""
    tasks = _in_order(plan.tasks)
    wide = max(len(task.id) for task in tasks)
    agents = max(len(task.agent) for task in tasks)
    lines: list[str] = []
    for number, task in enumerate(tasks, start=1):
        needs = f"  needs {', '.join(task.needs)}" if task.needs else ""
        lines.append(f"{number:>2}  {task.id:<{wide}}  {task.agent:<{agents}}{needs}".rstrip())
        if task.objective:
            lines.append(f"    {one_line(task.objective)}")
    used = {need for task in tasks for need in task.needs}
    sinks = [task.id for task in tasks if task.id not in used]
    answer = plan.answer or (f"${sinks[0]}" if len(sinks) == 1 else f"written from {', '.join(sinks)}")
    return "\n".join([*lines, f"answer: {answer}"])


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
