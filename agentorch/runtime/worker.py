"""The worker: long-lived slots that take work from the bus, run the agent, and send the result back.

1. A slot is started when work comes and none is idle or will look at it; it lives on and takes the next. What waits
   behind a body that does not end at once gets slots too: bodies that do share one. Nothing is started per task.
2. A result is sent before its work is acknowledged: a worker that dies in between makes the work come again.
3. Timeouts and withdrawals end the body by cancellation, once; one that does not end within its grace is abandoned. A
   slot that was cancelled while it had work, whoever did it, sends the result and gives way to a fresh one: nothing of
   it may reach the next task.
4. Whatever a body raises is a result; only KeyboardInterrupt and the worker's own end go through.
5. All work is answered, also what was withdrawn before it began and what came after its deadline.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from agentorch.core.failures import FailureKind
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Withdrawal, Work
from agentorch.ports.bus import Bus, Delivery
from agentorch.ports.clock import Clock, SystemClock
from agentorch.runtime.answers import Answer, Answers
from agentorch.runtime.backlog import Backlog
from agentorch.runtime.deadlines import Deadlines
from agentorch.runtime.job import GRACE, Job, crashed, ended
from agentorch.runtime.time_slice import TimeSlice

log = logging.getLogger(__name__)

BURST: Final = 50
"""Tasks that a slot runs without letting anybody else have the event loop."""
IDLE_SLOTS: Final = 64
"""Idle slots that are kept for what comes next."""

Execute = Callable[[Job], Result | Awaitable[Result]]
"""Runs the agent of a job, at once where its body ends at once; every failure but cancellation is a `Result`."""


class Worker:
    """Slots over one bus, for the agents that it can run."""

    def __init__(
        self,
        bus: Bus,
        *,
        agents: Sequence[str],
        execute: Execute,
        credit: int | None = None,
        clock: Clock | None = None,
        backlog: Backlog | None = None,
    ) -> None:
        self._answers = Answers(bus)
        self._execute = execute
        self._clock = clock or SystemClock()
        self._backlog = backlog or Backlog()
        self._queue = self._backlog.queue
        self._idle: list[asyncio.Future[None]] = []
        self._done: list[Answer] = []
        """Results of bodies that ended at once: the slot sends them, together, before it waits for anything."""
        self._coming = 0
        """Slots that will look at the queue without being told: just started, woken, pausing, or sending a result."""
        self._slice = TimeSlice()
        self._relieving = False
        """Whether it will be looked at whether something waits behind a body that did not end at once."""
        self._slots: set[asyncio.Task[None]] = set()
        self._jobs: dict[str, Job] = {}
        self._left: dict[str, Job] = {}
        """Jobs that are over and have left calls behind, by key: the end of their run stops these."""
        self._notices: set[asyncio.Task[bool]] = set()
        """Results that are being sent for bodies that were abandoned."""
        self._unsent: set[asyncio.Task[bool]] = set()
        """Results of other bodies that the bus had no room for."""
        self._unwanted: set[str] = set()
        """Keys in the queue that were withdrawn before a slot took them."""
        self._deadlines = Deadlines(self._jobs, self._expect_end)
        self._closing = False
        subjects = [f"task.{name}.*" for name in agents]
        self._subscription = bus.subscribe(subjects, self._accept, credit=credit, accept_all=self._accept_all)
        self._withdrawals = bus.listen("withdraw", self._hear)

    async def close(self) -> None:
        """Stop every slot; what they were doing is not acknowledged. A body that does not end is abandoned."""
        self._closing = True
        self._withdrawals.close()
        try:
            for task in (*self._slots, *self._unsent):
                task.cancel()
            calls = self._end_calls()
            if self._slots or calls:
                grace = max((job.work.terms.grace for job in self._jobs.values()), default=GRACE)
                _, stubborn = await asyncio.wait(self._slots | calls, timeout=grace)
                for job in [job for job in self._jobs.values() if job.slot in stubborn]:
                    _warn(job)
        finally:
            self._subscription.close()
            self._queue.clear()  # what was there has gone back to the bus
            self._deadlines.close()

    def _end_calls(self) -> "set[asyncio.Task[Any]]":
        """End the calls that other tasks than a slot make: of jobs under way, and left behind by others.

        A thread that is in a call through its context waits in it, and nobody else would end the call. It is waited
        for as the calls are: what it asks for next is refused as long as the loop runs, and waits for ever afterwards.
        """
        left: set[asyncio.Task[Any]] = set()
        for job in (*self._jobs.values(), *self._left.values()):
            left |= job.calls or set()
            job.stop_calls()
            if job.threads and job.cut_off:
                left.add(asyncio.ensure_future(job.threads_ended()))
        return left

    def _accept(self, delivery: Delivery) -> None:
        self._queue.append(delivery)
        coming = self._coming
        if not coming or (self._idle and len(self._queue) > coming):
            self._summon()

    def _accept_all(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self._accept(delivery)

    def _relieve(self) -> None:
        """Give what waits slots of its own: whoever has taken what stood before it has not come back."""
        self._relieving = False
        if not (self._coming or self._closing):
            for _ in range(len(self._queue)):
                self._summon()

    def _summon(self) -> None:
        """See to it that one more slot looks at the queue."""
        self._coming += 1
        while self._idle:
            waiter = self._idle.pop()
            if not waiter.done():
                waiter.set_result(None)
                return
        slot = asyncio.get_running_loop().create_task(self._serve(), name="agentorch slot")
        self._slots.add(slot)
        slot.add_done_callback(self._gone)

    def _gone(self, slot: "asyncio.Task[None]") -> None:
        self._slots.discard(slot)
        if not slot.cancelled() and (error := slot.exception()):
            log.debug("a slot ended, another takes its place", exc_info=error)
        if self._queue and not (self._coming or self._closing):
            self._summon()

    async def _serve(self) -> None:
        """Be a slot: take work until too many slots are idle, or until it is cancelled."""
        loop = asyncio.get_running_loop()
        slot = asyncio.current_task()
        assert slot is not None
        burst = 0
        self._coming -= 1
        while not self._closing:
            if not self._queue:
                if len(self._idle) >= IDLE_SLOTS:
                    return
                await self._wait_for_work(loop)
                burst = 0
                continue
            burst += 1
            if burst > BURST or self._slice.is_up():
                await self._pause()
                burst = 0
                continue
            delivery = self._queue.popleft()
            if self._queue:
                if not self._relieving:
                    self._relieving = True
                    loop.call_soon(self._relieve)
            elif self._backlog.held:
                self._backlog.held = False
                loop.call_soon(self._backlog.admit_more)
            rest = self._carry_out(delivery, slot)
            if self._done and (rest is not None or not self._queue):
                rest = self._sent_before(rest)
            if rest is not None and not await rest:
                return

    async def _wait_for_work(self, loop: asyncio.AbstractEventLoop) -> None:
        waiter: asyncio.Future[None] = loop.create_future()
        self._idle.append(waiter)
        try:
            await waiter
        finally:
            if not waiter.cancelled():
                self._coming -= 1

    async def _pause(self) -> None:
        """Send what has been done, let the others have the event loop, and come back."""
        if self._done and (sending := self._sent_before(None)):
            await sending
        self._coming += 1
        try:
            await asyncio.sleep(0)
        finally:
            self._coming -= 1

    def _carry_out(self, delivery: Delivery, slot: "asyncio.Task[None]") -> Awaitable[bool] | None:
        """Do one piece of work; where it does not end at once, return what does the rest."""
        envelope = delivery.envelope
        work = envelope.data
        assert isinstance(work, Work)
        if self._unwanted or envelope.deadline is not None:
            refused = self._refused(envelope, work)
            if refused is not None:
                return self._answers.send(delivery, refused)
        job = self._jobs[work.key] = Job(work, slot, self._deadlines.watch, delivery)
        try:
            came = self._execute(job)
        except Exception as error:  # noqa: BLE001  # as for what is awaited: the run must hear of it
            came = crashed(work.key, f"it raised {type(error).__name__}")
        if not isinstance(came, Result) or job.threads or job.timed_out or job.withdrawn or slot.cancelling():
            return self._carried_out(job, came)
        if job.services is not None or job.calls:
            self._end(job)
        else:  # as in most that end at once
            job.ended = True
            del self._jobs[work.key]
        if self._queue or self._done:
            self._done.append((delivery, came))
            return None
        return None if self._answered(delivery, came) else self._answers.send(delivery, came)

    async def _carried_out(self, job: Job, begun: Result | Awaitable[Result]) -> bool:
        """Wait for the end of what has begun, and answer; return whether the slot may take more work."""
        slot, key, delivery = job.slot, job.work.key, job.delivery
        assert delivery is not None
        cancelled = False
        try:
            came = begun if isinstance(begun, Result) else await begun
            result = None if job.threads and self._outlasts(job, came) else came
        except asyncio.CancelledError:
            if self._closing:
                raise
            cancelled = True
            await job.calls_ended()
            result = None if job.stopped and self._awaits_thread(job) else ended(job)
        except BaseException as error:  # the run must hear of it, whatever it is
            if not job.may_be_caught(error):
                raise
            result = crashed(key, f"it raised {type(error).__name__}")
        finally:
            self._end(job)
        if cancelled or job.timed_out or job.withdrawn or slot.cancelling():
            await self._give_way(slot, delivery, result)
            return False
        if result is not None and not self._answered(delivery, result):
            await self._answers.send(delivery, result)
        return True

    def _end(self, job: Job) -> None:
        """The body of a job is over."""
        job.ended = True
        if job.services is not None:
            job.let_go()
        if job.when_over is None:
            key, jobs = job.work.key, self._jobs
            if jobs.get(key) is job:
                del jobs[key]
        if job.calls:
            self._leave(job)

    async def _give_way(self, slot: "asyncio.Task[None]", delivery: Delivery, result: Result | None) -> None:
        """Send what there is to be said of a job whose slot was cancelled; the slot is not used again."""
        await self._forget_cancellation(slot)
        if result is not None:
            await self._answers.send(delivery, result)

    def _answered(self, delivery: Delivery, result: Result) -> bool:
        """Send a result if the bus takes it at once; the slot then looks at the queue."""
        self._coming += 1
        try:
            return self._answers.at_once(delivery, result)
        finally:
            self._coming -= 1

    def _sent_before(self, rest: Awaitable[bool] | None) -> Awaitable[bool] | None:
        """Send the results of the bodies that have ended; return what the slot waits for then."""
        left = self._answer_done()
        if not left:
            return rest
        # Beside the slot: that may be cancelled, for the body that it has or by one that it had.
        sending = asyncio.get_running_loop().create_task(self._answers.send_all(left))
        self._unsent.add(sending)
        sending.add_done_callback(self._unsent.discard)
        return self._room(sending) if rest is None else rest

    async def _room(self, sending: "asyncio.Task[bool]") -> bool:
        """Wait until the bus has taken what it had no room for: a slot must not go on without."""
        await asyncio.wait((sending,))
        return True

    def _answer_done(self) -> Sequence[Answer]:
        """Send the results of the bodies that have just ended; return those that the bus does not take at once."""
        done, self._done = self._done, []
        self._coming += 1
        try:
            return self._answers.together(done)
        finally:
            self._coming -= 1

    def _refused(self, envelope: Envelope, work: Work) -> Result | None:
        """Return why work is not begun, if it is not."""
        if self._unwanted and work.key in self._unwanted:
            self._unwanted.discard(work.key)
            return Result(work.key, kind=FailureKind.CANCELLED, problems=("it was withdrawn before it began",))
        if envelope.deadline is not None and (late := self._clock.now() - envelope.deadline) >= 0:
            problem = f"its deadline had passed by {late:.1f} s when a worker could take it"
            return Result(work.key, kind=FailureKind.BUDGET, problems=(problem,))
        return None

    def _outlasts(self, job: Job, result: Result) -> bool:
        """Whether a thread goes on behind a body that was stopped, and has not brought what it was asked for."""
        return job.stopped and (result.kind is not None or job.withdrawn) and self._awaits_thread(job)

    def _awaits_thread(self, job: Job) -> bool:
        """Whether something of a job that was stopped goes on in a thread, and may still end within its grace."""
        loop = asyncio.get_running_loop()

        def over() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self._over, job)

        job.when_over = over
        if not job.runs_on:
            job.when_over = None
        return job.when_over is not None

    def _over(self, job: Job) -> None:
        """The last thread has ended after its job was stopped, and in time."""
        if self._is_current(job) and not self._closing:
            self._give_up(job)

    def _leave(self, job: Job) -> None:
        self._left = {key: left for key, left in self._left.items() if left.calls}
        self._left[job.work.key] = job

    async def _forget_cancellation(self, slot: "asyncio.Task[None]") -> None:
        """Take back the cancellations that the body did not meet: they would hit the sending of its result."""
        while slot.cancelling():
            slot.uncancel()
        try:
            await asyncio.sleep(0)  # before Python 3.13 `uncancel` leaves a cancellation that is still to be delivered
        except asyncio.CancelledError:
            slot.uncancel()
        if self._closing:
            raise asyncio.CancelledError

    def _hear(self, envelope: Envelope) -> None:
        if not isinstance(envelope.data, Withdrawal):
            return
        key = envelope.data.key
        job = self._jobs.get(key)
        if job is not None:
            job.withdraw()
            self._expect_end(job)
        elif any(delivery.envelope.id == key for delivery in self._queue):
            self._unwanted.add(key)
        else:
            for left in [one for one in self._left.values() if one.work.terms.run_id == key]:
                left.stop_calls()

    def _expect_end(self, job: Job) -> None:
        """Give a body that was stopped its grace to end in."""
        asyncio.get_running_loop().call_later(job.work.terms.grace, self._abandon, job)

    def _abandon(self, job: Job) -> None:
        """Give a body up that did not end: say so to whoever waits, and go on without its slot."""
        if self._closing or not self._is_current(job):
            return
        _warn(job)
        job.abandoned = job.ended = True
        job.let_go()
        self._slots.discard(job.slot)
        self._give_up(job)

    def _give_up(self, job: Job) -> None:
        """Send the result of a body that no slot waits for."""
        del self._jobs[job.work.key]
        assert job.delivery is not None
        notice = asyncio.get_running_loop().create_task(self._answers.send(job.delivery, ended(job)))
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    def _is_current(self, job: Job) -> bool:
        return self._jobs.get(job.work.key) is job


def _warn(job: Job) -> None:
    log.warning(
        "%s: agent '%s' did not end within %g s of its cancellation and is abandoned",
        job.work.key, job.work.agent, job.work.terms.grace,
    )  # fmt: skip
