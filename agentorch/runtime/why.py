"""Why a task stands as it does: the chain of causes, out of the journal alone.

1. Pure: the same events give the same lines, on any machine and with any team.
2. Every line names the event (`seq`) that it rests on.
3. The first line says how the task stands; below it, deeper by one, stands what made it so, down to the first cause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agentorch.core.apply import apply
from agentorch.core.events import Event, RunStopped, TaskCancelled, TaskEvent, TaskFailed, TaskSucceeded
from agentorch.core.nearest import did_you_mean
from agentorch.core.state import FINAL, RunState, Status, TaskState
from agentorch.errors import ConfigurationError
from agentorch.runtime.why_standing import conclusion
from agentorch.runtime.why_words import words_of

_LAST_WORDS: Final = (TaskSucceeded, TaskFailed, TaskCancelled)
"""Events that the conclusion repeats."""


@dataclass(frozen=True, slots=True)
class Line:
    """One statement, and the event that it rests on."""

    seq: int
    text: str
    depth: int = 0
    """How far down the chain of causes."""


def explain(events: Sequence[Event], task: str) -> list[Line]:
    """Return why `task` stands as it does after `events`: the journal of one run, from its first event on.

    ConfigurationError for a task that the run never had.
    """
    end = RunState(events[0].run_id if events else "")
    for event in events:
        apply(end, event)
    chain = _chain(end, task)
    walk = _Walk(end.run_id, chain)
    for event in events:
        walk.step(event)
    lines: list[Line] = []
    for depth, name in enumerate(chain):
        seq = walk.decided_at(end, name)
        lines.append(Line(seq, conclusion(end, name, reason=walk.reasons.get(name)), depth))
        if name in {chain[0], chain[-1]}:
            lines += [Line(at, text, depth + 1) for at, text, last in walk.told[name] if not (last and at == seq)]
    return lines


def _chain(state: RunState, task: str) -> list[str]:
    """Return the task, what it waits for or was skipped for, and so on down to the first cause."""
    chain = [_known(state, task)]
    while True:
        following = _cause(state, state.tasks.get(chain[-1]))
        if following is None or following in chain:
            return chain
        chain.append(following)


def _known(state: RunState, task: str) -> str:
    if task in state.tasks or any(old.task.id == task for _, old in state.retired):
        return task
    hint = did_you_mean(task, state.tasks.keys()) or f"it has {len(state.tasks)} tasks"
    raise ConfigurationError(f"run {state.run_id} has no task {task!r}; {hint}")


def _cause(state: RunState, task: TaskState | None) -> str | None:
    if task is None:
        return None
    if task.status is Status.SKIPPED:
        return task.cause
    if task.status is Status.PENDING:
        unfinished = [name for name in task.task.needs if state.tasks[name].status not in FINAL]
        waiting = [name for name in unfinished if state.tasks[name].status is not Status.PENDING]
        return next(iter(waiting or unfinished), None)
    return None


class _Walk:
    """A second reading of the journal, with an eye on the tasks of the chain."""

    def __init__(self, run_id: str, names: Sequence[str]) -> None:
        self._state = RunState(run_id)
        self._changed = dict.fromkeys(names, 0)
        self._stopped = 0
        self.told: dict[str, list[tuple[int, str, bool]]] = {name: [] for name in names}
        """Per task: seq, words, and whether they are last words."""
        self.reasons: dict[str, str] = {}
        """Why a task was cancelled."""

    def step(self, event: Event) -> None:
        """Say what `event` means for each of the tasks."""
        state = self._state
        said = {name: words_of(state, event, name) for name in self.told}
        before = {name: _standing(state, name) for name in self.told}
        apply(state, event)
        state.gained.clear()
        if isinstance(event, RunStopped):
            self._stopped = event.seq
        elif isinstance(event, TaskCancelled):
            self.reasons[event.task] = event.reason
        for name, words in said.items():
            after = _standing(state, name)
            if after != before[name]:
                self._changed[name] = event.seq
            told = words or (self._made_ready(event) if _became_ready(before[name], after) else None)
            if told is not None:
                self.told[name].append((event.seq, told, isinstance(event, _LAST_WORDS)))

    def _made_ready(self, event: Event) -> str | None:
        if not isinstance(event, TaskEvent):
            return None
        return f"ready: '{event.task}' {self._state.tasks[event.task].status}"

    def decided_at(self, end: RunState, name: str) -> int:
        """Return the seq of the event that made the task stand as it does."""
        task = end.tasks.get(name)
        if task is not None and task.status is Status.READY and end.stopped is not None:
            return self._stopped
        return self._changed[name]


_Standing = tuple[int, Status | None, str | None]


def _became_ready(before: _Standing, after: _Standing) -> bool:
    return before[1] is Status.PENDING and after[1] is Status.READY


def _standing(state: RunState, name: str) -> _Standing:
    task = state.tasks.get(name)
    return (0, None, None) if task is None else (task.revision, task.status, task.waiting)
