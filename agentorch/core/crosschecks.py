"""Checks across tasks: what each is about, and when it is due.

1. A name means the task of that id, or the only task of the plan that the agent of that name has. It is looked up
   when the plan is complete, and again when a patch has changed it.
2. A check is due when every task that it is about has succeeded, and again when one of them has been done anew, or
   when a patch has made its names mean other tasks.
3. While a check is under way, or due, the run is not over.
"""

from agentorch.core.commands import CheckOutputs
from agentorch.core.failures import Code, Problem
from agentorch.core.state import CrossCheckState, RunState, Status


def pending_name(check: str) -> str:
    """Return the name under which a check under way is pending."""
    return f"check:{check}"


def look_up(state: RunState) -> None:
    """Find the tasks that each check is about; what was asked, or said, about other ones is taken back."""
    if not state.checks:
        return
    by_agent: dict[str, list[str]] = {}
    for name, task in state.tasks.items():
        if task.caller is None:
            by_agent.setdefault(task.task.agent, []).append(name)
    for check in state.checks.values():
        found = tuple(_meant(state, by_agent, name) for name in check.spec.about)
        tasks = tuple(name for name in found if name is not None)
        meant = tasks if len(tasks) == len(found) else ()
        if meant != check.tasks:
            check.tasks = meant
            _open(state, check)


def _meant(state: RunState, by_agent: dict[str, list[str]], name: str) -> str | None:
    if name in state.tasks and state.tasks[name].caller is None:
        return name
    tasks = by_agent.get(name, ())
    return tasks[0] if len(tasks) == 1 else None


def reopen(state: RunState, name: str) -> None:
    """Take back what was asked, or said, about an output that is taken back."""
    for check in state.checks.values():
        if name in check.tasks:
            _open(state, check)


def _open(state: RunState, check: CrossCheckState) -> None:
    """Let a check wait for outputs; a verdict that is on its way comes too late."""
    check.status = "open"
    state.pending.pop(pending_name(check.spec.name), None)


def due_check(state: RunState) -> CrossCheckState | None:
    """Return the next check that can be asked; None when there is none."""
    if not state.checks or not state.complete or state.stopped is not None:
        return None
    for check in state.checks.values():
        if check.status == "open" and check.tasks and all(_has_succeeded(state, name) for name in check.tasks):
            return check
    return None


def is_checking(state: RunState) -> bool:
    """Whether a check is under way."""
    return any(check.status == "asked" for check in state.checks.values())


def begin_check(state: RunState, check: CrossCheckState) -> None:
    """Ask for a check."""
    check.status = "asked"
    check.number += 1
    command = CheckOutputs(check.spec.name, check.number, check.tasks)
    state.pending[pending_name(check.spec.name)] = command
    state.gained.append(command)


def unchecked(state: RunState) -> tuple[Problem, ...]:
    """Say which checks never came to be asked, and why."""
    return tuple(_unchecked(state, check) for check in state.checks.values() if check.status == "open")


def _unchecked(state: RunState, check: CrossCheckState) -> Problem:
    missing = [name for name in check.tasks if not _has_succeeded(state, name)]
    names = ", ".join(f"'{name}'" for name in missing or check.spec.about)
    why = f"{names} brought nothing" if missing else f"not each of {names} is a task, or an agent with just one task"
    again = " again" if check.number else ""
    return Problem(Code.UNCHECKED, f"check '{check.spec.name}' was not asked{again}: {why}")


def _has_succeeded(state: RunState, name: str) -> bool:
    task = state.tasks.get(name)
    return task is not None and task.status is Status.SUCCEEDED
