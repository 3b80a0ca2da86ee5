"""The pieces of an answer as they come: many from a server that streams, one from a server that does not.

Errors are the client's own: one that stands in the body of a 200 is raised like one that stands in a stream.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any, Final, cast

from agentorch.models.assembly import LONGEST, AnswerTooLong, Assembly
from agentorch.models.provider import time_limits

_NOISE: Final = (ValueError, TypeError, AttributeError, KeyError, RecursionError)
"""What reading a piece raises that is no JSON, or JSON of another form."""
_LARGEST_BODY: Final = 4 * LONGEST
"""Bytes of an answer that comes as one body."""


class NotJsonError(Exception):
    """A piece of an answer is not JSON."""


async def opened(client: Any, sent: dict[str, Any], seconds: float | None) -> Any:
    """Send a request that may be silent for so many seconds; return the stream of its answer, as JSON.

    Through the client, with all that it knows of connections, keys and errors, but around its models of requests and
    answers: those take half of the time that a call takes, and most of what a piece of an answer takes.
    """
    import openai  # noqa: PLC0415  # it made the client, so it is loaded

    return await client.post(
        "/chat/completions", body=sent, options={"timeout": time_limits(seconds)},
        cast_to=object, stream=True, stream_cls=openai.AsyncStream[object],
    )  # fmt: skip


async def closed(stream: Any) -> None:
    """Close a response that may already be broken."""
    with suppress(Exception):
        await stream.close()


async def pieces(stream: Any) -> AsyncGenerator[Any]:
    """Yield the pieces of an answer, as JSON.

    Raises `openai.OpenAIError` for what the server says, NotJsonError for noise.
    """
    try:
        if "json" in stream.response.headers.get("content-type", ""):
            yield await _whole(stream)
            return
        async for piece in stream:
            yield piece
    except _NOISE as error:
        raise NotJsonError(str(error)) from error


def fed(answer: Assembly, piece: Any) -> str:
    """Add a piece to the answer; return the text in it. NotJsonError when it has not the form of one."""
    try:
        return answer.feed(piece)
    except _NOISE as error:
        raise NotJsonError(str(error)) from error


async def _whole(stream: Any) -> Any:
    import openai  # noqa: PLC0415  # it made the stream, so it is loaded

    try:
        data = await _read(stream.response)
    except AnswerTooLong:
        raise
    except Exception as error:  # the client's HTTP library is its own business
        raise openai.APIConnectionError(request=stream.response.request) from error
    body: Any = json.loads(data)
    if not isinstance(body, dict):
        raise NotJsonError("the body is no object")
    answer = cast("dict[str, Any]", body)
    if answer.get("error"):
        error = answer["error"]
        words = error.get("message") if isinstance(error, dict) else error  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        raise openai.APIError(str(words or "an error without words"), stream.response.request, body=error)  # pyright: ignore[reportUnknownArgumentType]
    return _as_piece(answer)


async def _read(response: Any) -> bytes:
    data = bytearray()
    async for part in response.aiter_bytes():
        data += part
        if len(data) > _LARGEST_BODY:
            raise AnswerTooLong(f"the answer is longer than {_LARGEST_BODY:,} bytes")
    return bytes(data)


def _as_piece(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a whole answer as the only piece of a stream."""
    choices = [{**choice, "delta": _delta(choice.get("message") or {})} for choice in answer.get("choices") or ()]
    return {**answer, "choices": choices}


def _delta(message: dict[str, Any]) -> dict[str, Any]:
    asked: list[dict[str, Any]] = message.get("tool_calls") or []
    calls = [{**call, "index": index} for index, call in enumerate(asked)]
    return {**message, "tool_calls": calls}
