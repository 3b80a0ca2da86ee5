"""DBOS on SQLite: as it sets the file up itself, and with a write-ahead log, which is a property of the file."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from dbos import DBOS, SetWorkflowID

from benchmarks.shapes import SHAPES, Shape, by_run
from benchmarks.subject import Prepared, Subject, main

POLLING_SECONDS = 0.01
"""How often it is asked whether a workflow that was taken up has ended."""

Found = list[tuple[int, str, Any]]
Workflow = Callable[[int], Any]


def open_dbos(folder: Path, *, wal: bool) -> None:
    """Set DBOS up for a file in the folder."""
    file = folder / "dbos.sqlite"
    if wal:
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
    DBOS(
        config={
            "name": "benchmark",
            "system_database_url": f"sqlite:///{file}",
            "application_version": "1",
            "log_level": "CRITICAL",
            "console_log_level": "CRITICAL",
            "enable_otlp": False,
        }
    )


def workflow_of(shape: Shape) -> Workflow:
    """Return the shape as a workflow of steps.

    A step has the number at which it was called, so that steps are called in the plan's order; one of several waits
    in its body for the steps that it needs, whose results are in the file by then.
    """
    body = shape.body()
    turn = asyncio.Semaphore(shape.slots) if shape.slots is not None else None

    @DBOS.step(name="work")
    async def work(task: str, *needs: "asyncio.Task[Any]") -> Any:
        for need in needs:
            await need
        if turn is None:
            output = await body.work(task)
        else:
            async with turn:
                output = await body.work(task)
        return time.time(), output

    async def one_by_one(run: int) -> Found:
        return [(run, task, await work(task)) for task, _ in shape.tasks]

    async def as_needed(run: int) -> Found:
        begun: dict[str, asyncio.Task[Any]] = {}
        for task, needs in shape.tasks:
            begun[task] = asyncio.ensure_future(work(task, *(begun[need] for need in needs)))
        return [(run, task, await result) for task, result in begun.items()]

    return DBOS.workflow(name="shape")(one_by_one if shape.name == "chain" else as_needed)


def outputs(found: list[Found]) -> list[dict[str, object]]:
    """Return the outputs by run, in the order of completion."""
    return by_run(one for run in found for one in run)


def subject(name: str, *, wal: bool) -> Subject:
    """Return DBOS with that kind of file."""

    @asynccontextmanager
    async def launched(shape: Shape, folder: Path) -> AsyncGenerator[Workflow]:
        open_dbos(folder, wal=wal)
        workflow = workflow_of(shape)
        try:
            DBOS.launch()
            yield workflow
        finally:
            DBOS.destroy(destroy_registry=True)

    @asynccontextmanager
    async def prepare(shape: Shape, folder: Path) -> AsyncGenerator[Prepared]:
        async with launched(shape, folder) as workflow:

            async def one(run: int) -> Found:
                with SetWorkflowID(f"run-{run}"):
                    return await workflow(run)

            async def all_runs() -> list[Found]:
                return list(await asyncio.gather(*(one(run) for run in range(shape.runs))))

            yield Prepared(all_runs, outputs)

    @asynccontextmanager
    async def resume(shape: Shape, folder: Path) -> AsyncGenerator[Prepared]:
        async with launched(shape, folder):  # which takes up what was not ended

            async def one(run: int) -> Found:
                handle = await DBOS.retrieve_workflow_async(f"run-{run}")
                return await handle.get_result(polling_interval_sec=POLLING_SECONDS)

            async def all_runs() -> list[Found]:
                return list(await asyncio.gather(*(one(run) for run in range(shape.runs))))

            yield Prepared(all_runs, outputs)

    taken_up: Callable[[Shape, Path], AbstractAsyncContextManager[Prepared]] = resume
    idiom = {
        **dict.fromkeys(SHAPES, "a workflow; every step waits for its needs; a semaphore as slots"),
        "chain": "a workflow that awaits steps",
    }
    return Subject(name, ("dbos",), prepare, idiom=idiom, resume=taken_up, own_threads=True)


SUBJECTS = (subject("DBOS", wal=False), subject("DBOS, WAL", wal=True))

if __name__ == "__main__":
    main(*SUBJECTS)
