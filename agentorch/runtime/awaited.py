"""What a run waits for beside its tasks: a person, a check across tasks, a dispatch on its way to the bus.

1. A name is held by the work that was entered last under it: an earlier one that ends late lets nothing go.
2. Once a run is over its work is cancelled, and waited for no longer than the grace. What has not ended then is named.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from agentorch.core.failures import Code, Problem

_GOES_ON: Final = "could not be stopped: it goes on by itself, and nobody waits for it"


@dataclass(frozen=True, slots=True)
class _Entry:
    work: "asyncio.Task[None]"
    what: str
    task: str | None
    person: bool


class Awaited:
    """Work outside the tasks of one run, by name."""

    def __init__(self, on_end: Callable[[], None]) -> None:
        self._on_end = on_end
        """Called whenever one has ended, or is waited for no more."""
        self._entries: dict[str, _Entry] = {}
        self._over: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._entries)

    def waits(self, *, for_people: bool = True) -> bool:
        """Whether there is anything to wait for."""
        return any(for_people or not entry.person for entry in self._entries.values())

    def enter(
        self, name: str, work: "asyncio.Task[None]", what: str, *, task: str | None = None, person: bool = False
    ) -> None:
        """Wait for `work`; `what` names it, and `task` whom it concerns, should it not end."""
        self._entries[name] = entry = _Entry(work, what, task, person)
        work.add_done_callback(lambda _: self._ended(name, entry))

    def is_open(self, name: str) -> bool:
        """Whether there is work of that name that has not come to its end: it goes on, or was cancelled."""
        entry = self._entries.get(name)
        return entry is not None and not (entry.work.done() and not entry.work.cancelled())

    def take_back(self, name: str) -> bool:
        """Cancel the work of that name; False when there is none that can be."""
        entry = self._entries.get(name)
        return entry is not None and entry.work.cancel()

    def cancel(self) -> None:
        """Cancel everything."""
        for entry in self._entries.values():
            entry.work.cancel()

    def end(self, *, within: float, name: Callable[[Problem], object], over: Callable[[], None]) -> None:
        """Call `over` when all has ended, or `within` seconds have passed: then what has not is told to `name` first.

        Asked again it does nothing: each is stopped once.
        """
        if self._over is None:
            self._over = over
            self._timer = asyncio.get_running_loop().call_later(within, partial(self._give_up, name))

    def _give_up(self, name: Callable[[Problem], object]) -> None:
        entries, self._entries = self._entries, {}
        for entry in [entry for entry in entries.values() if not entry.work.done()]:
            name(Problem(Code.RUNS_ON, f"{entry.what} {_GOES_ON}", entry.task, "let it end when it is cancelled"))
        self._look()

    def _ended(self, name: str, entry: _Entry) -> None:
        if self._entries.get(name) is entry:
            del self._entries[name]
            self._look()

    def _look(self) -> None:
        if not self._entries and self._over is not None:
            over, self._over = self._over, None
            if self._timer is not None:
                self._timer.cancel()
            over()
        self._on_end()
