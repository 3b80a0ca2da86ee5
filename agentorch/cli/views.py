"""What is shown of a run while it goes on: nothing, plain lines, JSON lines, or a table that lives."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from agentorch.cli.progress import Progress
from agentorch.cli.screen import Screen
from agentorch.cli.words import seconds
from agentorch.core.events import Event, PlanNoted, PlanRejected, TasksAccepted, TaskSucceeded
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


class JsonLines(Silent):
    """Writes every event on stdout as a line of JSON."""

    def show(self, event: Event) -> None:
        """Write it."""
        super().show(event)
        sys.stdout.write(event.model_dump_json() + "\n")
        sys.stdout.flush()


class PlainLines(Silent):
    """Writes what happens on stderr, a line each."""

    def __init__(self, screen: Screen, progress: Progress) -> None:
        super().__init__(progress)
        self._screen = screen
        self._skipped: set[str] = set()

    def show(self, event: Event) -> None:
        """Write what the event means."""
        for line in self._lines(event):
            self._screen.say(line)

    def _lines(self, event: Event) -> list[str]:
        state = self.progress.state
        names = [task.id for task in event.tasks] if isinstance(event, TasksAccepted) else [event.task]
        said = [(name, words_of(state, event, name)) for name in names if name is not None]
        self.progress.see(event)
        lines = [f"{name}: {words}{self._took(event)}" for name, words in said if words]
        if isinstance(event, PlanNoted):
            lines += [f"plan: {note}" for note in event.notes]
        if isinstance(event, PlanRejected):
            lines += [f"plan refused: {problem}" for problem in event.problems]
        return [*lines, *self._newly_skipped()]

    def _took(self, event: Event) -> str:
        if not isinstance(event, TaskSucceeded):
            return ""
        return f" in {seconds(max(0.0, event.at - self.progress.state.tasks[event.task].started))}"

    def _newly_skipped(self) -> list[str]:
        state = self.progress.state
        names = [n for n, task in state.tasks.items() if task.status is Status.SKIPPED and n not in self._skipped]
        self._skipped.update(names)
        return [f"{name}: skipped, because '{state.tasks[name].cause}' brought nothing" for name in names]


def view_of(screen: Screen, progress: Progress, *, json: bool, quiet: bool) -> View:
    """Return the view that suits the screen."""
    if json:
        return JsonLines(progress)
    if quiet:
        return Silent(progress)
    if screen.draws:
        from agentorch.cli.live import LiveTable

        return LiveTable(screen, progress, clock=time.time)
    return PlainLines(screen, progress)
