"""What a call costs, in US dollars: from the user's table, else from genai-prices' offline snapshot.

A price that nobody knows is None, never 0: the caller counts such a call as unpriced.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Thread
from typing import Final

from agentorch.core.usage import Usage

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    """For input that the provider read from its cache; None: as other input."""

    def of(self, usage: Usage) -> float:
        """Return what `usage` costs."""
        cached = self.input if self.cached is None else self.cached
        fresh = usage.input_tokens - usage.cached_tokens
        return (fresh * self.input + usage.cached_tokens * cached + usage.output_tokens * self.output) / _MILLION


class Prices:
    """The prices of models."""

    def __init__(self, given: Mapping[str, Price] | None = None) -> None:
        self._given = dict(given or {})

    def cost(self, usage: Usage, *, model: str, base_url: str) -> float | None:
        """Return what `usage` costs at that server, or None when nobody knows."""
        price = self._given.get(model)
        return price.of(usage) if price else _published(usage, model, base_url)

    def knows(self, model: str, *, base_url: str) -> bool:
        """Return whether the price of a call is known beforehand."""
        return self.cost(Usage(input_tokens=1, output_tokens=1), model=model, base_url=base_url) is not None


_preloading: Final = Event()


def preload() -> None:
    """Start loading the snapshot in a thread, once in a process: the event loop should not wait that long.

    It is time when a model is called: its answer, which is to be priced, takes longer.
    """
    if not _preloading.is_set():
        _preloading.set()
        Thread(target=_published, args=(Usage(), "gpt-5-mini", "https://api.openai.com/v1"), daemon=True).start()


def _published(usage: Usage, model: str, base_url: str) -> float | None:
    import genai_prices  # noqa: PLC0415  # 0.5 s: only when there is something to price

    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cache_read_tokens=usage.cached_tokens
    )
    try:
        return float(genai_prices.calc_price(counted, model, provider_api_url=base_url).total_price)
    except LookupError:
        return None
