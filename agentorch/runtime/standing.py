"""Who stands still in a run: dispatches that wait, and callers that wait for what stands still.

1. What a task has delegated stands still while it waits for a slot, for the budget or for a person, and while the clock
   of its own dispatch does. A caller that waits for nothing else stands still too, and so on up.
2. Where the journal would have it that a dispatch waits for a person, and its body goes on beside that, it is told.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from agentorch.core import inbox
from agentorch.core.events import Event
from agentorch.core.state import RunState, Status, TaskState
from agentorch.core.task_time import waits_for_others

_STANDS: Final = frozenset({"approval", "person", "effect", "budget"})
"""What a task waits for that is not its caller's time. A back-off is: something was tried."""

Tell = Callable[[bool], None]


class Standing:
    """The dispatches of one run whose clocks stand still, and the callers that follow what they delegated."""

    def __init__(self, state: RunState, send: Callable[[inbox.Message], object], now: Callable[[], float]) -> None:
        self._state = state
        self._send = send
        self._now = now
        self._still: set[str] = set()
        self._callers: dict[str, list[Tell]] = {}
        """Who waits for a delegated task, by its id; each is told whether it stands still."""
        self._checking: set[str] = set()

    def follow(self, name: str, tell: Tell) -> None:
        """Tell a caller whether the task `name` stands still, now and whenever that may have changed."""
        self._callers.setdefault(name, []).append(tell)
        self.look(name)

    def leave(self, name: str, tell: Tell) -> None:
        """Tell a caller no more."""
        tell(False)
        self._callers[name].remove(tell)
        if not self._callers[name]:
            del self._callers[name]

    def heard(self, events: Sequence[Event]) -> None:
        """Look at the tasks to which something has happened and which somebody has called."""
        if self._callers:
            for name in {event.task for event in events if event.task in self._callers}:
                self.look(name or "")

    def look(self, name: str) -> None:
        """Tell the callers of a task whether it stands still."""
        task = self._state.tasks.get(name)
        still = task is not None and self._stands(task)
        for tell in tuple(self._callers.get(name, ())):
            tell(still)

    def turn(self, key: str, *, still: bool) -> None:
        """The clock of a dispatch may have begun to stand still, or to go on."""
        if still is not (key in self._still):
            (self._still.add if still else self._still.discard)(key)
            self.look(key.split("/", 2)[1])
        if key not in self._checking:
            self._checking.add(key)
            asyncio.get_running_loop().call_soon(self._check, key)

    def _stands(self, task: TaskState) -> bool:
        if task.status is Status.WAITING:
            return task.waiting in _STANDS
        if task.status is Status.RUNNING:
            return self._state.key_of(task) in self._still
        return task.status is Status.READY

    def _check(self, key: str) -> None:
        """See to it that the journal knows whether the body of a dispatch goes on beside what waits for a person.

        A turn of the event loop later: several calls that are begun side by side are not yet all begun at the first.
        """
        self._checking.discard(key)
        task = self._state.of_key(key)
        if task is None:
            self._still.discard(key)
        elif task.works and key in self._still:
            self._send(inbox.GoOn(self._now(), key, waits=True))
        elif key not in self._still and waits_for_others(self._state, task):
            self._send(inbox.GoOn(self._now(), key))
