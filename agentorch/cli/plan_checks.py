"""What is said of a plan before it is carried out: its problems, each once; inputs that nobody takes."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.words import one_line
from agentorch.core.failures import Code, Problem
from agentorch.core.references import found, mentioned
from agentorch.core.task import Task

_MOST_NAMED = 6


def say_problems(screen: Screen, file: Path | None, setup: Setup, problems: Sequence[Problem]) -> None:
    """Say what is wrong with a plan file: a line for each thing, with every task that it befalls."""
    tasks: dict[tuple[str, str, str | None], list[str]] = {}
    for problem in problems:
        tasks.setdefault((problem.code, problem.message, problem.remedy), []).extend(
            [problem.task] if problem.task else []
        )
    for (code, message, remedy), names in tasks.items():
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        where = f"{one_line(', '.join(names[:_MOST_NAMED]))}{more}: " if names else ""
        head = "warning: " if code.startswith("W_") else "agentorch: "
        screen.say(f"{head}{file}: {code} {where}{one_line(message)}" + (f" ({remedy})" if remedy else ""))
    agents = None if file is None else file.parent / "agents"
    unknown = any(problem.code == Code.UNKNOWN_AGENT for problem in problems)
    if unknown and agents is not None and agents.is_dir() and not setup.agents:
        screen.say(f"beside the plan there is the folder {agents}: to use its agents, add -a {agents}", whole=True)


def unused(tasks: Iterable[Task], names: Iterable[str]) -> list[str]:
    """Return the inputs of these names that no task refers to."""
    taken: set[str] = set()
    for task in tasks:
        references = [*(item.reference for item in found(task.inputs)), *mentioned(task.objective)]
        for reference in references:
            if reference.id == "inputs":
                if not reference.path:
                    return []
                taken.add(reference.path[0])
    return [name for name in names if name not in taken]


def say_unused(screen: Screen, names: Sequence[str]) -> None:
    """Warn, once, of inputs that nothing takes."""
    if names:
        listed = ", ".join(f"-i {name}" for name in names)
        screen.say(f"warning: {listed}: no task of the plan takes it ($inputs.{names[0]})", "yellow")
