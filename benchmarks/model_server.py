"""A mocked model in a process of its own: a small HTTP server that speaks Chat Completions. Standard library only.

    python -m benchmarks.model_server SAYING    # prints its port

Every answer is the same `Saying`, given as JSON. It is pieces that were cut beforehand: the server is to cost next to
nothing on a machine that measures something else.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Final

NOW: Final = "@now@"
"""In a piece: the moment at which it was sent, by the clock that all processes share (`time.monotonic`)."""
_LONGEST_QUEUE: Final = 1024
"""Connections that may wait to be accepted: clients come in hundreds at once."""


@dataclass(frozen=True)
class Saying:
    """What the server answers to each request."""

    pieces: Sequence[str]
    latency: float = 0.0
    """Seconds before the answer begins."""
    delay: float = 0.0
    """Seconds from one piece to the next."""
    spread: bool = False
    """Whether answers begin up to `delay` later, so that those that began together do not beat together."""


@contextmanager
def serving(saying: Saying) -> Generator[str]:
    """Start a server; the value is its base URL."""
    command = [sys.executable, "-m", "benchmarks.model_server", json.dumps(asdict(saying))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


class Server:
    """Answers requests, any number on a connection."""

    def __init__(self, saying: Saying) -> None:
        self._saying = saying
        self._chooser = random.Random(7)
        self._pieces = [_event({"content": piece}).split(NOW.encode()) for piece in saying.pieces]
        usage = {"prompt_tokens": 100, "completion_tokens": len(saying.pieces)}
        usage["total_tokens"] = sum(usage.values())
        self._end = _event({}, "stop") + _event(None, usage=usage) + b"data: [DONE]\n\n"
        message = {"role": "assistant", "content": "".join(saying.pieces)}
        whole = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        self._whole = json.dumps(_envelope("chat.completion") | whole).encode()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
                await self._answer(json.loads(await reader.readexactly(length)), writer)
        writer.close()

    async def _answer(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        later = self._chooser.random() * self._saying.delay if self._saying.spread else 0.0
        due = time.monotonic() + self._saying.latency + later
        await _until(due)
        if not request.get("stream"):
            kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
            writer.write(kind % len(self._whole) + self._whole)
            return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in self._pieces:
            await _until(due)
            due += self._saying.delay
            writer.write(_chunk(b"%.6f" % time.monotonic() if len(piece) > 1 else b"", piece))
        writer.write(_chunk(b"", [self._end]) + b"0\r\n\r\n")


async def _until(due: float) -> None:
    if (wait := due - time.monotonic()) > 0:
        await asyncio.sleep(wait)


def _chunk(joint: bytes, parts: list[bytes]) -> bytes:
    data = joint.join(parts)
    return b"%x\r\n%b\r\n" % (len(data), data)


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-mocked", "object": kind, "created": 0, "model": "mocked"}


def _event(delta: dict[str, Any] | None, reason: str | None = None, **more: Any) -> bytes:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return f"data: {json.dumps(_envelope('chat.completion.chunk') | {'choices': choices} | more)}\n\n".encode()


async def serve(saying: Saying) -> None:
    """Serve on a free port of this machine, which is printed, until the process is ended."""
    server = await asyncio.start_server(Server(saying).connected, "127.0.0.1", 0, backlog=_LONGEST_QUEUE)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(Saying(**json.loads(sys.argv[1]))))
