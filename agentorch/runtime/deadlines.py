"""When jobs are over their time: one timer for all of them, set for the first."""

import asyncio
import heapq
import math
from collections.abc import Callable, Mapping
from typing import Final

from agentorch.runtime.job import Job

SPARE: Final = 50
"""Entries of jobs that are over, beside one for each that is not, before these are taken out."""


class Deadlines:
    """Ends the jobs of a worker whose time is up."""

    def __init__(self, jobs: Mapping[str, Job], stopped: Callable[[Job], None]) -> None:
        """`jobs` are those under way, by key; `stopped` hears of each that was ended."""
        self._jobs = jobs
        self._stopped = stopped
        self._entries: list[tuple[float, int, Job]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def close(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()

    def watch(self, job: Job, seconds: float) -> None:
        """End a job in so many seconds, if it is still under way then and its clock has not stood still."""
        loop = asyncio.get_running_loop()
        job.deadline = loop.time() + seconds
        if len(self._entries) > 2 * len(self._jobs) + SPARE:
            self._entries = [entry for entry in self._entries if self._is_under_way(entry[2])]
            heapq.heapify(self._entries)
        self._count += 1
        heapq.heappush(self._entries, (job.deadline, self._count, job))
        if self._timer is None or job.deadline < self._timer.when():
            self._set_timer(loop, job.deadline)

    def _set_timer(self, loop: asyncio.AbstractEventLoop, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(when, self._look)

    def _look(self) -> None:
        """End what is over its time, and look again at the next deadline."""
        loop = asyncio.get_running_loop()
        self._timer = None
        while self._entries:
            entered, _, job = self._entries[0]
            if not self._is_under_way(job) or job.deadline is None:
                heapq.heappop(self._entries)
            elif job.deadline <= loop.time():
                heapq.heappop(self._entries)
                job.time_out()
                self._stopped(job)
            elif job.deadline == math.inf:
                heapq.heappop(self._entries)  # its clock stands still; it comes again
            elif job.deadline > entered:
                self._count += 1
                heapq.heapreplace(self._entries, (job.deadline, self._count, job))
            else:
                self._set_timer(loop, job.deadline)
                return

    def _is_under_way(self, job: Job) -> bool:
        return self._jobs.get(job.work.key) is job
