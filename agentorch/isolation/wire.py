"""The child's end of the pipe: frames are read in a thread of their own, and written from any thread.

When the parent is gone, so is this process.
"""

import asyncio
import itertools
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, cast

from agentorch.isolation.frames import LENGTH, Ask, Frame, Invoke, Method, Reply, decode, encode, raised


class Wire:
    """Frames to and from the parent."""

    def __init__(self, pipe: socket.socket) -> None:
        self._pipe = pipe
        self._writing = threading.Lock()
        self._first: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._invoked: Callable[[Invoke], None] | None = None
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._awaited: dict[int, queue.SimpleQueue[Reply]] = {}
        """Answers that a thread stands still for, by number."""
        self._numbers = itertools.count(1)
        threading.Thread(target=self._read, name="agentorch pipe", daemon=True).start()

    def next(self) -> Frame:
        """Return the next frame, waiting for it: before `attach`."""
        return self._first.get()

    def attach(self, loop: asyncio.AbstractEventLoop, invoked: Callable[[Invoke], None]) -> None:
        """From now on answers are told in `loop`, and so is what is invoked."""
        self._loop, self._invoked = loop, invoked

    def send(self, frame: Frame) -> None:
        """Send a frame; ValueError when it has no JSON or is too long."""
        data = encode(frame)
        with self._writing:
            self._pipe.sendall(data)

    async def ask(self, method: Method, arguments: dict[str, Any], *, within: int) -> Any:
        """Ask the parent; return its answer, or raise what it says."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self.send(Ask(number, method, arguments, within))
            return await answer
        finally:
            del self._asked[number]

    def ask_now(self, method: Method, *, within: int) -> Any:
        """Do the same and wait here, in whatever thread: for what the parent answers at once."""
        number = next(self._numbers)
        answer = self._awaited[number] = queue.SimpleQueue()
        try:
            self.send(Ask(number, method, {}, within))
            reply = answer.get()
        finally:
            del self._awaited[number]
        if reply.fault is not None:
            raise raised(reply.fault)
        return reply.value

    def _read(self) -> None:
        try:
            while True:
                length = int.from_bytes(self._exactly(LENGTH), "big")
                self._hear(decode(self._exactly(length)))
        except (OSError, EOFError):
            os._exit(1)  # nobody waits for this process any more
        except Exception as error:  # noqa: BLE001  # whatever it was, nothing more is heard: the parent must not wait
            sys.stderr.write(f"what was sent to this process cannot be read: {error}\n")  # its last line
            sys.stderr.flush()
            os._exit(1)

    def _hear(self, frame: Frame) -> None:
        waiting = self._awaited.get(frame.number) if isinstance(frame, Reply) else None
        if waiting is not None:
            waiting.put(cast("Reply", frame))
        elif self._loop is None:
            self._first.put(frame)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell, frame)

    def _tell(self, frame: Frame) -> None:
        if isinstance(frame, Invoke) and self._invoked is not None:
            self._invoked(frame)
        elif isinstance(frame, Reply):
            waiter = self._asked.get(frame.number)
            if waiter is None or waiter.done():
                return
            if frame.fault is None:
                waiter.set_result(frame.value)
            elif isinstance(error := raised(frame.fault), asyncio.CancelledError):
                waiter.cancel(str(error))
            else:
                waiter.set_exception(error)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            piece = self._pipe.recv(min(size - len(data), 1 << 20))
            if not piece:
                raise EOFError
            data += piece
        return bytes(data)
