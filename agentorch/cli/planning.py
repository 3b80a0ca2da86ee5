"""`agentorch plan`: the plan for a goal, not run; or a plan file, checked."""

from collections.abc import Sequence
from pathlib import Path

from agentorch.cli.looping import in_loop
from agentorch.cli.plan_checks import say_problems, say_unused, unused
from agentorch.cli.plan_text import as_text
from agentorch.cli.running import hint_at_model, named_values, orchestrator_of, what_to_run
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.teams import check_team
from agentorch.cli.words import one_line
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
            plan = in_loop(lambda: orchestrator.plan(what, inputs=named_values(inputs)))
        except PlanError as error:
            screen.say(f"agentorch: no plan: {one_line(str(error))}")
            return _FAILED
    say_unused(screen, unused(plan.tasks, named_values(inputs)))
    if json:
        screen.json(plan.to_dict())
    elif mermaid:
        screen.data(plan.to_mermaid().rstrip("\n"))
    elif not code:
        screen.data(as_text(plan, screen.data_sheet))
    return code
