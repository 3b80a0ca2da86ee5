"""The scheduler, shared by all runs of the process: which run's ready task gets the next free slot.

1. Runs are ordered by `standing`: arrival + class offset + WEIGHT * remaining work / slots: whoever waits longer rises
   without re-keying. Tasks of a run of which nothing is known are taken to be like those of the runs that have ended.
2. Within a run its own order holds: longest remaining path first.
3. A free slot and an admissible ready task never coexist: `pump` runs after every change of either, or of several
   together. None counts as free while the worker has more at hand than it can begin soon (`backlog.py`).
4. Who has waited, for a person or for what it called, has given its slot away, and goes on when one is free again:
   before those that are still to begin. Who holds a slot waits for nobody, so each comes free.
5. An admission costs the same however many runs and agents there are. A run that must wait for an agent is parked with
   that agent until one of its slots is free; a run that must wait for itself is out of the queue until it changes.
"""

import asyncio
import heapq
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Final

from agentorch.core.empties import own
from agentorch.core.scheduling import rank
from agentorch.core.state import RunState
from agentorch.runtime.backlog import Backlog
from agentorch.runtime.hosted import HostedRun

WEIGHT: Final = 4.0
"""Seconds of age that outweigh one second for which the remaining work would keep all slots at work."""
UNKNOWN: Final = 1.0
"""Seconds that a task is taken to need before any run has ended."""
BATCH_OFFSET: Final = 300.0
"""Seconds that a batch run stands behind an interactive one that came at the same time."""

AT_ONCE: Final = 64
"""Tasks of a run that are admitted before it is looked again whether its journal keeps up."""
SPARE: Final = 64
"""Places in the queue beyond two for each run before the outdated ones are taken out."""

Place = tuple[float, int, int, HostedRun]
"""A score, a number that breaks ties, the version of the run's place, the run."""
AdmitTasks = Callable[[HostedRun, Container[str], int], bool]
"""Admits the best ready tasks of a run whose agents are not in the container, so many at most; whether any was."""


@dataclass(frozen=True, slots=True)
class _Back:
    """A call that is over, in a dispatch that waits for a slot to go on in."""

    run: HostedRun
    key: str
    agent: str
    granted: asyncio.Future[None]


def behind(priority: str) -> float:
    """Return the seconds that a run, or a model call of it, stands behind interactive ones that came with it."""
    return BATCH_OFFSET if priority == "batch" else 0.0


def standing(arrival: float, seconds: float, slots: int, *, offset: float = 0.0, weight: float = WEIGHT) -> float:
    """Return where a run stands, the lowest first: `seconds` are what its open tasks are expected to take together."""
    return arrival + offset + weight * seconds / slots


class Scheduler:
    """Free slots on one side, runs with ready tasks on the other."""

    def __init__(self, slots: int, admit: AdmitTasks, backlog: Backlog | None = None) -> None:
        self.backlog = backlog or Backlog()
        self._slots = self._most = slots
        self._shared = slots
        """The slots that there are while it is open."""
        self._admit = admit
        self._agent_slots: dict[str, int] = {}
        self._at_work: dict[str, int] = {}
        """Tasks at work over all runs, of agents that have a limit."""
        self._full: set[str] = set()
        """Agents that have no slot left."""
        self._queue: list[Place] = []
        self._moved: list[HostedRun] = []
        """Runs with ready tasks that have changed since they were given a place, or have none."""
        self._parked: dict[str, list[Place]] = {}
        """Runs that wait for a slot of an agent."""
        self._back: list[_Back] = []
        """Who waits for a slot to go on in, in the order of coming."""
        self._count = 0
        self._pumping = False
        self._active = 0
        self._only: HostedRun | None = None
        """The run, where there is just one: there is no order to keep."""
        self._ended: tuple[int, float] = (0, 0.0)
        """Dispatches of the runs that have left, and their summed seconds."""
        self.runs: dict[str, HostedRun] = {}
        """The runs that are carried out here, by id."""

    def __len__(self) -> int:
        """Return how many places there are in the queue and the parks, outdated and coming ones included."""
        return len(self._queue) + len(self._moved) + sum(map(len, self._parked.values()))

    def close(self) -> None:
        """Admit nothing more."""
        self._slots = 0

    def limit_agent(self, agent: str, slots: int) -> None:
        """Let at most `slots` tasks of the agent run at once, over all runs."""
        self._agent_slots[agent] = slots
        for run in self.runs.values():
            self._recount(run, agent)

    def enter(self, run: HostedRun) -> None:
        """Take a run in."""
        self.runs[run.state.run_id] = run
        run.entered = True
        self._only = run if len(self.runs) == 1 else None
        run.state.moved.update(dict.fromkeys(run.state.running_by_agent))
        if len(self.runs) == 2:  # noqa: PLR2004  # a single run needs no queue
            for one in self.runs.values():
                self.changed(one)

    def leave(self, run: HostedRun) -> None:
        """Take a run out."""
        if self.runs.get(run.state.run_id) is not run:
            return
        del self.runs[run.state.run_id]
        run.entered = False
        self._only = next(iter(self.runs.values())) if len(self.runs) == 1 else None
        if self._back:
            for back in [back for back in self._back if back.run is run]:
                back.granted.cancel()
        self._displace(run)
        run.moved = False
        self._learn(run)
        self._active -= run.active
        run.active = 0
        if run.at_work:
            for agent in list(run.at_work):
                self._set(run, agent, 0)
            run.at_work.clear()
        if len(self.runs) <= 1:
            self._moved.clear()
            self._queue.clear()
            self._parked.clear()
            for one in self.runs.values():
                one.placed = one.moved = False

    def changed(self, run: HostedRun) -> None:
        """A run's state has moved: it may have ready tasks, or slots to give back."""
        if run.entered:
            self._count_slots(run)
            if self._only is None and run.state.ready_count:
                self._move(run)

    def _count_slots(self, run: HostedRun) -> None:
        """Count the slots that a run takes."""
        state = run.state
        active = self._active_of(run) if run.returning else state.running - state.blocked
        self._active += active - run.active
        run.active = active
        if self._agent_slots and state.moved:
            for agent in state.moved:
                if agent in self._agent_slots:
                    self._recount(run, agent)
            state.moved.clear()

    def pump(self) -> None:
        """Admit until there is no free slot or no admissible task."""
        if self._pumping:
            return
        self._pumping, self.backlog.held = True, False
        self._most = most = min(self._slots, self._active + self.backlog.most - len(self.backlog.queue))
        try:
            while True:
                if self._back and self._grant_one():
                    continue
                if self._active >= most:
                    self.backlog.held = most < self._slots
                    return
                only = self._only
                if only is None:
                    if not self._admit_first():
                        return
                elif not (only.state.ready_count and self._admit_from(only)):
                    return
        finally:
            self._pumping = False

    async def back(self, run: HostedRun, key: str, agent: str) -> None:
        """Wait for a slot in which a dispatch that has waited may go on.

        One that still waits for something has given its slot to that, and goes on beside it without one.
        """
        if self._needs_none(run, key) or (not self._back and self._has_room(run, agent, 0)):
            return
        back = _Back(run, key, agent, asyncio.get_running_loop().create_future())
        self._back.append(back)
        self._set_back(run, agent, key, waits=True)
        try:
            await back.granted
        finally:
            self._back.remove(back)
            if not any(one.run is run and one.key == key for one in self._back):
                self._set_back(run, agent, key, waits=False)

    def _set_back(self, run: HostedRun, agent: str, key: str, *, waits: bool) -> None:
        """Count a dispatch among those that take a slot, or no longer."""
        if waits is (key in run.returning):
            return
        if waits:
            own(run, "returning")[key] = agent
        else:
            del run.returning[key]
        if self.runs.get(run.state.run_id) is run:
            if agent in self._agent_slots:
                self._recount(run, agent)
            self.changed(run)
        self.pump()

    def _grant_one(self) -> bool:
        """Let the first one go on that finds room."""
        for back in self._back:
            run, key, agent = back.run, back.key, back.agent
            if key in run.returning and (self._needs_none(run, key) or self._has_room(run, agent, 1)):
                for one in self._back:
                    if one.run is run and one.key == key and not one.granted.done():
                        one.granted.set_result(None)
                self._set_back(run, agent, key, waits=False)
                return True
        return False

    def _needs_none(self, run: HostedRun, key: str) -> bool:
        task = run.state.of_key(key)
        return task is None or task.blocked

    def _has_room(self, run: HostedRun, agent: str, more: int) -> bool:
        """Whether `more` dispatches of the agent fit beside those that take a slot now."""
        if self._active + more > self._slots or self._active_of(run) + more > run.state.policy.parallel:
            return False
        return agent not in self._agent_slots or self._at_work.get(agent, 0) + more <= self._agent_slots[agent]

    def _active_of(self, run: HostedRun) -> int:
        at_work = run.state.running - run.state.blocked
        return at_work - self._returning(run) if run.returning else at_work

    def _returning(self, run: HostedRun, agent: str | None = None) -> int:
        """Count the dispatches, of an agent if one is named, that the state has at work and that wait for a slot."""
        waiting = (key for key, its in run.returning.items() if agent in (None, its))
        return sum(not self._needs_none(run, key) for key in waiting)

    def _admit_first(self) -> bool:
        """Admit tasks of the run that stands first; there are several."""
        if self._moved:
            alone = self._alone()
            if alone is not None:
                return self._admit_from(alone)
            self._place_moved()
        while self._queue or (self._parked and self._unpark_any()):
            _, _, entry, run = self._queue[0]
            if entry != run.entry:
                heapq.heappop(self._queue)
            elif self._admit_from(run):
                if not run.state.ready_count:
                    self._displace(run)
                return True
        return False

    def _alone(self) -> HostedRun | None:
        """Return the only run that wants slots, where there are as many as it has ready tasks: it needs no place."""
        if len(self._moved) > 1 or self._queue or self._parked or self._agent_slots:
            return None
        (run,) = self._moved
        if not run.entered or run.state.ready_count > min(self._most - self._active, AT_ONCE):
            return None
        run.moved = False
        self._moved.clear()
        return run

    def _admit_from(self, run: HostedRun) -> bool:
        """Admit tasks of the run; one that has none which may be admitted stands in the queue no more.

        That some are admitted changes nothing in where it stands: as many as there is room for are admitted at once.
        """
        state = run.state
        if not state.ready_count or state.stopped is not None or state.cancelling is not None or run.lost is not None:
            self._displace(run)
            return False
        room, its = self._most - self._active, state.policy.parallel - run.active
        if its < room:  # noqa: PLR1730  # `min` takes three times as long
            room = its
        if room > AT_ONCE:  # noqa: PLR1730
            room = AT_ONCE
        if room <= 0 or (run.queued and run.is_behind):
            self._displace(run)
            return False
        still_open = state.open
        try:
            if self._admit(run, self._full, 1 if self._agent_slots else room):
                self._count_slots(run)
                if state.open != still_open and self._only is None:  # one was not started, but has ended
                    self._move(run)
                return True
            self._displace(run)
            self._park(run)
        except Exception as error:  # noqa: BLE001  # whoever made room must not suffer for it
            run.break_down(error)
        return False

    def _recount(self, run: HostedRun, agent: str) -> None:
        state = run.state
        at_work = state.running_by_agent.get(agent, 0) - state.blocked_by_agent.get(agent, 0)
        self._set(run, agent, at_work - self._returning(run, agent))

    def _set(self, run: HostedRun, agent: str, at_work: int) -> None:
        """Count the tasks of an agent that are at work in a run; each slot that this frees is offered to one run."""
        freed = run.at_work.get(agent, 0) - at_work
        own(run, "at_work")[agent] = at_work
        self._at_work[agent] = self._at_work.get(agent, 0) - freed
        if self._at_work[agent] >= self._agent_slots[agent]:
            self._full.add(agent)
            return
        self._full.discard(agent)
        for _ in range(freed):
            self._unpark(agent)

    def _learn(self, run: HostedRun) -> None:
        """Take note of how long the tasks of a run took."""
        count, total = self._ended
        means = run.state.means.values()
        self._ended = (count + sum(one for one, _ in means), total + sum(seconds for _, seconds in means))

    def _usual_seconds(self, state: RunState) -> float:
        """Return what an open task of the run is expected to take."""
        if state.ranks_stale:
            rank(state)
        if state.usual_seconds is not None:
            return state.usual_seconds
        count, total = self._ended
        return total / count if count else UNKNOWN

    def _move(self, run: HostedRun) -> None:
        """See to it that the run is given a place anew."""
        if not run.moved:
            run.moved = True
            self._moved.append(run)

    def _place_moved(self) -> None:
        """Give the runs that have changed their places."""
        moved, self._moved = self._moved, []
        for run in moved:
            run.moved = False
            try:
                if run.entered and run.state.ready_count:
                    self._place(run)
            except Exception as error:  # noqa: BLE001  # as in `_admit_from`
                run.break_down(error)

    def _place(self, run: HostedRun) -> None:
        state = run.state
        seconds = state.open * self._usual_seconds(state)
        score = standing(state.started, seconds, self._shared, offset=behind(state.priority))
        if not run.placed or score != run.score:
            run.entry += 1
            run.placed, run.score = True, score
            self._queue = self._pushed(self._queue, run)

    def _displace(self, run: HostedRun) -> None:
        """Let a run's place, wherever it is, count no more."""
        run.entry += 1
        run.placed = False

    def _park(self, run: HostedRun) -> None:
        """Let a run wait for the agents that its ready tasks are for; a single run needs no park."""
        if len(self.runs) > 1:
            for agent in self._full:
                if run.state.ready.get(agent):
                    self._parked[agent] = self._pushed(self._parked.get(agent, []), run)

    def _unpark(self, agent: str) -> bool:
        """Bring the first run that waits for an agent back into the queue; return whether there is one."""
        parked = self._parked.get(agent, [])
        while parked:
            _, _, entry, run = heapq.heappop(parked)
            if entry == run.entry:
                self._place(run)
                return True
        self._parked.pop(agent, None)
        return False

    def _unpark_any(self) -> bool:
        offered = [self._unpark(agent) for agent in list(self._parked) if agent not in self._full]
        return any(offered)

    def _pushed(self, places: list[Place], run: HostedRun) -> list[Place]:
        self._count += 1
        heapq.heappush(places, (run.score, self._count, run.entry, run))
        if len(places) <= 2 * len(self.runs) + SPARE:
            return places
        places = [place for place in places if place[2] == place[3].entry]
        heapq.heapify(places)
        return places
