"""A child process: started, spoken to in frames, its output heard, killed.

1. It has no standard input, a session of its own (Ctrl-C is the parent's), and the parent's environment without the
   keys of model providers: it asks for the model through its context.
2. What it prints is logged, the first `LINES` lines of it.
3. `kill` is SIGKILL to it and to what it has started, and waits for nobody.
4. One that was ended by a signal of others, not by `kill` and not by what it did itself, was cut off.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any, Final, Self

from agentorch.errors import ConfigurationError
from agentorch.isolation.frames import Frame, encode, receive

log = logging.getLogger(__name__)

WITHHELD: Final = frozenset({"OPENAI_API_KEY", "OPENAI_ADMIN_KEY"})
"""Variables that a child does not get."""
LINES: Final = 200
"""Lines of a child's output that are logged."""
LINE: Final = 1_000
"""Characters of one of them."""
_OF_OTHERS: Final = frozenset({signal.SIGHUP, signal.SIGINT, signal.SIGKILL, signal.SIGTERM})
"""Signals that the system or a person sends; by any other a process has ended itself."""
_TO_END: Final = 2.0
"""Seconds between its own end and that of its pipe, whichever comes first."""
_START: Final = """
import json, sys
sys.path[:] = json.loads(sys.argv[3])
from agentorch.isolation.child import main
main(int(sys.argv[1]), int(sys.argv[2]))
"""


class Child(asyncio.SubprocessProtocol):
    """One child process."""

    def __init__(self, name: str) -> None:
        self.name = name
        """What its lines are logged under."""
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Its exit code once it has ended; negative is a signal."""
        self.cut_off = False
        """Whether it was ended by a signal of others."""
        self.last_line = ""
        self._lines = 0
        self._rest = b""
        self._killed = False
        self._transport: asyncio.SubprocessTransport
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @classmethod
    async def start(cls, name: str) -> Self:
        """Start a child, which waits for a `Load`."""
        if not sys.executable:
            raise ConfigurationError(f"{name}: isolate=True needs sys.executable, the path of a Python interpreter")
        ours, theirs = socket.socketpair()
        child = cls(name)
        loop = asyncio.get_running_loop()
        arguments = (str(theirs.fileno()), str(os.getpid()), json.dumps(sys.path))
        try:
            transport, _ = await loop.subprocess_exec(
                lambda: child, sys.executable, "-c", _START, *arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                pass_fds=(theirs.fileno(),), start_new_session=True, env=_environment(),
            )  # fmt: skip
            child._transport = transport
            child._reader, child._writer = await asyncio.open_connection(sock=ours)
            # A process that it has forked may hold the pipe open when it has ended, and reads nothing from it.
            child.ended.add_done_callback(lambda _: loop.call_later(_TO_END, child._hang_up))
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return child

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Log what it prints, line by line."""
        del fd
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE * 4:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            self._say(line)

    def _say(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()[:LINE]
        if not text:
            return
        self.last_line = text
        self._lines += 1
        if self._lines <= LINES:
            log.info("%s: %s", self.name, text)
        elif self._lines == LINES + 1:
            log.info("%s: ... what else it prints is left out", self.name)

    def process_exited(self) -> None:
        """Take note of how it ended."""
        self._say(self._rest)
        code = self._transport.get_returncode()
        if not self.ended.done():
            self.ended.set_result(0 if code is None else code)
        if not self._killed:
            self.cut_off = code is not None and -code in _OF_OTHERS

    async def send(self, frame: Frame) -> None:
        """Send a frame; one to a child that is gone is lost. ValueError when it is too long."""
        data = encode(frame)
        with suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    async def receive(self) -> Frame | None:
        """Return its next frame; None when it is gone."""
        return await receive(self._reader)

    @property
    def group(self) -> int:
        """The process group of it and of what it starts."""
        return self._transport.get_pid()

    @property
    def alive(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return not (self.ended.done() or self._killed)

    async def end(self) -> None:
        """Give it a moment to end by itself once its pipe has ended: a `kill` would hide how it did."""
        await asyncio.wait({self.ended}, timeout=_TO_END)

    def kill(self) -> None:
        """End it, and what it has started, at once."""
        if not self._killed:
            self._killed = True
            self._hang_up()
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)

    def _hang_up(self) -> None:
        """Close the pipe; what was not sent yet is for nobody."""
        self._writer.transport.abort()

    async def gone(self) -> int:
        """Wait until it has ended; return its exit code."""
        code = await asyncio.shield(self.ended)
        self.kill()  # what it has started may live on
        self._transport.close()
        return code


def _environment() -> dict[str, Any]:
    return {name: value for name, value in os.environ.items() if name not in WITHHELD}
