"""From a model's name to a model, for an orchestrator: counted with tiktoken, with the prices and quirks given."""

from collections.abc import Mapping
from typing import Any, Final

from agentorch import tokens
from agentorch.models import Price, Prices, open_model
from agentorch.ports.model import Model

_NO_PRICES: Final[Mapping[str, Price]] = {}
_NO_QUIRKS: Final[Mapping[str, Mapping[str, Any]]] = {}


class Opener:
    """Opens models by name."""

    def __init__(
        self,
        *,
        prices: Mapping[str, Price] = _NO_PRICES,
        quirks: Mapping[str, Mapping[str, Any]] = _NO_QUIRKS,
    ) -> None:
        """Take prices and quirks by the name of a model; what is said of "gpt-5-mini" holds for "openai/gpt-5-mini"."""
        self._prices = Prices({**prices, **{_short(name): price for name, price in prices.items()}})
        self._quirks = {**quirks, **{_short(name): given for name, given in quirks.items()}}

    def __call__(self, spec: str | Model | None) -> Model | None:
        """Return the model, governed; see `open_model`."""
        quirks = self._quirks.get(_short(spec)) if isinstance(spec, str) else None
        return open_model(spec, count=tokens.count, prices=self._prices, quirks=quirks)


def _short(name: str) -> str:
    return name.strip().removeprefix("openai/")
