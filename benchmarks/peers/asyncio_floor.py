"""The floor as a subject: one asyncio task a task and a count of what is ready. Standard library only."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.floors import bare
from benchmarks.shapes import Shape
from benchmarks.subject import Prepared, Subject, main


@asynccontextmanager
async def prepare(shape: Shape, _: Path) -> AsyncGenerator[Prepared]:
    yield Prepared(lambda: bare(shape), lambda found: found)


SUBJECTS = (
    Subject("asyncio", (), prepare, dict.fromkeys(("chain", "fan", "layered", "diamonds"), "an asyncio task a task")),
)

if __name__ == "__main__":
    main(*SUBJECTS)
