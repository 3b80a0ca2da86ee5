"""Model servers on this machine, at the usual ports (`AGENTORCH_LOCAL_PORTS`): offered, never used unasked.

Only the loopback interface is asked, with no key, for the list of models that every such server has.
"""

import asyncio
import json
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

from agentorch.cli.words import one_line

_SECONDS: Final = 0.5
_MOST: Final = 1_000_000
"""Bytes of an answer that are read."""
_DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answers as OpenAI's would."""

    url: str
    """Its base URL."""
    models: tuple[str, ...]


async def look(ports: Sequence[int]) -> list[LocalServer]:
    """Return the servers that are there, in the order of the ports."""
    found = await asyncio.gather(*(_at(port) for port in ports))
    return [server for server in found if server is not None]


async def _at(port: int) -> LocalServer | None:
    if not await _listens(port):
        return None
    url = f"http://127.0.0.1:{port}/v1"
    with suppress(OSError, ValueError):
        return LocalServer(url, await asyncio.to_thread(_models, url))
    return None


async def _listens(port: int) -> bool:
    with suppress(OSError, TimeoutError):
        _, writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), _SECONDS)
        writer.close()
        return True
    return False


def _models(url: str) -> tuple[str, ...]:
    """Return what a server lists; ValueError when it is no such server."""
    with _DIRECT.open(f"{url}/models", timeout=_SECONDS) as answer:
        said = json.loads(answer.read(_MOST))
    listed = cast("dict[str, Any]", said).get("data") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        raise ValueError("no list of models")  # noqa: TRY004  # it is what was said that is wrong
    models = (cast("dict[str, Any]", model) for model in cast("list[Any]", listed) if isinstance(model, dict))
    return tuple(one_line(str(model["id"])) for model in models if "id" in model)
