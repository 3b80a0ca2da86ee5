"""Counting tokens: by tiktoken once its tables are in memory, by an estimate until then.

1. A count never raises, never waits for a file and never opens a connection.
2. The first count for an encoding starts a thread that loads it (0.4 s); until it is there, counts are estimates.
3. An estimate is never too low by much: three bytes a token; English prose has four and more.
"""

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Final, Protocol

from agentorch.tokens.encodings import encoding_for, load_encoding

_LOGGER = logging.getLogger(__name__)
_BYTES_PER_TOKEN: Final = 3


class _Encoding(Protocol):
    def encode_ordinary(self, text: str) -> list[int]: ...


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a text is."""

    tokens: int
    approximate: bool
    """Whether it is an estimate, or counted with another model's encoding."""


def estimate(text: str) -> int:
    """Return a count from the length alone: UTF-8 bytes by three, rounded up."""
    return -(-len(text.encode(errors="surrogatepass")) // _BYTES_PER_TOKEN)


def count(text: str, model: str) -> TokenCount:
    """Return how many tokens `text` is for `model`; models that tiktoken does not know count as its newest."""
    encoding, known = encoding_for(model)
    loading = _begin(encoding)
    if not loading.done() or (loaded := loading.result()) is None:
        return TokenCount(estimate(text), approximate=True)
    return TokenCount(len(loaded.encode_ordinary(text)), approximate=not known)


def load(model: str) -> bool:
    """Wait until the encoding of `model` is in memory; return whether it could be loaded."""
    return _begin(encoding_for(model)[0]).result() is not None


_lock: Final = Lock()
# One table of 200,000 ranks serves the whole process: hence state in a module.
_loading: Final[dict[str, Future[_Encoding | None]]] = {}


def _begin(encoding: str) -> Future[_Encoding | None]:
    with _lock:
        future = _loading.get(encoding)
        if future is None:
            future = _loading[encoding] = Future()
            Thread(target=_fill, args=(encoding, future), name=f"tokens-{encoding}", daemon=True).start()
        return future


def _fill(encoding: str, future: Future[_Encoding | None]) -> None:
    try:
        future.set_result(load_encoding(encoding))
    except Exception as error:  # noqa: BLE001  # whatever is wrong with the installation, counts go on as estimates
        _LOGGER.warning("tokens are estimated: %s cannot be loaded: %s", encoding, error)
        future.set_result(None)
