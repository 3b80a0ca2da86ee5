"""A job: one dispatch in a slot, its clock, and how it ends.

1. Its body is cancelled once, by its timeout or by a withdrawal, whichever comes first. So is every call that is under
   way through its context, whatever task or thread makes it: from then on the context refuses.
2. A body that does not end within the grace of its policy is abandoned: its result is sent for it, its slot given up.
3. Its clock stands still while the body itself waits, for its turn or for a person: in the call, or for tasks of which
   each waits in such a call. A body that goes on beside such a call is at work. One in a thread, or in a process of its
   own, is not seen: it is taken to wait in the calls that it makes.
"""

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from agentorch.core.failures import FailureKind
from agentorch.core.policy import DEFAULT
from agentorch.core.usage import NOTHING, Usage
from agentorch.errors import PermanentError
from agentorch.messages.work import Result, Work
from agentorch.ports.bus import Delivery
from agentorch.runtime.awaiting import only_awaits
from agentorch.threads import Threads

GRACE: Final = DEFAULT.grace
"""Seconds that a body has to end in once it was stopped, where no policy says otherwise."""
TO_END: Final = 0.8
"""The part of a task's grace for which a call with an effect is waited for, when it is stopped or closed."""
_FEW: Final = 50
"""Calls that a body makes side by side and that are looked at whenever anything of them may have changed."""
_A_LOOK: Final = 2e-5
"""Seconds between two looks for each of more calls than those: however many there are, looking costs little."""
GOES_ON: Final = ", and its body could not be stopped: it goes on by itself, and nobody waits for it"


class Job:
    """One dispatch in a slot."""

    __slots__ = (
        "_left", "_looking", "_most", "_waits", "_watch", "_watches", "abandoned", "calls", "cut_off", "deadline",
        "delivery", "ended", "services", "slot", "stands", "threads", "timed_out", "turned", "unseen", "used",
        "when_over", "withdrawn", "work",
    )  # fmt: skip

    def __init__(
        self,
        work: Work,
        slot: "asyncio.Task[None]",
        watch: "Callable[[Job, float], None]",
        delivery: Delivery | None = None,
    ) -> None:
        self.work = work
        self.slot = slot
        self._watch = watch
        self.delivery = delivery
        """What it came with, to be acknowledged."""
        self.threads: Threads | None = None
        """Its body's thread, and those of its tools, checks, probes and steps."""
        self.used: Usage = NOTHING
        """Model use that no step tells: calls that brought no answer."""
        self.services: Any = None
        """What its agent is given of the run, once it was asked for."""
        self.calls: set[asyncio.Task[Any]] | None = None
        """Calls through its context that other tasks than the slot make."""
        self.deadline: float | None = None
        self.turned: Callable[[], None] | None = None
        """To be called when its clock may have begun to stand still, or to go on."""
        self.when_over: Callable[[], None] | None = None
        """To be called when the last thread that went on is over, from that thread."""
        self.stands = self.unseen = self.timed_out = self.withdrawn = False
        """Whether its clock stands still; whether its body is in a thread, or in a process of its own."""
        self.ended = self.abandoned = self.cut_off = False
        """Whether its body is over: its context refuses, and its clock turns no more; whether its grace was up before
        that; whether calls of other tasks were stopped: a thread may have waited in one."""
        self._left = 0.0
        self._looking = False
        self._most = 0
        """The most tasks that there were to look at."""
        self._waits: dict[asyncio.Task[Any], int] | None = None
        self._watches: set[asyncio.Task[Any]] | None = None

    @property
    def _waiting(self) -> "dict[asyncio.Task[Any], int]":
        """Tasks that are in a call which waits, with how many such calls; the slot's own is one of them."""
        if self._waits is None:
            self._waits = {}
        return self._waits

    @property
    def _watched(self) -> "set[asyncio.Task[Any]]":
        """Tasks beside those: when they end, the body may do nothing but wait."""
        if self._watches is None:
            self._watches = set()
        return self._watches

    @property
    def runs_on(self) -> bool:
        """Whether something of it goes on although it was stopped: a thread, or a body that takes no cancellation."""
        return self.abandoned or bool(self.threads)

    def own_threads(self) -> Threads:
        """Return what its threads are begun under."""
        if self.threads is None:
            self.threads = Threads(self._over)
        return self.threads

    def suspended(self) -> None:
        """Begin to watch the time: the body did not end at once. A body that does costs no timer."""
        if self.deadline is not None or self.work.terms.timeout is None:
            return
        if self.stands:
            self._left, self.deadline = self.work.terms.timeout, math.inf
        else:
            self._watch(self, self.work.terms.timeout)

    def let_go(self) -> None:
        """Hold on to nothing more: its body is over."""
        self.services = self.turned = None  # they hold on to it

    @property
    def stopped(self) -> bool:
        """Whether its slot was cancelled for it."""
        return self.timed_out or self.withdrawn

    def withdraw(self) -> None:
        """End the body: nobody waits for it any more."""
        if not self.stopped:
            self._stop()
        self.withdrawn = True

    def time_out(self) -> None:
        """End the body: its time is up."""
        if not self.stopped:
            self.timed_out = True
            self._stop()

    def _stop(self) -> None:
        self.slot.cancel()
        self.stop_calls()

    def stop_calls(self) -> None:
        """Cancel the calls that are under way through its context beside the body."""
        for call in tuple(self.calls or ()):
            call.cancel()
            self.cut_off = True

    async def calls_ended(self) -> None:
        """Wait until the calls that were stopped with the body are over: what they have used is the task's."""
        if self.stopped and self.calls:
            await asyncio.wait(tuple(self.calls))

    async def threads_ended(self) -> None:
        """Wait until no thread of it goes on, as long as may be: calls with effects have had most of the grace."""
        if self.threads is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout((1 - TO_END) * self.work.terms.grace):
                    await self.threads.ended()

    def _over(self) -> None:
        """One of its threads has ended."""
        if not self.threads and (call := self.when_over) is not None:
            call()

    def check(self) -> None:
        """Raise when its context may not be used: CancelledError after it was stopped, PermanentError after its end."""
        if self.withdrawn or self.timed_out:
            raise asyncio.CancelledError(f"{self.work.key} was stopped")
        if self.ended:
            raise PermanentError(f"{self.work.key} has ended: its context cannot be used any more")

    def may_be_caught(self, error: BaseException) -> bool:
        """Whether what came out of the body is the body's own, and not the end of the program or of the slot."""
        if isinstance(error, KeyboardInterrupt):
            return False
        if not isinstance(error, GeneratorExit):
            return True
        try:
            return asyncio.current_task() is self.slot
        except RuntimeError:  # no loop runs: the slot's coroutine is thrown away
            return False

    def wait_for_turn(self, waiting: bool) -> None:
        """Take note that a call of the current task begins to wait, for its turn or for a person, or has ceased to."""
        task = asyncio.current_task()
        assert task is not None
        self.wait_in(task, waiting)

    def wait_in(self, task: "asyncio.Task[Any]", waiting: bool) -> None:
        """Take note that a call which `task` makes begins to wait, or has ceased to."""
        count = self._waiting.get(task, 0) + (1 if waiting else -1)
        if count:
            self._waiting[task] = count
        else:
            self._waiting.pop(task, None)
        self._most = max(self._most, len(self._waiting) + len(self._watched))
        if self._most > _FEW:
            self._look_soon()
        else:
            self._look()

    def call_waits(self) -> Callable[[bool], None]:
        """Return what takes note, for a call of the current task, whether it stands still."""
        task, noted = asyncio.current_task(), False
        assert task is not None

        def take_note(waits: bool) -> None:
            nonlocal noted
            if waits is not noted:
                noted = waits
                self.wait_in(task, waits)

        return take_note

    def went_on(self) -> None:
        """Look again, once the body has made a step: it may have done so beside what waits."""
        if self._most and self._waiting:
            self._look_soon()

    def _look_soon(self, ended: "asyncio.Task[Any] | None" = None) -> None:
        if ended is not None:
            self._watched.discard(ended)
        if not self._looking:
            self._looking = True
            loop = asyncio.get_running_loop()
            if self._most > _FEW:
                loop.call_later(self._most * _A_LOOK, self._look)
            else:
                loop.call_soon(self._look)

    def _look(self) -> None:
        """Stop the clock, or let it go on: that for which the body waits is not its time."""
        self._looking = False
        if self.ended:
            return
        stands = bool(self._waiting) and (self.unseen or only_awaits(self.slot, self._waiting, self._watch_end))
        if stands is not self.stands:
            self.stands = stands
            self._turn()
        if self.turned is not None:
            self.turned()

    def _watch_end(self, task: "asyncio.Task[Any]") -> None:
        if task is not self.slot and task not in self._watched:
            self._watched.add(task)
            task.add_done_callback(self._look_soon)

    def _turn(self) -> None:
        if self.deadline is None or self.stopped or self.ended:
            return
        if self.stands:
            self._left, self.deadline = self.deadline - asyncio.get_running_loop().time(), math.inf
        elif self.deadline == math.inf:
            self._watch(self, self._left)


def ended(job: Job) -> Result:
    """Return what is to be said of a job whose body was stopped."""
    usage = None if job.used is NOTHING else job.used
    if job.withdrawn:
        problem = f"it was withdrawn{GOES_ON if job.runs_on else ''}"
        return Result(job.work.key, kind=FailureKind.CANCELLED, problems=(problem,), usage=usage, runs_on=job.runs_on)
    if not job.timed_out:
        return crashed(job.work.key, "the agent cancelled its own task", usage)
    if job.runs_on:
        # No next dispatch of the attempt: each would add one more that cannot be stopped.
        return crashed(job.work.key, f"no result within {job.work.terms.timeout:g} s{GOES_ON}", usage)
    problem = f"no result within {job.work.terms.timeout:g} s; give the task a longer timeout, or a smaller objective"
    return Result(job.work.key, kind=FailureKind.TRANSIENT, problems=(problem,), usage=usage)


def crashed(key: str, problem: str, usage: Usage | None = None) -> Result:
    """Return the result of a body that broke."""
    return Result(key, kind=FailureKind.CRASH, problems=(problem,), usage=usage)
