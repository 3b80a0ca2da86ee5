"""The worker: long-lived slots that take work from the bus, run the agent, and send the result back.

1. A slot is started when work comes and none is idle; it lives on and takes the next. Nothing is started per task.
2. A result is sent before its work is acknowledged: a worker that dies in between makes the work come again.
3. Timeouts and withdrawals end the body by cancellation; the slot survives it.
"""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from agentorch.core.failures import FailureKind
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import Result, Withdrawal, Work
from agentorch.ports.bus import Bus, Delivery

BURST: Final = 50
"""Tasks that a slot runs without letting anybody else have the event loop."""
IDLE_SLOTS: Final = 64
"""Idle slots that are kept for what comes next."""


class Job:
    """One dispatch in a slot."""

    __slots__ = ("_left", "_watch", "deadline", "slot", "timed_out", "withdrawn", "work")

    def __init__(self, work: Work, slot: "asyncio.Task[None]", watch: "Callable[[Job, float], None]") -> None:
        self.work = work
        self.slot = slot
        self._watch = watch
        self._left = 0.0
        self.deadline: float | None = None
        self.timed_out = False
        self.withdrawn = False

    def suspended(self) -> None:
        """Begin to watch the time: the body did not end at once. A body that does costs no timer."""
        if self.deadline is None and self.work.timeout is not None:
            self._watch(self, self.work.timeout)

    def wait_for_turn(self, waiting: bool) -> None:
        """Stop the clock while a model call waits for its turn: that time is not the task's."""
        if self.deadline is None:
            return
        now = asyncio.get_running_loop().time()
        if waiting:
            self._left, self.deadline = self.deadline - now, math.inf
        elif self.deadline == math.inf:
            self._watch(self, self._left)


Execute = Callable[[Job], Awaitable[Result]]
"""Runs the agent of a job; every failure but cancellation is a `Result`."""


class Worker:
    """Slots over one bus, for the agents that it can run."""

    def __init__(self, bus: Bus, *, agents: Sequence[str], execute: Execute, credit: int | None = None) -> None:
        self._bus = bus
        self._execute = execute
        self._queue: deque[Delivery] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._coming = 0
        """Slots that will look at the queue without being told: just started, woken, or sending a result."""
        self._slots: set[asyncio.Task[None]] = set()
        self._jobs: dict[str, Job] = {}
        self._deadlines: list[tuple[float, int, Job]] = []
        self._watch: asyncio.TimerHandle | None = None
        self._count = 0
        self._subscription = bus.subscribe([f"task.{name}.*" for name in agents], self._accept, credit=credit)
        self._withdrawals = bus.listen("withdraw", self._hear)

    async def close(self) -> None:
        """Stop every slot; what they were doing is not acknowledged."""
        self._withdrawals.close()
        for task in self._slots:
            task.cancel()
        if self._slots:
            await asyncio.wait(self._slots)
        self._subscription.close()
        if self._watch is not None:
            self._watch.cancel()

    def _accept(self, delivery: Delivery) -> None:
        self._queue.append(delivery)
        if len(self._queue) <= self._coming:
            return
        self._coming += 1
        while self._idle:
            waiter = self._idle.pop()
            if not waiter.done():
                waiter.set_result(None)
                return
        slot = asyncio.get_running_loop().create_task(self._serve(), name="agentorch slot")
        self._slots.add(slot)
        slot.add_done_callback(self._slots.discard)

    async def _serve(self) -> None:
        """Be a slot: take work until too many slots are idle."""
        loop = asyncio.get_running_loop()
        slot = asyncio.current_task()
        assert slot is not None
        burst = 0
        self._coming -= 1
        while True:
            if self._queue:
                burst += 1
                if burst == BURST:
                    burst = 0
                    await asyncio.sleep(0)
                    continue
                await self._carry_out(self._queue.popleft(), slot)
                continue
            if len(self._idle) >= IDLE_SLOTS:
                return
            burst = 0
            waiter: asyncio.Future[None] = loop.create_future()
            self._idle.append(waiter)
            await waiter
            self._coming -= 1

    async def _carry_out(self, delivery: Delivery, slot: "asyncio.Task[None]") -> None:
        work = delivery.envelope.data
        assert isinstance(work, Work)
        job = Job(work, slot, self._watch_deadline)
        self._jobs[work.key] = job
        try:
            result = await self._execute(job)
        except asyncio.CancelledError:
            if not (job.timed_out or job.withdrawn):
                raise
            result = _ended(job)
        finally:
            if slot.cancelling() and (job.timed_out or job.withdrawn):
                slot.uncancel()
            self._jobs.pop(work.key, None)
        envelope = Envelope(f"outcome.{delivery.envelope.source}", result, id=work.key)
        self._coming += 1
        try:
            if not self._bus.offer(envelope):
                await self._bus.publish(envelope)
        finally:
            self._coming -= 1
        delivery.ack()

    def _hear(self, envelope: Envelope) -> None:
        if isinstance(envelope.data, Withdrawal):
            job = self._jobs.get(envelope.data.key)
            if job is not None and not job.withdrawn:
                job.withdrawn = True
                job.slot.cancel()

    def _watch_deadline(self, job: Job, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        job.deadline = loop.time() + seconds
        if len(self._deadlines) > 2 * len(self._jobs) + BURST:
            self._deadlines = [entry for entry in self._deadlines if self._is_current(entry[2])]
            heapq.heapify(self._deadlines)
        self._count += 1
        heapq.heappush(self._deadlines, (job.deadline, self._count, job))
        if self._watch is None or job.deadline < self._watch.when():
            self._set_watch(loop, job.deadline)

    def _set_watch(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = loop.call_at(when, self._look)

    def _look(self) -> None:
        """End what is over its time, and look again at the next deadline."""
        loop = asyncio.get_running_loop()
        self._watch = None
        while self._deadlines:
            _, _, job = self._deadlines[0]
            if not self._is_current(job) or job.deadline is None:
                heapq.heappop(self._deadlines)
            elif job.deadline <= loop.time():
                heapq.heappop(self._deadlines)
                job.timed_out = True
                job.slot.cancel()
            elif job.deadline == math.inf:
                heapq.heappop(self._deadlines)  # its clock stands still; it comes again
            elif job.deadline > self._deadlines[0][0]:
                self._count += 1
                heapq.heapreplace(self._deadlines, (job.deadline, self._count, job))
            else:
                self._set_watch(loop, job.deadline)
                return

    def _is_current(self, job: Job) -> bool:
        return self._jobs.get(job.work.key) is job


def _ended(job: Job) -> Result:
    if job.withdrawn:
        return Result(job.work.key, kind=FailureKind.CANCELLED, problems=("it was withdrawn",))
    problem = f"no result within {job.work.timeout:g} s; give the task a longer timeout, or a smaller objective"
    return Result(job.work.key, kind=FailureKind.TRANSIENT, problems=(problem,))
