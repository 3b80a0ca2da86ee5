"""A stand-in for an OpenAI-compatible server, on the HTTP level of the real `openai` client.

    async with FakeOpenAI(Say("hello"), Fail(429, retry_after=2), Say("again")) as server:
        response = await server.model().complete(request)
    assert server.requests[0]["messages"][-1]["content"] == "..."

1. Answers are given in order; `server.otherwise` is given when there are none left, and without it a request is an
   error that shows itself.
2. Every server has a base URL of its own, so that nothing that one test taught a provider is known in the next.
3. Delays are `anyio.sleep`: they take no real time in a virtual clock.

Needs the extra `[testing]`.
"""

import importlib
import json
import textwrap
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, fields
from itertools import count
from typing import Any, Final, Literal, Self

import anyio

from agentorch.errors import MissingExtraError
from agentorch.models.openai_model import OpenAIModel
from agentorch.ports.model import Message, ModelRequest, OutputSchema, ToolCall, ToolSpec
from agentorch.testing.script_rule import rendered

_DONE: Final = b"data: [DONE]\n\n"
_numbers = count(1)


@dataclass(frozen=True)
class Say:
    """A normal answer, in pieces if asked for."""

    text: str = ""
    pieces: Sequence[str] = ()
    """The text as it is streamed; by default in one piece."""
    tool_calls: Sequence[ToolCall] = ()
    refusal: str | None = None
    finish_reason: str | None = None
    """By default "tool_calls" or "stop"."""
    usage: tuple[int, int, int] | None = (10, 5, 0)
    """Input, output and cached tokens; None sends no usage, as many servers do."""
    delay: float = 0.0
    """Seconds before each piece."""
    latency: float = 0.0
    """Seconds before the answer begins, its headers included."""
    headers: tuple[tuple[str, str], ...] = ()
    stall_after: int | None = None
    """After so many pieces nothing comes any more, for ever."""
    break_after: int | None = None
    """After so many pieces the stream ends, without a finish reason."""
    error: "Fail | None" = None
    """An error event inside the stream, in the place of its end."""
    garbage: bool = False
    """A piece that is not JSON, in the place of the stream's end."""
    never_hangs_up: bool = False
    """After the finish reason nothing comes any more, for ever."""
    as_json: bool = False
    """Answer as one JSON body even where a stream was asked for."""


@dataclass(frozen=True)
class Fail:
    """An error answer."""

    status: int
    message: str = "The fake server refuses."
    code: str | None = None
    param: str | None = None
    type: str = "error"
    retry_after: float | str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Unreachable:
    """No connection, or none that lasts."""

    message: str = "[Errno 111] Connection refused"
    how: Literal["refused", "timeout", "silent", "dropped", "unsendable"] = "refused"
    """Refused; not made in time; made, but no answer in time; made, and lost before the answer; never tried, because
    the request is none that HTTP can carry."""


@dataclass(frozen=True)
class Raw:
    """An answer byte for byte, with status 200: for what no server should say."""

    pieces: Sequence[bytes]
    content_type: str = "text/event-stream"
    forever: bytes | None = None
    """Comes again and again after the pieces, `delay` seconds apart."""
    delay: float = 0.01


Answer = Say | Fail | Unreachable | Raw
Answering = Callable[[dict[str, Any]], Answer]


def _in_short(answer: Answer | Answering) -> str:
    """Return an answer as somebody would write it: without what is so by default."""
    if not isinstance(answer, Answer):
        return "a function"
    said = [
        (each.name, getattr(answer, each.name)) for each in fields(answer) if getattr(answer, each.name) != each.default
    ]
    return f"{type(answer).__name__}({', '.join(f'{name}={value!r}' for name, value in said)})"


class FakeOpenAI:
    """A server; open it with `with` or `async with`, in the test or in a fixture."""

    def __init__(self, *answers: Answer | Answering, otherwise: Answer | Answering | None = None) -> None:
        """Queue what the server answers; a callable is given the request's body and returns the answer."""
        self.base_url = f"http://fake-{next(_numbers)}.test/v1"
        self.requests: list[dict[str, Any]] = []
        """The bodies of the requests, in order."""
        self.times: list[float] = []
        """When they came, by the event loop's clock."""
        self.authorizations: list[str] = []
        """The keys that came with them."""
        self.misses: list[str] = []
        """What was asked when no answer was left."""
        self.otherwise = otherwise
        self._answers = list(answers)
        self._router: Any = None

    def then(self, *answers: Answer | Answering) -> Self:
        """Queue more answers."""
        self._answers.extend(answers)
        return self

    def model(self, name: str = "gpt-5-mini", *, api_key: str | None = "sk-fake-key", **settings: Any) -> OpenAIModel:
        """Return a model at this server."""
        return OpenAIModel(name, api_key=api_key, base_url=self.base_url, **settings)

    def unused(self) -> list[str]:
        """Return what was never asked for, in words."""
        if not self._answers:
            return []
        left, following = len(self._answers), _in_short(self._answers[0])
        many = "an answer of the fake server," if left == 1 else f"{left} answers of the fake server, the next is"
        return [f"{many} {following}"]

    def assert_all_used(self) -> None:
        """Raise unless every queued answer was given, and nothing was asked in vain."""
        wrong = [*(f"never asked for: {words}" for words in self.unused()), *self.misses]
        assert not wrong, "\n".join(wrong)

    def __enter__(self) -> Self:
        importlib.import_module("openai")  # a thread that loads it would take no time in a virtual clock
        try:
            importlib.import_module("pytest_httpx2")  # registers the mocker: openai 3 runs on httpx2
            respx: Any = importlib.import_module("respx")
        except ImportError as error:
            raise MissingExtraError("FakeOpenAI", "testing") from error
        self._router = respx.mock(using="httpcore2", assert_all_called=False)
        self._router.__enter__()
        self._router.post(f"{self.base_url}/chat/completions").mock(side_effect=self._respond)
        return self

    def __exit__(self, *exception: object) -> None:
        self._router.__exit__(*exception)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(self, *exception: object) -> None:
        self.__exit__(*exception)

    async def _respond(self, request: Any) -> Any:
        body = json.loads(request.content)
        self.requests.append(body)
        self.times.append(anyio.current_time())
        self.authorizations.append(request.headers.get("authorization", ""))
        answer = self._next(body)
        if isinstance(answer, Say) and answer.latency:
            await anyio.sleep(answer.latency)
        return _http(answer, request, body)

    def _next(self, body: dict[str, Any]) -> Answer:
        answer = self._answers.pop(0) if self._answers else self.otherwise
        if answer is None:
            self.misses.append(self._miss(body))
            raise AssertionError(self.misses[-1])
        return answer if isinstance(answer, Answer) else answer(body)

    def _miss(self, body: dict[str, Any]) -> str:
        head = f"the fake server has no answer left for request {len(self.requests)} (model {body.get('model')!r}):"
        given = len(self.requests) - len(self.misses) - 1
        used = "its answer is used up" if given == 1 else f"its {given} answers are used up"
        left = f"{used}: give it another" if given else "it has none: give it one"
        asked = textwrap.indent(rendered(_asked(body)), "    ")
        return f"{head}\n{asked}\n{left}: server.then(Say('...'))"


def _asked(body: dict[str, Any]) -> ModelRequest:
    """Return what was sent, to be shown as a script shows it."""
    messages = tuple(
        Message(one.get("role"), _text(one.get("content")), tuple(map(_called, one.get("tool_calls") or ())))
        for one in body.get("messages", ())
    )
    functions: list[dict[str, Any]] = [tool.get("function", {}) for tool in body.get("tools") or ()]
    tools = tuple(ToolSpec(one.get("name", ""), one.get("description", ""), {}) for one in functions)
    given: dict[str, Any] = body.get("response_format") or {}
    form: dict[str, Any] | None = given.get("json_schema")
    return ModelRequest(messages, tools, output=OutputSchema(form.get("name", ""), {}) if form else None)


def _called(call: dict[str, Any]) -> ToolCall:
    function = call.get("function", {})
    return ToolCall(call.get("id", ""), function.get("name", ""), function.get("arguments", ""))


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False) if content else ""


def _http(answer: Answer, request: Any, body: dict[str, Any]) -> Any:
    import httpx  # noqa: PLC0415  # respx speaks in its types

    match answer:
        case Unreachable():
            errors = {
                "refused": httpx.ConnectError,
                "timeout": httpx.ConnectTimeout,
                "silent": httpx.ReadTimeout,
                "dropped": httpx.RemoteProtocolError,
                "unsendable": httpx.LocalProtocolError,
            }
            raise errors[answer.how](answer.message, request=request)
        case Raw():
            headers = [("content-type", answer.content_type)]
            return httpx.Response(200, headers=headers, content=_bytes(answer))
        case Fail():
            return httpx.Response(answer.status, headers=_fail_headers(answer), json=_error(answer))
        case Say():
            if answer.as_json or not body.get("stream"):
                return httpx.Response(200, headers=list(answer.headers), json=_whole(answer, body))
            headers = [("content-type", "text/event-stream"), *answer.headers]
            return httpx.Response(200, headers=headers, content=_events(answer, body))


async def _bytes(answer: Raw) -> AsyncGenerator[bytes]:
    for piece in answer.pieces:
        yield piece
    while answer.forever is not None:
        await anyio.sleep(answer.delay)
        yield answer.forever


def _fail_headers(answer: Fail) -> list[tuple[str, str]]:
    if answer.retry_after is None:
        return list(answer.headers)
    return [("retry-after", str(answer.retry_after)), *answer.headers]


def _error(answer: Fail) -> dict[str, Any]:
    return {
        "error": {"message": answer.message, "type": answer.type, "param": answer.param, "code": answer.code},
    }


def _whole(answer: Say, body: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or "".join(answer.pieces)}
    if answer.refusal is not None:
        message["refusal"] = answer.refusal
    if answer.tool_calls:
        message["tool_calls"] = [_call(call) for call in answer.tool_calls]
    choice = {"index": 0, "message": message, "finish_reason": _reason(answer)}
    return _envelope("chat.completion", body) | {"choices": [choice], "usage": _usage(answer)}


async def _events(answer: Say, body: dict[str, Any]) -> AsyncGenerator[bytes]:
    deltas = _deltas(answer)
    for index, delta in enumerate(deltas):
        if index == answer.break_after:
            return
        if index == answer.stall_after:
            await anyio.sleep_forever()
        if answer.delay:
            await anyio.sleep(answer.delay)
        yield _event(body, choices=[{"index": 0, "delta": delta, "finish_reason": None}])
    if answer.break_after is not None:
        return
    if answer.stall_after is not None:
        await anyio.sleep_forever()
    async for event in _end(answer, body):
        yield event


async def _end(answer: Say, body: dict[str, Any]) -> AsyncGenerator[bytes]:
    if answer.error is not None:
        yield f"data: {json.dumps(_error(answer.error))}\n\n".encode()
        return
    if answer.garbage:
        yield b"data: {not json\n\n"
        return
    yield _event(body, choices=[{"index": 0, "delta": {}, "finish_reason": _reason(answer)}])
    if answer.never_hangs_up:
        await anyio.sleep_forever()
    asked = body.get("stream_options", {}).get("include_usage")
    if answer.usage is not None and asked:
        yield _event(body, choices=[], usage=_usage(answer))
    yield _DONE


def _deltas(answer: Say) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [
        {"content": piece} for piece in answer.pieces or ([answer.text] * bool(answer.text))
    ]
    if answer.refusal is not None:
        deltas.append({"refusal": answer.refusal})
    # The way OpenAI does it: first the name, then the arguments, in halves, the calls one after the other.
    for index, call in enumerate(answer.tool_calls):
        deltas.append({"tool_calls": [{"index": index, **_call(call, arguments="")}]})
        half = len(call.arguments) // 2
        deltas.extend(
            {"tool_calls": [{"index": index, "function": {"arguments": part}}]}
            for part in (call.arguments[:half], call.arguments[half:])
        )
    return deltas


def _call(call: ToolCall, *, arguments: str | None = None) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments if arguments is None else arguments}
    return {"id": call.id, "type": "function", "function": function}


def _reason(answer: Say) -> str:
    return answer.finish_reason or ("tool_calls" if answer.tool_calls else "stop")


def _usage(answer: Say) -> dict[str, Any] | None:
    if answer.usage is None:
        return None
    asked, said, cached = answer.usage
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def _envelope(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"id": "chatcmpl-fake", "object": kind, "created": 0, "model": body.get("model", "")}


def _event(body: dict[str, Any], **content: Any) -> bytes:
    return f"data: {json.dumps(_envelope('chat.completion.chunk', body) | content)}\n\n".encode()
