"""How a run stands while it goes on: its events in, one row a task out. No terminal in here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agentorch.cli.words import one_line, seconds
from agentorch.core.apply import apply
from agentorch.core.events import Event, TaskReported
from agentorch.core.running_time import time_until
from agentorch.core.state import FINAL, RunState, Status, TaskState


@dataclass(frozen=True, slots=True)
class Row:
    """One task."""

    task: str
    status: Status
    agent: str
    elapsed: float | None
    """Seconds that it runs or ran; None before it starts."""
    note: str
    """What it waits for, what it says, or why it failed."""


_PHASES: Final = {
    "planning": "planning",
    "replanning": "planning anew",
    "answering": "answering with what there is",
    "stopped": "stopped",
}
_UNSIGNED: Final = "waits for the plan to be signed"
_WAITS: Final = {
    "approval": "waits for approval",
    "person": "waits for a person",
    "effect": "waits: did its effect happen?",
    "replan": "waits for a new plan",
    "budget": "waits for budget",
}


class Progress:
    """The state of one run, as its events tell it."""

    def __init__(self, run_id: str) -> None:
        self.state = RunState(run_id)
        self.ran = 0.0
        """Seconds for which the run was carried out, whether it is limited in them or not."""
        self._said: dict[str, str] = {}

    def see(self, event: Event) -> None:
        """Take in the next event."""
        if self.state.seq:
            self.ran += time_until(self.state, event)
        apply(self.state, event)
        self.state.gained.clear()
        if isinstance(event, TaskReported):
            self._said[event.task] = one_line(event.text)

    @property
    def phase(self) -> str:
        """What the run is doing, in a word or two."""
        state = self.state
        if state.cancelling and not state.finished:
            return "cancelling"
        if state.unsigned and state.status == "running":
            return _UNSIGNED
        return _PHASES.get(state.status, state.status)

    @property
    def done(self) -> int:
        """Tasks that are final."""
        return len(self.state.tasks) - self.state.open

    def rows(self, now: float) -> Iterator[Row]:
        """Go through the tasks in plan order; what a running one called stands below it."""
        for name, task in self.state.tasks.items():
            agent = task.agent if task.caller is None else f"{task.agent} ↳ {task.caller.split('/')[1]}"
            yield Row(name, task.status, agent, _elapsed(task, now), self._note(name, task, now))

    def _note(self, name: str, task: TaskState, now: float) -> str:
        match task.status:
            case Status.PENDING:
                return "needs " + ", ".join(need for need in task.task.needs if not self._final(need))
            case Status.READY:
                return self._held_up()
            case Status.WAITING if task.waiting == "timer":
                return f"next try in {seconds(max(0.0, (task.due or now) - now))}: {_problem(task)}"
            case Status.WAITING:
                return f"{_WAITS.get(task.waiting or '', 'waits')}{_because(task)}"
            case Status.RUNNING:
                return self._said.get(name, "") or _again(task)
            case Status.FAILED | Status.CANCELLED:
                return one_line(task.problem.message) if task.problem else ""
            case Status.SKIPPED:
                return f"'{task.cause}' brought nothing"
            case Status.SUCCEEDED:
                return f"in the place of {task.task.agent}" if task.agent != task.task.agent else ""

    def _held_up(self) -> str:
        if self.state.stopped is not None:
            return "stopped"
        return _UNSIGNED if self.state.unsigned else "waits for a slot"

    def _final(self, need: str) -> bool:
        return self.state.tasks[need].status in FINAL


def _elapsed(task: TaskState, now: float) -> float | None:
    if not task.started:
        return None
    if task.status is Status.RUNNING:
        return max(0.0, now - task.started)
    return max(0.0, task.finished - task.started) if task.finished else None


def _problem(task: TaskState) -> str:
    return one_line("; ".join(task.ladder.problems)) if task.ladder is not None else ""


def _because(task: TaskState) -> str:
    return f": {one_line(task.problem.message)}" if task.problem is not None else ""


def _again(task: TaskState) -> str:
    if task.ladder is None:
        return ""
    how = "repair" if task.ladder.mode == "repair" else f"attempt {task.attempt}"
    return f"{how} after: {_problem(task)}" if task.ladder.problems else how
