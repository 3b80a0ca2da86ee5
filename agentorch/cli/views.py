"""What is shown of a run while it goes on: nothing, plain lines, JSON lines, or a table that lives."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from agentorch.cli.progress import Progress
from agentorch.cli.screen import Screen
from agentorch.cli.words import event_json, seconds
from agentorch.core.events import (
    CallAbandoned,
    Event,
    PlanCompleted,
    PlanNoted,
    PlanPatched,
    PlanRejected,
    ReplanRequested,
    RunAborted,
    RunAdopted,
    RunCancelling,
    RunForked,
    TasksAccepted,
    TaskSucceeded,
)
from agentorch.core.failures import Problem
from agentorch.core.state import Status
from agentorch.runtime.why_words import words_of


class View(Protocol):
    """Shows a run's events; open it with `with`."""

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the screen as it should stay."""
        ...

    def show(self, event: Event) -> None:
        """Show the next event."""
        ...

    def tick(self) -> None:
        """Time has passed."""
        ...

    def pause(self) -> None:
        """Leave the screen to somebody else until `go_on`; events are taken in all the same."""
        ...

    def go_on(self) -> None:
        """Show again."""
        ...


class Silent:
    """Shows nothing."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, event: Event) -> None:
        """Only take it in."""
        self.progress.see(event)

    def tick(self) -> None:
        """Show nothing."""

    def pause(self) -> None:
        """There is nothing to hold back."""

    def go_on(self) -> None:
        """There is nothing to hold back."""


class JsonLines(Silent):
    """Writes every event on stdout as a line of JSON."""

    def __init__(self, screen: Screen, progress: Progress) -> None:
        super().__init__(progress)
        self._screen = screen

    def show(self, event: Event) -> None:
        """Write it."""
        super().show(event)
        self._screen.json(event_json(event), indent=None)


class PlainLines(Silent):
    """Writes what happens on stderr, a line each."""

    def __init__(self, screen: Screen, progress: Progress) -> None:
        super().__init__(progress)
        self._screen = screen
        self._skipped: set[str] = set()
        self._held: list[str] | None = None

    def show(self, event: Event) -> None:
        """Write what the event means."""
        lines = self._lines(event)
        if self._held is None:
            self._say(lines)
        else:
            self._held += lines

    def pause(self) -> None:
        """Hold back what there is to say."""
        self._held = []

    def go_on(self) -> None:
        """Say what was held back."""
        held, self._held = self._held or [], None
        self._say(held)

    def _say(self, lines: Sequence[str]) -> None:
        for line in lines:
            self._screen.say(line)

    def _lines(self, event: Event) -> list[str]:
        state = self.progress.state
        said = [(name, words_of(state, event, name)) for name in _names(event)]
        self.progress.see(event)
        lines = [f"{name}: {words}{self._took(event)}" for name, words in said if words]
        return [*lines, *_of_run(event), *self._newly_skipped()]

    def _took(self, event: Event) -> str:
        if not isinstance(event, TaskSucceeded):
            return ""
        return f" in {seconds(max(0.0, event.at - self.progress.state.tasks[event.task].started))}"

    def _newly_skipped(self) -> list[str]:
        state = self.progress.state
        names = [n for n, task in state.tasks.items() if task.status is Status.SKIPPED and n not in self._skipped]
        self._skipped.update(names)
        return [f"{name}: skipped, because '{state.tasks[name].cause}' brought nothing" for name in names]


def _names(event: Event) -> list[str]:
    match event:
        case TasksAccepted():
            return [task.id for task in event.tasks]
        case PlanPatched():
            return [*(task.id for task in event.put), *event.drop]
        case ReplanRequested():
            return list(event.tasks)
        case _:
            return [] if event.task is None else [event.task]


def _of_run(event: Event) -> list[str]:
    match event:
        case PlanNoted():
            return [f"plan: {note}" for note in event.notes]
        case PlanRejected():
            return [f"plan refused: {problem}" for problem in event.problems]
        case PlanCompleted():
            return [f"{'plan' if problem.is_error else 'warning'}: {_said(problem)}" for problem in event.problems]
        case RunAborted():
            return [f"run stopped: {event.problem.message}"]
        case RunCancelling():
            return [f"run cancelled by {event.by}{f': {event.reason}' if event.reason else ''}"]
        case CallAbandoned():
            return [f"warning: {_said(event.problem)}"]
        case RunAdopted():
            return ["run taken up" if event.owner else "run let go"]
        case RunForked():
            return [f"run forked from {event.parent} at {event.place}"]
        case _:
            return []


def _said(problem: Problem) -> str:
    return str(problem) if problem.is_error else problem.line + (f" ({problem.remedy})" if problem.remedy else "")


def view_of(screen: Screen, progress: Progress, *, json: bool, quiet: bool) -> View:
    """Return the view that suits the screen."""
    if json:
        return JsonLines(screen, progress)
    if quiet:
        return Silent(progress)
    if screen.draws:
        from agentorch.cli.live import LiveTable

        return LiveTable(screen, progress, clock=time.time)
    return PlainLines(screen, progress)
