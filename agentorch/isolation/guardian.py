"""The guardian: a process that ends what isolated agents have started when this one ends, in whatever way.

A child dies with its parent, on Linux at once. What it has started does not: nobody could end it after a SIGKILL. The
guardian could; it waits in a session of its own, and is told of every group before an agent is loaded there.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROGRAM: Final = str(Path(__file__).with_name("guarding.py"))
_TO_END: Final = 2.0
"""Seconds in which it ends by itself."""


class Guardian:
    """The guardian of one orchestrator's children, started with the first of them."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._process: Process | None = None
        self._starting = asyncio.Lock()

    async def guard(self, group: int) -> None:
        """Have a process group killed when this process ends."""
        self._groups.add(group)
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-S", _PROGRAM, str(os.getpid()),
                    stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, start_new_session=True,
                )  # fmt: skip
                self._tell("".join(f"+{one}\n" for one in self._groups))
            else:
                self._tell(f"+{group}\n")

    def leave(self, group: int) -> None:
        """Let a group be: it was killed here, and its number may become another's."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    async def close(self) -> None:
        """End the guardian; one that stands still is killed."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), _TO_END)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def _tell(self, lines: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it was ended: the next child has a new one
                self._process.stdin.write(lines.encode("ascii"))
