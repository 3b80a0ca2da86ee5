"""What it costs to keep results in SQLite with nothing else: the floor for what is durable. Standard library only.

1. One row per finished task, of as many bytes as agentorch writes for it.
2. "SQLite loop": rows of a turn of the event loop are one commit, which survives the death of the process; what needs
   them begins after it.
3. "SQLite loop FULL": a thread commits what has gathered, so that it survives a power cut; what needs a task does not
   wait for that, the end of a run does.
4. "SQLite loop FULL, a commit each": a commit per task, which is waited for.
"""

import asyncio
import json
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from benchmarks.floors import Body, nothing
from benchmarks.shapes import SHAPES, Shape
from benchmarks.subject import Prepared, Subject, main

FILLING: Final = bytes(740)
"""With the other columns about 754 bytes a task: the headers and payloads of two events of agentorch."""

Row = tuple[int, str, str, bytes]
Outputs = dict[str, str | int]


def connect(folder: Path, synchronous: str) -> sqlite3.Connection:
    """Return a connection to the file in the folder, the table made."""
    connection = sqlite3.connect(folder / "floor.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE IF NOT EXISTS done (run INTEGER, task TEXT, output TEXT, filling BLOB)")
    return connection


def commit(connection: sqlite3.Connection, rows: list[Row]) -> None:
    """Write the rows in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO done VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")


def known(folder: Path, runs: int) -> list[Outputs]:
    """Return the outputs of each run that are in the file, in the order in which they were written."""
    found: list[Outputs] = [{} for _ in range(runs)]
    connection = connect(folder, "NORMAL")
    for run, task, output in connection.execute("SELECT run, task, output FROM done ORDER BY rowid"):
        found[run][task] = json.loads(output)
    connection.close()
    return found


class TurnKeeper:
    """Commits the rows of each turn of the loop."""

    def __init__(self, folder: Path) -> None:
        self._connection = connect(folder, "NORMAL")
        self._rows: list[Row] = []
        self._then: list[Callable[[], None]] = []

    def keep(self, row: Row, then: Callable[[], None]) -> None:
        """Write a row, and call `then` when what needs its task may begin."""
        if not self._rows:
            asyncio.get_running_loop().call_soon(self._commit)
        self._rows.append(row)
        self._then.append(then)

    def _commit(self) -> None:
        rows, then = self._rows, self._then
        self._rows, self._then = [], []
        commit(self._connection, rows)
        for call in then:
            call()

    async def settle(self) -> None:
        """Wait until all that was kept is written."""

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class ThreadKeeper:
    """Commits in a thread what has gathered since its last commit."""

    def __init__(self, folder: Path) -> None:
        self._connection = connect(folder, "FULL")
        self._queue: SimpleQueue[Row | Callable[[], object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def keep(self, row: Row, then: Callable[[], None]) -> None:
        self._queue.put(row)
        then()

    async def settle(self) -> None:
        loop, settled = asyncio.get_running_loop(), asyncio.Event()
        self._queue.put(lambda: loop.call_soon_threadsafe(settled.set))
        await settled.wait()

    def _work(self) -> None:
        entries: list[Row | Callable[[], object] | None] = []
        while None not in entries:
            entries = [self._queue.get()]
            while not self._queue.empty():
                entries.append(self._queue.get())
            if rows := [entry for entry in entries if isinstance(entry, tuple)]:
                commit(self._connection, rows)
            for entry in entries:
                if callable(entry):
                    entry()

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()
        self._connection.close()


class EachKeeper:
    """Commits each row by itself, and has what needs it wait."""

    def __init__(self, folder: Path) -> None:
        self._connection = connect(folder, "FULL")

    def keep(self, row: Row, then: Callable[[], None]) -> None:
        commit(self._connection, [row])
        then()

    async def settle(self) -> None:
        pass

    def close(self) -> None:
        self._connection.close()


Keeper = TurnKeeper | ThreadKeeper | EachKeeper


class Run:
    """One run: tasks of the loop, and a count of what each still needs."""

    def __init__(self, shape: Shape, number: int, keeper: Keeper, results: Outputs) -> None:
        self._number, self._keeper, self._results = number, keeper, results
        self._tasks = shape.tasks
        self._dependents = shape.dependents()
        self._work: Body = shape.work if shape.seconds or shape.log else nothing(shape)
        self._turn = asyncio.Semaphore(shape.slots) if shape.slots is not None else None
        self._missing: dict[str, int] = {}
        self._alive: set[asyncio.Task[None]] = set()
        self._done = asyncio.Event()

    async def carry_out(self) -> Outputs:
        """Begin what has no result yet and needs nothing more; return all outputs."""
        for name, needs in self._tasks:
            if name not in self._results:
                self._missing[name] = sum(need not in self._results for need in needs)
        for name in [name for name, missing in self._missing.items() if not missing]:
            self._start(name)
        if self._missing:
            await self._done.wait()
        return self._results

    def _start(self, name: str) -> None:
        task = asyncio.create_task(self._body(name))
        self._alive.add(task)
        task.add_done_callback(self._alive.discard)

    async def _body(self, name: str) -> None:
        if self._turn is None:
            output = await self._work(name)
        else:
            async with self._turn:
                output = await self._work(name)
        self._results[name] = output
        self._keeper.keep((self._number, name, json.dumps(output), FILLING), lambda: self._go_on(name))

    def _go_on(self, name: str) -> None:
        for dependent in self._dependents[name]:
            self._missing[dependent] -= 1
            if not self._missing[dependent]:
                self._start(dependent)
        if len(self._results) == len(self._tasks):
            self._done.set()


def subject(name: str, keeping: Callable[[Path], Keeper], *, own_threads: bool = False) -> Subject:
    """Return the floor with that way to commit."""

    @asynccontextmanager
    async def begun(shape: Shape, folder: Path) -> AsyncGenerator[Prepared]:
        found = known(folder, shape.runs)
        keeper = keeping(folder)

        async def run() -> list[Outputs]:
            runs = [Run(shape, number, keeper, results) for number, results in enumerate(found)]
            outputs = await asyncio.gather(*(one.carry_out() for one in runs))
            await keeper.settle()
            return list(outputs)

        try:
            yield Prepared(run, lambda outputs: outputs)
        finally:
            keeper.close()

    return Subject(name, (), begun, idiom=IDIOM, resume=begun, own_threads=own_threads)


IDIOM: Final = dict.fromkeys(SHAPES, "asyncio tasks and a count, a row per finished task")

SUBJECTS = (
    subject("SQLite loop", TurnKeeper),
    subject("SQLite loop FULL", ThreadKeeper),
    subject("SQLite loop FULL, a commit each", EachKeeper),
)

if __name__ == "__main__":
    main(*SUBJECTS)
