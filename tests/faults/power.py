"""Cuts the power in the middle of runs: what was acknowledged must be there when it comes back.

    python -m tests.faults.power --cuts 20

A process carries a run out on a disk of its own and says of each event that it was told: that is the acknowledgement.
At some moment the disk loses its power and the process is killed. The disk is switched on again, the journal read
and checked, and the run resumed to its end. The figures go to the standard output as JSON, for both durabilities.

What counts as acknowledged is what was heard of before the ioctl began. A `fdatasync` that is under way when it comes
returns 0 although ext4 drops what it was to write: a bare loop of pwrite and fdatasync shows it, without a journal.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import sys
import traceback
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agentorch import Orchestrator, Plan, agent
from agentorch.errors import JournalError
from agentorch.journal import reader
from agentorch.journal.schema import Durability
from tests.faults.disk import Disk, disk, missing
from tests.faults.kills import wait_for

TASKS = 800
"""Tasks of a run; in twenty chains, so that there is always something to do."""


@dataclass(slots=True)
class Cuts:
    """The figures of many cuts with one durability."""

    durability: Durability
    cuts: int = 0
    acknowledged: int = 0
    """Events that somebody had been told of when the power went."""
    lost: int = 0
    """Acknowledged events that were not there afterwards."""
    resumed: int = 0
    """Runs that were carried on to their end afterwards."""


@agent(description="Adds one.")
async def adder(number: int) -> int:
    await asyncio.sleep(0.003)
    return number + 1


def plan() -> Plan:
    """Return twenty chains of forty, and what they give together."""
    plan = Plan("count", answer="$c19-39")
    for chain in range(20):
        number: object = chain
        for step in range(TASKS // 20):
            number = plan.add(f"c{chain}-{step}", agent=adder, inputs={"number": number})
    return plan


async def _carry_out(place: Path, durability: Durability, key: str, told: int) -> None:
    async with Orchestrator([adder], journal=place, durability=durability) as orchestrator:
        run = await orchestrator.submit(plan(), key=key)
        async for event in run:
            os.write(told, f"{event.seq}\n".encode())


def _start(place: Path, durability: Durability, key: str) -> tuple[int, int]:
    """Fork a process that carries the run out; return its id, and where it tells of each event."""
    heard, told = os.pipe()
    child = os.fork()
    if child:
        os.close(told)
        return child, heard
    status = 1
    try:
        os.close(heard)
        with suppress(JournalError):  # the disk is gone: this process will be too
            asyncio.run(_carry_out(place, durability, key, told))
        status = 0
    except BaseException:  # noqa: BLE001  # nothing may return into the program that forked
        traceback.print_exc()
    finally:
        os._exit(status)


def _hear(heard: int, upto: int) -> int:
    """Return the last event that was told, once it is at least `upto` or there is nothing more to hear."""
    last, rest = 0, b""
    while last < upto and (said := os.read(heard, 65536)):  # what was told by now, as far as a pipe holds it
        *lines, rest = (rest + said).split(b"\n")
        last = max([last, *map(int, lines)])
    return last


def one_cut(made: Disk, durability: Durability, key: str, *, after: int) -> tuple[int, int]:
    """Cut the power once `after` events were told of; return how many were by then, and how many of them are lost."""
    place = made.folder / "runs.db"
    process, heard = _start(place, durability, key)
    acknowledged = _hear(heard, after)
    made.cut_power()
    os.kill(process, signal.SIGKILL)
    wait_for(process)
    os.close(heard)
    made.unmount()
    made.mount()
    return acknowledged, max(0, acknowledged - _kept(place, key))


def _kept(place: Path, key: str) -> int:
    """Return how many events of the run are there and whole."""
    with closing(sqlite3.connect(place)) as connection:
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            return 0  # not even the tables were forced out
        record = reader.by_key(connection, key)
        return 0 if record is None else len(reader.events(connection, record.run_id, 0, 1_000_000))


def cut(durability: Durability, *, cuts: int, seed: int = 1) -> Cuts:
    """Cut the power so many times, each time in a run of its own on the same disk."""
    figures = Cuts(durability)
    chance = random.Random(seed)
    with disk() as made:
        for number in range(cuts):
            key = f"run-{number}"
            acknowledged, lost = one_cut(made, durability, key, after=chance.randint(1, TASKS))
            process, heard = _start(made.folder / "runs.db", durability, key)
            _hear(heard, sys.maxsize)
            os.close(heard)
            wait_for(process)
            figures.cuts += 1
            figures.acknowledged += acknowledged
            figures.lost += lost
            figures.resumed += _ended(made.folder / "runs.db", key)
    return figures


def _ended(place: Path, key: str) -> bool:
    with closing(sqlite3.connect(place)) as connection:
        record = reader.by_key(connection, key)
    return record is not None and record.status == "succeeded"


def main(arguments: list[str]) -> int:
    """Cut, tell, and return 1 when an event was lost that the journal had promised to keep."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.power")
    parser.add_argument("--cuts", type=int, default=20, help="so many for each durability")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    lack = missing()
    if lack is not None:
        sys.stdout.write(json.dumps({"not run": lack}) + "\n")
        return 0
    kinds: tuple[Durability, Durability] = ("power", "process")
    power, process = (cut(durability, cuts=given.cuts, seed=given.seed) for durability in kinds)
    sys.stdout.write(json.dumps({"power": asdict(power), "process": asdict(process)}, indent=2) + "\n")
    return 1 if power.lost or power.resumed < power.cuts else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
