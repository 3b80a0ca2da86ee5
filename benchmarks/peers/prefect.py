"""Prefect with a server of its own on this machine: what a run does not need is turned off by its settings."""

import asyncio
import atexit
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks.shapes import SHAPES, Shape, by_run
from benchmarks.subject import Prepared, Subject, main

SERVICES: Final = (
    "CANCELLATION_CLEANUP",
    "EVENT_PERSISTER",
    "FOREMAN",
    "LATE_RUNS",
    "PAUSE_EXPIRATIONS",
    "SCHEDULER",
    "TRIGGERS",
)
"""Loops of the server that have nothing to do here; the recorder of task runs stays."""
SETTINGS: Final[Mapping[str, str]] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in SERVICES},
}
QUIET_SECONDS: Final = 0.4
"""What a flow without tasks takes at most when the server has nothing left to record of earlier ones."""
PATIENCE_SECONDS: Final = 30.0

Found = list[tuple[int, str, Any]]


@cache
def server() -> Callable[[], None]:
    """Let Prefect start its server once, for this process; return what waits until that is quiet."""
    home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    atexit.register(home.cleanup)
    os.environ.update(SETTINGS, PREFECT_HOME=home.name)
    import prefect

    @prefect.flow
    def empty() -> int:
        return 1

    def wait() -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        seconds = PATIENCE_SECONDS
        while seconds > QUIET_SECONDS and time.monotonic() < until:
            before = time.monotonic()
            empty()
            seconds = time.monotonic() - before

    return wait


def calling(shape: Shape) -> Callable[[], Found]:
    """Return a flow that calls one task after the other."""
    import prefect
    from prefect.cache_policies import NO_CACHE

    work = prefect.task(shape.body().work_in_thread, name="work", cache_policy=NO_CACHE)

    @prefect.flow
    def calls() -> Found:
        return [(0, task, work(task)) for task, _ in shape.tasks]

    return calls


def submitting(shape: Shape) -> Callable[[], Found]:
    """Return a flow that submits all tasks to its threads, each to wait for what it needs."""
    import prefect
    from prefect.cache_policies import NO_CACHE
    from prefect.task_runners import ThreadPoolTaskRunner

    work = prefect.task(shape.body().work_in_thread, name="work", cache_policy=NO_CACHE)

    @prefect.flow(task_runner=ThreadPoolTaskRunner(max_workers=shape.slots))
    def submits() -> Found:
        futures: dict[str, Any] = {}
        for task, needs in shape.tasks:
            futures[task] = work.submit(task, wait_for=[futures[need] for need in needs])
        return [(0, task, future.result()) for task, future in futures.items()]

    return submits


def awaiting(shape: Shape) -> Callable[[], Any]:
    """Return a call that awaits as many flows at once as there are runs, each of tasks that are awaited."""
    import prefect
    from prefect.cache_policies import NO_CACHE

    body = shape.body()

    @prefect.task(cache_policy=NO_CACHE)
    async def work(task: str) -> Any:
        output = await body.work(task)
        return time.monotonic(), output

    @prefect.flow
    async def awaits(run: int) -> Found:
        begun: dict[str, asyncio.Task[Any]] = {}

        async def after(task: str, needs: tuple[str, ...]) -> Any:
            await asyncio.gather(*(begun[need] for need in needs))
            return await work(task)

        for task, needs in shape.tasks:
            begun[task] = asyncio.create_task(after(task, needs))
        return [(run, task, await result) for task, result in begun.items()]

    async def all_runs() -> Found:
        found = await asyncio.gather(*(awaits(run) for run in range(shape.runs)))
        return [one for run in found for one in run]

    return all_runs


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    wait = server()
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    if shape.name == "chain":
        run = calling(shape)
    elif shape.runs == 1:
        run = submitting(shape)
    else:
        run = awaiting(shape)
    # A flow that ends waits until the thread of its heartbeat has slept out its second. No variable turns it off.
    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        await asyncio.to_thread(wait)
        yield Prepared(run, by_run)


SUBMITTED = "a flow that submits tasks with wait_for; max_workers as slots"

SUBJECTS = (
    Subject(
        "Prefect",
        ("prefect",),
        prepare,
        idiom={
            **dict.fromkeys(SHAPES, SUBMITTED),
            "chain": "a flow that calls tasks",
            "diamonds": "asynchronous flows at once, tasks awaited",
        },
        own_threads=True,
    ),
)

if __name__ == "__main__":
    main(*SUBJECTS)
