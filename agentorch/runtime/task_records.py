"""The records of an outcome's tasks, made when they are looked at."""

from collections.abc import Iterator, Mapping

from agentorch.core.records import TaskRecord, records_of
from agentorch.core.state import RunState


class Records(Mapping[str, TaskRecord]):
    """By task, in plan order, what each delegated below it.

    Of a finished run nothing changes any more in what they say, so most are never made. Of one that only rests they are
    made at once: it may go on.
    """

    def __init__(self, state: RunState) -> None:
        self._state: RunState | None = state
        self._made: dict[str, TaskRecord] = {}
        if not state.finished:
            self._all()

    def _all(self) -> dict[str, TaskRecord]:
        state, self._state = self._state, None
        if state is not None:
            self._made = {record.task: record for record in records_of(state, state.updated)}
        return self._made

    def __getitem__(self, task: str) -> TaskRecord:
        """Return how a task went; KeyError for one that is not there."""
        return self._all()[task]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
