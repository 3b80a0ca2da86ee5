"""How well cards fit a text, the same for the same cards in any order."""

from collections.abc import Iterable, Mapping
from typing import Final

from agentorch.core.card import AgentCard
from agentorch.library.ranking import ranked

_WEIGHTS: Final = (2.0, 1.0, 2.0)
"""Of the name, the description and the capabilities."""


def rank(cards: Iterable[AgentCard], text: str) -> Mapping[str, float]:
    """Return the score of each card that shares a content word with `text`, by name; more is better, none is absent."""
    ordered = sorted(cards, key=lambda card: card.name)
    rows = [(card.name, card.description, " ".join(card.capabilities)) for card in ordered]
    return {ordered[row].name: score for row, score in ranked(rows, text, weights=_WEIGHTS).items()}
