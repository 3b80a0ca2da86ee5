"""A line that is typed at the terminal.

1. What was typed before the prompt stands there is dropped: nobody answers a question that they have not seen.
2. A line that the terminal has cut off is no answer.
3. It is read without a thread where the event loop can: whoever waits may be interrupted, and the next line is left
   to whoever reads next.
"""

import asyncio
import importlib
import os
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final

termios: Any = importlib.import_module("termios") if find_spec("termios") else None  # not on Windows
_PIECE: Final = 65536
_TERMINAL_LINE: Final = 4096
"""Bytes of the longest line that a terminal hands over, its end included; what is typed beyond is dropped by it."""
_CUT: Final = (
    f"a terminal takes lines of {_TERMINAL_LINE - 1:,} bytes: the end of this one is lost, and it counts for nothing; "
    "say less, or answer with: agentorch approve RUN --value\n"
)


async def typed_line(prompt: str) -> str | None:
    """Show `prompt`, and return the line that is typed then; None at the end of the input."""
    handle = sys.stdin.fileno()
    forget_typed(handle)
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = await read_line(handle)
        if len(line) < _TERMINAL_LINE or not os.isatty(handle):
            return line.decode(errors="replace").strip() if line else None
        sys.stderr.write(_CUT)


def forget_typed(handle: int) -> None:
    """Drop what was typed at a terminal and is not read yet."""
    if termios is not None:
        with suppress(termios.error):  # it is no terminal
            termios.tcflush(handle, termios.TCIFLUSH)


async def read_line(handle: int) -> bytes:
    """Return what is read up to the end of a line, or of the input."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[bytes] = loop.create_future()
    read = bytearray()

    def take() -> None:
        piece = _read(handle)
        read.extend(piece)
        if not line.done() and (not piece or piece.endswith(b"\n")):
            line.set_result(bytes(read))

    try:
        loop.add_reader(handle, take)
    except (NotImplementedError, OSError):  # on Windows, or no descriptor that can be waited for
        return await read_in_thread(handle)
    try:
        return await line
    finally:
        loop.remove_reader(handle)


async def read_in_thread(handle: int) -> bytes:
    """Do the same in a thread, which does not keep the process; one that is left takes the next line along."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[bytes] = loop.create_future()

    def give(read: bytes) -> None:
        if not line.done():
            line.set_result(read)

    def take() -> None:
        read = b""
        while not read.endswith(b"\n") and (piece := _read(handle)):
            read += piece
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(give, read)

    threading.Thread(target=take, name="agentorch typed line", daemon=True).start()
    return await line


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, _PIECE)
    except OSError:  # the terminal has gone
        return b""
