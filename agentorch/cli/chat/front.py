"""What a chat is held through: a terminal, or lines in a pipe."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

from agentorch.cli.carrying import Carried
from agentorch.cli.screen import Screen
from agentorch.registry import Registry
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.run import Run

Begin = Callable[[Orchestrator], Awaitable[Run]]
"""Starts or takes up a run."""


class Beside(Protocol):
    """What a front asks while a run goes on."""

    verbose: bool
    """Whether everything that happens is told."""

    def is_beside(self, line: str) -> bool:
        """Whether a line is a command that is obeyed while a run goes on, or refused at once."""
        ...

    async def obey_beside(self, line: str, carried: Carried) -> None:
        """Obey such a command."""
        ...

    @property
    def registry(self) -> Registry:
        """The team."""
        ...


class Front(Protocol):
    """Reads what is typed, shows what is said, carries a run out in sight."""

    screen: Screen

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        ...

    async def typed(self) -> str | None:
        """Return the next thing that is typed; None when there will be nothing more."""
        ...

    def put_back(self, text: str) -> None:
        """Let what was typed be mended, where that can be."""
        ...

    async def edit(self, text: str, *, suffix: str) -> str | None:
        """Let the person edit `text` in their editor; None where there is none."""
        ...

    async def carry(self, orchestrator: Orchestrator, begin: Begin, beside: Beside) -> Carried:
        """Carry a run out to where nothing more happens by itself, or until it is stopped."""
        ...
