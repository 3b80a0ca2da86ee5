"""The scheduler, shared by all runs of the process: which run's ready task gets the next free slot.

1. Runs are ordered by arrival + class offset + WEIGHT * remaining work: whoever waits longer rises without re-keying.
2. Within a run its own order holds: longest remaining path first.
3. A free slot and an admissible ready task never coexist: `pump` runs after every change of either.
"""

import heapq
from collections.abc import Callable
from typing import Final

from agentorch.core.scheduling import next_ready
from agentorch.core.state import RunState
from agentorch.runtime.hosted import HostedRun

WEIGHT: Final = 10.0
"""Seconds of age that outweigh one second (or hop) of remaining work."""
BATCH_OFFSET: Final = 300.0
"""Seconds that a batch run stands behind an interactive one that came at the same time."""

SPARE: Final = 64
"""Places in the queue beyond two for each run before the outdated ones are taken out."""

AdmitTask = Callable[[HostedRun, str], None]


def behind(priority: str) -> float:
    """Return the seconds that a run, or a model call of it, stands behind interactive ones that came with it."""
    return BATCH_OFFSET if priority == "batch" else 0.0


class Scheduler:
    """Free slots on one side, runs with ready tasks on the other."""

    def __init__(self, slots: int, admit: AdmitTask) -> None:
        self._slots = slots
        self._admit = admit
        self._agent_slots: dict[str, int] = {}
        self._queue: list[tuple[float, int, int, HostedRun]] = []
        self._count = 0
        self._pumping = False
        self._active = 0
        self.runs: dict[str, HostedRun] = {}
        """The runs that are carried out here, by id."""

    def __len__(self) -> int:
        """Return how many places the queue has, outdated ones included."""
        return len(self._queue)

    def limit_agent(self, agent: str, slots: int) -> None:
        """Let at most `slots` tasks of the agent run at once, over all runs."""
        self._agent_slots[agent] = slots

    def enter(self, run: HostedRun) -> None:
        """Take a run in."""
        self.runs[run.state.run_id] = run
        if len(self.runs) == 2:  # noqa: PLR2004  # a single run needs no queue
            for one in self.runs.values():
                self.changed(one)

    def leave(self, run: HostedRun) -> None:
        """Take a run out."""
        self.runs.pop(run.state.run_id, None)
        self._active -= run.active
        run.active = 0
        run.entry += 1
        if len(self.runs) <= 1:
            self._queue.clear()

    def changed(self, run: HostedRun) -> None:
        """A run's state has moved: it may have ready tasks, or slots to give back."""
        state = run.state
        active = state.running - state.blocked
        self._active += active - run.active
        run.active = active
        if len(self.runs) > 1 and state.ready_count:
            self._place(run)

    def pump(self) -> None:
        """Admit until there is no free slot or no admissible task."""
        if self._pumping:
            return
        self._pumping = True
        try:
            while self._admit_one():
                pass
        finally:
            self._pumping = False

    def _admit_one(self) -> bool:
        if len(self.runs) == 1:
            (run,) = self.runs.values()
            return self._active < self._slots and self._admit_from(run)
        if self._active >= self._slots:
            return False
        skipped: list[HostedRun] = []
        admitted = False
        while self._queue and not admitted:
            _, _, entry, run = heapq.heappop(self._queue)
            if entry != run.entry:
                continue
            admitted = self._admit_from(run)
            if admitted:
                self._place(run)
            elif run.state.ready_count:
                skipped.append(run)
        for run in skipped:
            self._place(run)
        return admitted

    def _admit_from(self, run: HostedRun) -> bool:
        state = run.state
        if not state.ready_count or state.stopped is not None or state.cancelling is not None or run.lost is not None:
            return False
        if state.running - state.blocked >= state.policy.parallel:
            return False
        task = next_ready(state, self._busy())
        if task is None:
            return False
        self._admit(run, task)
        return True

    def _busy(self) -> frozenset[str]:
        if not self._agent_slots:
            return frozenset()
        full: set[str] = set()
        for agent, slots in self._agent_slots.items():
            if sum(_at_work(run.state, agent) for run in self.runs.values()) >= slots:
                full.add(agent)
        return frozenset(full)

    def _place(self, run: HostedRun) -> None:
        state = run.state
        run.entry += 1
        run.score = state.started + behind(state.priority) + state.open * state.usual_seconds * WEIGHT
        self._count += 1
        heapq.heappush(self._queue, (run.score, self._count, run.entry, run))
        if len(self._queue) > 2 * len(self.runs) + SPARE:
            self._queue = [place for place in self._queue if place[2] == place[3].entry]
            heapq.heapify(self._queue)


def _at_work(state: RunState, agent: str) -> int:
    return state.running_by_agent.get(agent, 0) - state.blocked_by_agent.get(agent, 0)
