"""A model server on this machine, for chats in processes of their own: it says what a test's function returns.

`python -m tests.cli.chat.model_server` serves a chat to look at by hand, on Ollama's port.
"""

import json
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Body = dict[str, Any]
Answering = Callable[[Body], str]
"""Returns what is said to a request."""


class ModelServer(ThreadingHTTPServer):
    """Speaks Chat Completions; words are streamed `delay` seconds apart, and are its tokens."""

    daemon_threads = True

    def __init__(self, answer: Answering, *, delay: float = 0.0, port: int = 0, model: str = "tiny") -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer
        self.delay = delay
        self.model = model
        self.says_in = "content"
        """The field of its words; `reasoning_content` is that of thoughts."""
        self.requests: list[Body] = []
        self.keys: list[str] = []
        self.asked = 0
        """How often its models were asked for."""
        self.redirect = ""
        """Where else it says that they are."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is none."""


class _Handler(BaseHTTPRequestHandler):
    server: ModelServer  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked += 1
        if self.server.redirect:
            self.send_response(302)
            self.send_header("location", self.server.redirect)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        listed = {"object": "list", "data": [{"id": self.server.model, "object": "model"}]}
        self._json(listed if self.path == "/v1/models" else {}, 200 if self.path == "/v1/models" else 404)

    def do_POST(self) -> None:
        body: Body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        self.server.keys.append(self.headers.get("authorization", ""))
        words = self.server.answer(body).split(" ")
        most = body.get("max_tokens") or body.get("max_completion_tokens") or len(words)
        reason = "length" if len(words) > most else "stop"
        words = words[:most]
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        with suppress(ConnectionError):
            for number, word in enumerate(words):
                time.sleep(self.server.delay)
                self._event({self.server.says_in: word if number == 0 else f" {word}"})
            usage = {"prompt_tokens": 100, "completion_tokens": len(words), "total_tokens": 100 + len(words)}
            usage["prompt_tokens_details"] = {"cached_tokens": 40}  # pyright: ignore[reportArgumentType]
            self._event({}, reason)
            self._write(json.dumps(_chunk() | {"choices": [], "usage": usage}))
            self._write("[DONE]")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _event(self, delta: Body, reason: str | None = None) -> None:
        self._write(json.dumps(_chunk() | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}))

    def _write(self, data: str) -> None:
        self.wfile.write(f"data: {data}\n\n".encode())
        self.wfile.flush()

    def _json(self, value: Any, status: int) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _chunk() -> Body:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "tiny"}


@contextmanager
def serving(answer: Answering, *, delay: float = 0.0, port: int = 0) -> Generator[ModelServer]:
    """Serve while the block lasts."""
    server = ModelServer(answer, delay=delay, port=port)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def text_of(body: Body) -> str:
    """Return all that was said in a request."""
    return "\n".join(str(message.get("content") or "") for message in body["messages"])


def plan_with(*tasks: Body, answer: str) -> str:
    """Return a plan as a model writes it; inputs are given as a mapping."""
    listed = [
        {"objective": "", "needs": [], **task, "inputs": [{"name": n, "value": v} for n, v in task["inputs"].items()]}
        for task in tasks
    ]
    return json.dumps({"tasks": listed, "answer": answer})


def demonstration(body: Body) -> str:
    """Plan two tasks, research one, write the other."""
    text = text_of(body)
    if "You plan the work" in text:
        return plan_with(
            {"id": "look", "agent": "librarian", "inputs": {"question": "$goal"}},
            {"id": "text", "agent": "writer", "inputs": {"goal": "$goal", "parts": {"look": "$look"}}},
            answer="$text",
        )
    lines = "\n".join(f"{number}. Point **{number}** of the matter, said at some length." for number in range(1, 9))
    return (
        f"# An answer\n\nIt begins with a paragraph of words.\n\n{lines}\n\n```python\nprint('done')\n```\n\nThe end."
    )


if __name__ == "__main__":
    with serving(demonstration, delay=0.05, port=11434) as shown, suppress(KeyboardInterrupt):
        print(shown.url)  # noqa: T201
        while True:
            time.sleep(1)
