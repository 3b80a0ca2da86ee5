"""What a second terminal asks of a run's owner: is it obeyed, and what is known of the owner when it is not?

1. Who asked, and who answered what, the journal's events tell; a request that has left the inbox and brought no event
   was refused.
2. An owner whose heartbeat stands still is frozen, or its machine is; after 10 s of that it counts as gone.
"""

import getpass
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

import anyio

from agentorch.cli.progress import Progress
from agentorch.core.events import RequestAnswered
from agentorch.core.state import RunState
from agentorch.errors import ConfigurationError
from agentorch.ports.journal import Inbox, Journal, KnowsOwners, Request

_PATIENCE: Final = 5.0
"""Seconds to wait for the owner of a run to do what was asked."""
_LOOK: Final = 0.05


class Heard(Enum):
    """What became of a request."""

    OBEYED = auto()
    REFUSED = auto()
    """It was taken out of the inbox, and nothing came of it."""
    BUSY = auto()
    """The owner lives, and has not got to it."""
    STILL = auto()
    """The owner's process is there, and does not move."""
    GONE = auto()
    """The owner has ended, or has stood still for so long that it counts as dead."""


class Reading:
    """A run as the journal has it, read on as it grows."""

    def __init__(self, journal: Journal, run_id: str) -> None:
        self.journal = journal
        self._progress = Progress(run_id)
        self.answered: dict[str, RequestAnswered] = {}
        """Who has answered what, by request id."""

    @property
    def state(self) -> RunState:
        """The run, as far as it was read."""
        return self._progress.state

    @property
    def owner_lives(self) -> bool:
        """Whether somebody carries the run out."""
        return isinstance(self.journal, KnowsOwners) and self.journal.is_alive(self.state.owner)

    async def catch_up(self) -> None:
        """Read what is there."""
        while page := await self.journal.read(self.state.run_id, after=self.state.seq):
            for event in page:
                self._progress.see(event)
                if isinstance(event, RequestAnswered):
                    self.answered[event.request_id] = event

    def _beat(self) -> int | None:
        return self.journal.beat(self.state.owner) if isinstance(self.journal, KnowsOwners) else None

    async def heard(self, asked: int, done: Callable[[RunState], bool], *, to_the_end: bool = False) -> Heard:
        """Wait until the owner has done what was `asked`; with `to_the_end`, for as long as it may only be frozen."""
        began, first = time.monotonic(), self._beat()
        while True:
            left = any(request.id == asked for request in await inbox_of(self.journal).requests(after=asked - 1))
            await self.catch_up()
            if done(self.state):
                return Heard.OBEYED
            if not left:
                return Heard.REFUSED
            if not self.owner_lives:
                return Heard.GONE
            moves = self._beat() != first
            if time.monotonic() - began > _PATIENCE and (moves or not to_the_end):
                return Heard.BUSY if moves else Heard.STILL
            await anyio.sleep(_LOOK)


async def waiting_answers(journal: Journal, run_id: str) -> dict[str, Request]:
    """Return the answers of a run that nobody has taken out of the inbox yet, the first for each request of it."""
    found: dict[str, Request] = {}
    if isinstance(journal, Inbox):
        for request in await journal.requests():
            if request.run_id == run_id and request.kind == "answer":
                found.setdefault(str(request.payload.get("request_id")), request)
    return found


def inbox_of(journal: Journal) -> Inbox:
    """Return where requests are left; ConfigurationError where there is no such place."""
    if not isinstance(journal, Inbox):
        raise ConfigurationError("this journal takes no requests: act in the process that carries the run out")
    return journal


def me() -> str:
    """Return who sits here."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "user"
