"""How a task stands, in one line."""

from collections.abc import Sequence
from typing import Final

from agentorch.core.state import FINAL, RunState, Status, TaskState

_LONGEST: Final = 300
"""Characters of somebody else's words in one line."""


def conclusion(state: RunState, name: str, *, reason: str | None = None) -> str:  # noqa: C901  # a table
    """Return how the task `name` stands, in one line; `reason` is why it was cancelled."""
    task = state.tasks.get(name)
    if task is None:
        return f"'{name}' was dropped from the plan"
    match task.status:
        case Status.SUCCEEDED:
            return f"'{name}' succeeded{_how(task)}"
        case Status.FAILED:
            return f"'{name}' failed: {shortened(task.problem.message if task.problem else 'no reason was recorded')}"
        case Status.SKIPPED:
            return f"'{name}' was skipped: '{task.cause}' brought nothing"
        case Status.CANCELLED:
            return f"'{name}' was cancelled: {shortened(reason or 'no reason was recorded')}"
        case Status.RUNNING if state.stopped is not None and not state.finished:
            what = f"{attempt_words(task.attempt, task.dispatch)} with '{task.agent}'"
            return f"'{name}' was begun, {what}; {_held_up(state)}"
        case Status.RUNNING:
            return f"'{name}' is running: {attempt_words(task.attempt, task.dispatch)} with '{task.agent}'"
        case Status.WAITING:
            return f"'{name}' waits: {_WAITS.get(task.waiting or '', task.waiting)}"
        case Status.READY:
            return f"'{name}' has not started: {_held_up(state)}"
        case Status.PENDING:
            unfinished = [need for need in task.task.needs if state.tasks[need].status not in FINAL]
            return f"'{name}' has not started: it needs {in_quotes(unfinished)}"


_WAITS: Final = {
    "timer": "its next try is due later",
    "approval": "a person has to approve it",
    "person": "a person has to say what is to be done",
    "budget": "the budget has no room for it until others give something back",
    "replan": "its own remedies are used up, and the planner is asked for a patch",
}


def _how(task: TaskState) -> str:
    ladder = task.ladder
    if ladder is None:
        return " at the first attempt" if task.started else ""
    ways = [f"with '{ladder.agent}' in the place of '{task.task.agent}'"] if ladder.tried else []
    if ladder.model:
        ways.append(f"with model number {ladder.model + 1}")
    if ladder.mode == "repair":
        ways.append(f"after {ladder.repairs} repair{'s' * (ladder.repairs > 1)}")
    elif not ways:
        ways.append(f"at {attempt_words(task.attempt, task.dispatch)}")
    return " " + ", ".join(ways)


def attempt_words(attempt: int, dispatch: int) -> str:
    """Return "attempt 2", with its dispatch when that is not the first."""
    return f"attempt {attempt}" + (f", dispatch {dispatch}" if dispatch > 1 else "")


def _held_up(state: RunState) -> str:
    if state.stopped is not None:
        return f"the run stands still: {shortened(state.stopped.message)}"
    if state.unsigned:
        return "nothing starts before a person has signed the plan"
    return "it is ready, and no slot has been free"


def in_quotes(names: Sequence[str]) -> str:
    """Return the names, each in quotes."""
    return ", ".join(f"'{name}'" for name in names) or "nothing"


def shortened(text: str) -> str:
    """Return somebody else's words as one line of bearable length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
