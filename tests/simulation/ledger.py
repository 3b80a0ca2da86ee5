"""What must hold of each event as it becomes durable, counted by hand: it knows nothing of the engine's own state.

1. A key is issued once, a task has one dispatch at a time, and an outcome answers the dispatch that its task has.
2. A patch withdraws the tasks that it changes, and may withdraw what depends on them.
3. When a task starts, the run has a place for it: whoever waits for a task of his own, or for a person, takes none.
4. Nothing starts once the run is being stopped, and nothing but what came late follows its last word.
"""

from collections.abc import Callable, Iterable
from typing import Final

from agentorch.core import events as ev

_LATE: Final = (ev.OutcomeLate, ev.UsageAdded, ev.EffectDone, ev.EffectVoided, ev.StepFinished, ev.RunFinished)


class Ledger:
    """Of one run."""

    def __init__(self, wrong: Callable[[str], None]) -> None:
        self._wrong = wrong
        self._seq = 0
        self._parallel = 0
        self._needs: dict[str, tuple[str, ...]] = {}
        self.issued: set[str] = set()
        """Keys of all dispatches so far."""
        self._running: dict[str, str] = {}
        """Tasks at work and their keys."""
        self._doubtful: set[str] = set()
        """Those of them that a patch may have withdrawn."""
        self._callers: dict[str, str] = {}
        """Delegated tasks that are open, and the tasks that wait for them."""
        self._asked: dict[str, str] = {}
        """Open questions of tasks at work, by request."""
        self._by_hand: str | None = None
        """The task whose output a person has just given."""
        self._stopping = False
        self._over = False

    def enter(self, event: ev.Event) -> None:
        """Take in the next durable event."""
        self._seq += 1
        if event.seq != self._seq:
            self._wrong(f"event {event.seq} is durable where {self._seq} is due")
        if self._over and not isinstance(event, _LATE):
            self._wrong(f"{event.type} follows the last word")
        match event:
            case ev.RunStarted():
                self._parallel = event.policy.parallel
            case ev.TasksAccepted():
                self._needs.update((task.id, task.needs) for task in event.tasks)
            case ev.PlanPatched():
                self._patched(event)
            case ev.RunCancelling() | ev.RunAborted():
                self._stopping = True
            case ev.RunFinished():
                self._finished()
            case _:
                self._enter_task(event)

    def _enter_task(self, event: ev.Event) -> None:
        match event:
            case ev.TaskStarted():
                self._started(event)
            case ev.TaskSucceeded() | ev.AttemptFailed():
                self._answered(event)
            case ev.TaskFailed() | ev.TaskCancelled():
                self._end(event.task)
            case ev.TaskDelegated():
                self._callers[event.task] = event.caller.split("/")[1]
            case ev.RequestOpened() if event.key is not None and event.task is not None:
                self._asked[event.request_id] = event.task
            case ev.RequestAnswered():
                self._asked.pop(event.request_id, None)
                self._by_hand = event.task
            case _:
                pass

    def _started(self, event: ev.TaskStarted) -> None:
        if event.key in self.issued:
            self._wrong(f"{event.key} was started twice")
        if event.task in self._running and event.task not in self._doubtful:
            self._wrong(f"{event.key} was started while {self._running[event.task]} ran")
        if self._stopping:
            self._wrong(f"{event.key} was started while the run was being stopped")
        waiting = {*self._callers.values(), *self._asked.values(), *self._doubtful}
        at_work = [name for name in self._running if name not in waiting]
        if len(at_work) >= self._parallel:
            self._wrong(f"{event.key} was started while {len(at_work)} were at work, {self._parallel} may be")
        self.issued.add(event.key)
        self._running[event.task] = event.key
        self._doubtful.discard(event.task)

    def _answered(self, event: ev.TaskSucceeded | ev.AttemptFailed) -> None:
        given = isinstance(event, ev.TaskSucceeded) and event.task == self._by_hand and event.task not in self._running
        if self._running.get(event.task) != event.key and not given:
            self._wrong(f"{event.type} for {event.key}, but {self._running.get(event.task, 'nothing')} is under way")
        if isinstance(event, ev.TaskSucceeded):
            self._end(event.task)
        else:
            self._leave(event.task)

    def _end(self, name: str) -> None:
        self._leave(name)
        self._callers.pop(name, None)

    def _leave(self, name: str) -> None:
        self._running.pop(name, None)
        self._doubtful.discard(name)
        self._asked = {request: task for request, task in self._asked.items() if task != name}

    def _patched(self, event: ev.PlanPatched) -> None:
        changed = {*event.drop, *(task.id for task in event.put)}
        self._needs.update((task.id, task.needs) for task in event.put)
        reached = self._below(changed)
        for child, caller in list(self._callers.items()):
            if caller in changed:
                self._end(child)
            elif caller in reached:
                reached.add(child)
        for name in changed:
            self._leave(name)
        self._doubtful |= (reached - changed) & self._running.keys()

    def _below(self, names: Iterable[str]) -> set[str]:
        """Return these tasks and all that depend on them."""
        reached, size = set(names), 0
        while size != len(reached):
            size = len(reached)
            reached |= {name for name, needs in self._needs.items() if not reached.isdisjoint(needs)}
        return reached

    def _finished(self) -> None:
        if self._over:
            self._wrong("the run has finished twice")
        certain = self._running.keys() - self._doubtful
        if certain:
            self._wrong(f"the run has finished while {sorted(certain)} ran")
        self._over = True
