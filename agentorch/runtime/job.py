"""A job: one dispatch in a slot, its clock, and how it ends.

1. Its body is cancelled once, by its timeout or by a withdrawal, whichever comes first. So is every call that is under
   way through its context, whatever task or thread makes it: from then on the context refuses.
2. A body that does not end within the grace of its policy is abandoned: its result is sent for it, its slot given up.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final

from agentorch.core.failures import FailureKind
from agentorch.core.policy import DEFAULT
from agentorch.core.usage import NOTHING, Usage
from agentorch.errors import PermanentError
from agentorch.messages.work import Result, Work
from agentorch.ports.bus import Delivery

GRACE: Final = DEFAULT.grace
"""Seconds that a body has to end in once it was stopped, where no policy says otherwise."""
GOES_ON: Final = ", and its body could not be stopped: it goes on by itself, and nobody waits for it"


class Job:
    """One dispatch in a slot."""

    __slots__ = (
        "_left", "_waits", "_watch", "calls", "deadline", "delivery", "ended", "runs_on", "slot", "timed_out", "used",
        "when_over", "withdrawn", "work",
    )  # fmt: skip

    def __init__(self, work: Work, slot: "asyncio.Task[None]", watch: "Callable[[Job, float], None]") -> None:
        self.work = work
        self.slot = slot
        self._watch = watch
        self._left = 0.0
        self._waits = 0
        self.deadline: float | None = None
        self.delivery: Delivery | None = None
        """What it came with, to be acknowledged."""
        self.timed_out = False
        self.withdrawn = False
        self.ended = False
        """Whether its body is over: what it has left behind may use the run no more."""
        self.runs_on = False
        """Whether its body goes on although it was stopped: a thread, or a body that takes no cancellation."""
        self.used: Usage = NOTHING
        """Model use of a body that was ended."""
        self.calls: set[asyncio.Task[Any]] | None = None
        """Calls through its context that other tasks than the slot make."""
        self.when_over: Callable[[], None] | None = None
        """To be called when a body that went on in its thread is over, from that thread."""

    def suspended(self) -> None:
        """Begin to watch the time: the body did not end at once. A body that does costs no timer."""
        if self.deadline is not None or self.work.timeout is None:
            return
        if self._waits:
            self._left, self.deadline = self.work.timeout, math.inf
        else:
            self._watch(self, self.work.timeout)

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

    def over(self) -> None:
        """The body has ended in its thread."""
        self.runs_on = False
        if (call := self.when_over) is not None:
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
        """Stop the clock while anything in the body waits for its turn or for a person: that time is not the task's."""
        self._waits += 1 if waiting else -1
        if self.deadline is None:
            return
        if waiting and self._waits == 1:
            self._left, self.deadline = self.deadline - asyncio.get_running_loop().time(), math.inf
        elif not self._waits and self.deadline == math.inf:
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
        return crashed(job.work.key, f"no result within {job.work.timeout:g} s{GOES_ON}", usage)
    problem = f"no result within {job.work.timeout:g} s; give the task a longer timeout, or a smaller objective"
    return Result(job.work.key, kind=FailureKind.TRANSIENT, problems=(problem,), usage=usage)


def crashed(key: str, problem: str, usage: Usage | None = None) -> Result:
    """Return the result of a body that broke."""
    return Result(key, kind=FailureKind.CRASH, problems=(problem,), usage=usage)
