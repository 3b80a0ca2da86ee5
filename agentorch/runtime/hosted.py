"""A run that this process carries out: its state, its feed, and what waits for it."""

import asyncio
import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar, Final, Protocol

from agentorch.core.empties import LIST, NONE, SET
from agentorch.core.events import Event, RunAdopted, RunStopped
from agentorch.core.failures import Problem
from agentorch.core.state import RunState
from agentorch.errors import AgentorchError, JournalError
from agentorch.messages.work import Terms
from agentorch.ports.journal import Inbox, Journal
from agentorch.runtime.awaited import Awaited
from agentorch.runtime.dispatching import terms_of
from agentorch.runtime.feed import Feed
from agentorch.runtime.standing import Standing

log = logging.getLogger(__name__)

BEHIND: Final = 256
"""Events that may be decided while an append is under way before nothing more is begun."""
NOBODY: Final = ""
"""The owner of a run that a process has let go of while it lives."""


class Keeper(Protocol):
    """Who carries runs out."""

    def on_loss(self, run: "HostedRun") -> None:
        """Let a run go that is lost."""
        ...

    def give_up(self, run: "HostedRun", problem: str) -> None:
        """Let a run go that cannot go on, and have its journal say so."""
        ...

    def caught_up(self, run: "HostedRun") -> None:
        """Go on with a run that was held back for its journal."""
        ...


@dataclass(slots=True, eq=False, repr=False)
class HostedRun:
    """The supervisor's hold on one run.

    The state may run ahead of the journal by what is queued; readers and whoever waits for the end see only what is
    durable. When the journal refuses an append the run is lost to this process: `lost` says why.
    """

    state: RunState
    _journal: Journal
    _keeper: Keeper | None = None
    feed: Feed = field(init=False)
    read_only: ClassVar[bool] = False
    """Whether somebody else carries it out."""
    accepted: bool = False
    """Whether its first event here is durable: before that nothing is started for it."""
    lost: AgentorchError | None = None
    """Why nothing more is written for it by this process."""

    decided: list[Event] = field(default_factory=LIST)
    """Events that are applied and not yet given to the journal."""
    queued: int = 0
    """Appends that are not durable yet."""
    committing: bool = False
    """Whether it will commit at the end of this turn of the event loop."""
    written: "asyncio.Future[None] | None" = None
    """When the last words of a run that was let go are in the journal, or cannot be; None when there are none."""
    _told: int = field(init=False)
    """The last event that the journal was given."""
    _last: "asyncio.Future[None] | None" = None
    _held_back: bool = False
    _calls_when_durable: list[Callable[[], None]] | None = None

    terms: Terms | None = None
    """What holds for a dispatch without policies of its own, once one was made."""
    out: set[str] = field(default_factory=SET)
    """Dispatches that were handed to the bus, or are on their way to it, and have not been answered."""
    stopping: dict[str, None] = NONE
    """Dispatches that were withdrawn and have not ended yet, as far as anybody has heard."""
    flying: int = 0
    """Calls with effects that are under way: while there are some, their receipts are waited for."""
    calls: dict[str, list[asyncio.Future[None]]] = NONE
    """Who waits for a delegated task, by its id."""
    lines: dict[str, asyncio.Lock] = NONE
    """Where model calls wait for budget, one behind the other: for each account, by its task; "" is the run's."""
    settlement: "asyncio.Future[None] | None" = None
    """Who waits for something more to be decided; None while nobody does."""
    standing: Standing | None = None
    """Which dispatches stand still; None while none has asked for anything."""
    questions: dict[str, asyncio.Future[object]] = NONE
    """Which running dispatches wait for a person's answer, by request id."""
    timers: dict[str, asyncio.TimerHandle] = NONE
    planning: "asyncio.Task[None] | None" = None
    asking: Awaited | None = None
    """Requests that are being shown to a person, checks across tasks, and dispatches that wait for the bus."""
    _waiting: "tuple[asyncio.Future[None], ...]" = ()
    """Who waits until it is at rest."""

    entered: bool = False
    """Whether the scheduler knows of it."""
    score: float = 0.0
    entry: int = 0
    """Version of the run's place in the scheduler."""
    placed: bool = False
    """Whether that place is in the queue, under its score."""
    moved: bool = False
    """Whether it is to be given a place anew."""
    active: int = 0
    """Slots that the run takes, as the scheduler counts them."""
    at_work: dict[str, int] = NONE
    """The slots that it takes for each agent of which only so many may be at work."""
    returning: dict[str, str] = NONE
    """Dispatches that have waited and now wait for a slot to go on in, with their agents."""

    def __post_init__(self) -> None:
        self.feed = Feed(self.state.run_id, self._journal)
        self._told = self.state.seq

    def awaited(self) -> Awaited:
        """Return where work beside the tasks is entered."""
        if self.asking is None:
            self.asking = Awaited(self.settle)
        return self.asking

    @property
    def is_behind(self) -> bool:
        """Whether so much was decided while the journal writes that it is waited for before more is begun.

        What is not durable is held in memory, and is what a killed process has done for nothing.
        """
        if not self.queued or len(self.decided) < BEHIND:
            return False
        self._held_back = True
        return True

    def usual_terms(self) -> Terms:
        """Return what holds for a dispatch without policies of its own."""
        self.terms = terms_of(self.state, self.state.policy)
        return self.terms

    def commit(self) -> None:
        """Queue what was decided since the last commit as one append; show it once it is durable.

        One append is under way at a time: behind one that was refused, because another owner has written, the next one
        could fall into place.
        """
        events = self.decided
        if not events or (self.queued and self.lost is None):
            return
        self.decided = []
        if self.lost is not None:
            return
        try:
            future = self._journal.append(self.state.run_id, events, after=events[0].seq - 1)
        except Exception as error:  # noqa: BLE001  # a journal may be anybody's: whoever waits must hear of it
            self.lose(error if isinstance(error, AgentorchError) else JournalError(f"the journal failed: {error}"))
            return
        self._last, self._told = future, events[-1].seq
        calls, self._calls_when_durable = self._calls_when_durable or (), None
        if future.done():
            for call in calls:
                call()
            if future.exception() is None:
                self.feed.publish(events)
                return
        else:
            for call in calls:
                self._when(future, call)
        self.queued += 1
        future.add_done_callback(partial(self._committed, events))

    def _committed(self, events: Sequence[Event], future: "asyncio.Future[None]") -> None:
        self.queued -= 1
        error = None if future.cancelled() else future.exception()
        if error is None:
            self.feed.publish(events)
            self.commit()
            if self._held_back and self._keeper is not None:
                self._held_back = False
                self._keeper.caught_up(self)
        else:
            self.lose(error if isinstance(error, AgentorchError) else JournalError(str(error)))
        if not self.queued:
            self.settle()

    def commit_last(self) -> None:
        """Queue what was decided, though nobody will hear what becomes of it: the run is let go."""
        events, last = self.decided, self._last
        if not (self.queued and events) or last is None:
            self.commit()
            return
        self.decided = []
        self._write_behind(last, events)

    def _write_behind(self, last: "asyncio.Future[None]", events: Sequence[Event]) -> None:
        """Append when the last append is durable, whatever has become of the run here; `written` says when that is."""
        self.written = written = asyncio.get_running_loop().create_future()

        def over(future: "asyncio.Future[None] | None" = None) -> None:
            if future is not None and not future.cancelled():
                future.exception()  # nobody waits for it: the loop need not complain
            if not written.done():
                written.set_result(None)

        def append() -> None:
            if last.cancelled() or last.exception() is not None:
                over()
                return
            try:
                future = self._journal.append(self.state.run_id, events, after=events[0].seq - 1)
            except Exception:  # noqa: BLE001  # it takes no more: what is durable can be resumed
                over()
            else:
                future.add_done_callback(over)

        self._when(last, append)

    def lose(self, error: AgentorchError) -> None:
        """Nothing more is written for the run by this process: tell everybody who waits for it why."""
        if self.lost is not None:
            return
        self.lost = error
        self.settled()
        self.drop_timers()
        for waiter in [*self.questions.values(), *(one for waiters in self.calls.values() for one in waiters)]:
            waiter.cancel()
        self.feed.end()
        self.settle()
        if self._keeper is not None:
            self._keeper.on_loss(self)

    def break_down(self, error: Exception) -> None:
        """Lose the run by an error that it cannot go on after."""
        log.error("run %s cannot go on", self.state.run_id, exc_info=error)
        words = f"it cannot go on: {type(error).__name__}: {error}"
        if self._keeper is not None:
            self._keeper.give_up(self, words)
        else:
            self.lose(AgentorchError(f"run {self.state.run_id}: {words}"))

    @contextmanager
    def or_lost(self) -> Generator[None]:
        """Lose the run by whatever is raised inside: for places where nobody else would hear of it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # whatever it was, the run must not wait in silence
            self.break_down(error)

    def disown(self, at: float, problem: Problem) -> None:
        """Have the journal say that a lost run is nobody's and stands still, once all that it was given is durable.

        It says so of the run as it was given, whatever has become of the state here; or not, when it takes no more.
        """
        run_id, told, last = self.state.run_id, self._told, self._last
        adopted = RunAdopted(seq=told + 1, at=at, run_id=run_id, owner=NOBODY)
        stopped = RunStopped(seq=told + 2, at=at, run_id=run_id, problem=problem)

        if last is not None:
            self._write_behind(last, [adopted, stopped])

    def has_left(self, key: str) -> bool:
        """Whether a dispatch that is out has left this process's hands."""
        return self.asking is None or not self.asking.is_open(key)

    def when_durable(self, call: Callable[[], None]) -> None:
        """Call once everything decided so far is durable, or refused; never, when the run is lost before that."""
        if self.decided:
            if self._calls_when_durable is None:
                self._calls_when_durable = []
            self._calls_when_durable.append(call)
        elif self._last is not None:
            self._when(self._last, call)
        else:
            call()

    def _when(self, future: "asyncio.Future[None]", call: Callable[[], None]) -> None:
        if future.done():
            call()
        else:
            future.add_done_callback(lambda _: call())

    def asked(self, request: int) -> None:
        """A request was left for the run's owner. One that is carried out here looks for them by itself."""

    @property
    def at_rest(self) -> bool:
        """Whether nothing more will happen here until somebody acts, and all of it is durable.

        Where a run was stopped, the person who is being asked is one who has to act.
        """
        if self.lost is not None:
            return True
        if not self.state.idle or self.queued or self.decided or self.stopping:
            return False
        if self.asking is None:
            return True
        return not self.asking.waits(for_people=self.state.finished or self.state.stopped is None)

    def settle(self) -> None:
        """Tell whoever waits, when the run is at rest."""
        if self._waiting and self.at_rest:
            waiting, self._waiting = self._waiting, ()
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)

    async def rest(self) -> None:
        """Wait until the run is at rest; raise what lost it."""
        while not self.at_rest:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting = (*self._waiting, waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._waiting = tuple(one for one in self._waiting if one is not waiter)
                raise
        if self.lost is not None:
            raise self.lost

    async def next_settlement(self) -> None:
        """Wait until something more has been decided: a call that was under way may have been settled."""
        if self.settlement is None or self.settlement.done():
            self.settlement = asyncio.get_running_loop().create_future()
        await asyncio.shield(self.settlement)  # others may wait too
        if self.lost is not None:
            raise self.lost

    def heard(self, events: Sequence[Event]) -> None:
        """Let those know what was decided who wait for it."""
        if self.standing is not None:
            self.standing.heard(events)
        if self.settlement is not None:
            self.settled()

    def settled(self) -> None:
        """Let the call go on that waits for budget, if one does."""
        if self.settlement is not None and not self.settlement.done():
            self.settlement.set_result(None)

    def deliver(self, task: str) -> None:
        """Tell whoever waits for a delegated task that it is final."""
        for waiter in self.calls.pop(task, ()):
            if not waiter.done():
                waiter.set_result(None)

    @property
    def inbox(self) -> Inbox | None:
        """Where requests for the run's owner are left; None where the journal has no such place."""
        return self._journal if isinstance(self._journal, Inbox) else None

    async def durable(self) -> None:
        """Wait until everything decided so far is durable; raise what lost the run."""
        seq = self.state.seq
        while True:
            self.commit()
            if self.lost is not None:
                raise self.lost  # what came before may be durable; this is not
            told = self._told
            if self._last is not None:
                await asyncio.shield(self._last)
            if told >= seq:
                return
            await asyncio.sleep(0)  # what is durable is seen to, and the next append is queued

    def drop_timers(self) -> None:
        """Stop everything of this run that waits for time, for a planner or for a person."""
        for timer in self.timers.values():
            timer.cancel()
        self.timers.clear()
        if self.planning is not None:
            self.planning.cancel()
        if self.asking is not None:
            self.asking.cancel()
