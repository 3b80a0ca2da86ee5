"""How soon a long run is running again after its process was killed, and how many bytes each task of it takes.

    python -m tests.faults.restart

A process carries out so many tasks and is killed while the last one runs. Another takes the run up: the time counts
from `resume` to the moment at which the body of that last task begins again, with reading, checking and replaying the
journal in between. The figures go to the standard output as JSON.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from agentorch import Orchestrator, Plan, agent
from tests.faults.kills import wait_for

SIZES = (100, 1_000, 10_000)
CHAIN = 50


@dataclass(frozen=True, slots=True)
class Restart:
    """One run's figures."""

    tasks: int
    """Finished before the kill."""
    events: int
    bytes_per_task: float
    """Of the journal's file, closed, over what an empty one takes."""
    seconds: float
    """From `resume` to the last task's body, median of three."""
    cpu: float
    """Seconds of the processor in that time, by the same process: what a machine with nothing else to do needs."""


@agent(description="Adds one.")
async def adder(number: int) -> int:
    return number + 1


_begun: list[asyncio.Event] = []
"""Set when the last task begins; while it is empty, that one kills the process."""


@agent(description="Is the last.")
async def last() -> str:
    if not _begun:
        await asyncio.sleep(0.5)  # what was decided before it is on the disk by then
        os.kill(os.getpid(), signal.SIGKILL)
    _begun[-1].set()
    await asyncio.Event().wait()
    return ""


def plan(tasks: int) -> Plan:
    """Return chains of fifty tasks, and a last one behind all of them."""
    plan = Plan("a long run", answer="$last")
    ends: list[str] = []
    for chain in range(tasks // CHAIN):
        number: object = chain
        for step in range(CHAIN):
            number = plan.add(f"c{chain}-{step}", agent="adder", inputs={"number": number})
        ends.append(f"c{chain}-{CHAIN - 1}")
    plan.add("last", agent="last", needs=ends)
    return plan


async def begin(place: Path, tasks: int) -> None:
    """Carry out all but the last task, and be killed in that."""
    _begun.clear()
    async with Orchestrator([adder, last], journal=place) as orchestrator:
        await orchestrator.run(plan(tasks), key="long")


async def go_on(place: Path) -> tuple[float, float]:
    """Take the run up; return the seconds until its last task runs, and those of the processor. It is left there."""
    running = asyncio.Event()
    _begun.append(running)
    async with Orchestrator([adder, last], journal=place) as orchestrator:
        (record,) = [record async for record in orchestrator.runs()]
        begun, used = time.perf_counter(), time.process_time()
        run = await orchestrator.take_up(record.run_id)
        await running.wait()
        times = time.perf_counter() - begun, time.process_time() - used
        assert run.status == "running"
    return times


def measure(tasks: int, *, times: int = 3) -> Restart:
    """Return the figures of a run of so many finished tasks."""
    with tempfile.TemporaryDirectory(prefix="agentorch-restart-") as name:
        place = Path(name) / "runs.db"
        child = os.fork()
        if not child:
            asyncio.run(begin(place, tasks))
            os._exit(1)
        if not wait_for(child, patience=300):
            raise AssertionError("the process ended before it was killed")
        seconds, cpu = map(statistics.median, zip(*(asyncio.run(go_on(place)) for _ in range(times)), strict=True))
        size = place.stat().st_size
        events = asyncio.run(_head(place))
    return Restart(tasks, events, round((size - _empty()) / tasks, 1), round(seconds, 3), round(cpu, 3))


async def _head(place: Path) -> int:
    async with Orchestrator([adder], journal=place) as orchestrator:
        (record,) = [record async for record in orchestrator.runs()]
    return record.head


def _empty() -> int:
    async def make(place: Path) -> None:
        async with Orchestrator([adder], journal=place):
            pass

    with tempfile.TemporaryDirectory(prefix="agentorch-restart-") as name:
        place = Path(name) / "runs.db"
        asyncio.run(make(place))
        return place.stat().st_size


def main(arguments: list[str]) -> int:
    """Measure, tell, and return 1 when 10,000 tasks take a second or more."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.restart")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help=f"finished tasks, multiples of {CHAIN}")
    figures = [measure(tasks) for tasks in parser.parse_args(arguments).sizes]
    sys.stdout.write(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
    return int(any(figure.seconds >= 1 for figure in figures))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
