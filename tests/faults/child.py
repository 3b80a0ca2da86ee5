"""One process in the life of a run: it starts the run or takes it up, and carries it on until it ends or is killed.

1. A child is forked from a program that has imported everything and started no thread; its journal, bus, loop and
   threads are its own, and it is killed for itself.
2. It writes the outcome to a file when the run has come to its end, and nothing otherwise.
"""

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from agentorch.errors import RunOwnedError
from agentorch.runtime.outcome import Outcome
from tests.faults.cutting import Cut, CutJournal, Point
from tests.faults.ledger import Ledger
from tests.faults.story import KEY, Shape, orchestrator, places, plan


def start(folder: Path, shape: Shape, point: Point | None = None) -> int:
    """Fork a process that carries the story in `folder` on, to be killed at `point`; return its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        # What a child says goes to a file: a test that fails shows it.
        handle = os.open(folder / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        asyncio.run(carry_on(folder, shape, point))
        status = 0
    except BaseException:  # noqa: BLE001  # nothing may return into the program that forked
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


async def carry_on(folder: Path, shape: Shape, point: Point | None = None) -> None:
    """Start the story, or take it up where its journal ends, and write down what came of it."""
    place, book, result = places(folder)
    cut = Cut(point)
    journal = CutJournal(place, cut, shape.durability)
    async with orchestrator(shape, journal, Ledger(book), cut) as team:
        while True:
            run = await journal.find(KEY)
            try:
                outcome = await (team.run(plan(shape), key=KEY) if run is None else team.resume(run.run_id))
            except RunOwnedError:  # another process has it: wait until it has ended, or died
                await asyncio.sleep(0.01)
            else:
                break
    temporary = result.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(as_json(outcome)))
    temporary.rename(result)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return what must be the same, however often it was killed."""
    return {
        "status": str(outcome.status),
        "answer": outcome.answer,
        "outputs": dict(outcome.outputs),
        "states": dict(outcome.states),
        "problems": [[problem.code, problem.task] for problem in outcome.problems],
    }
