"""How well cards fit a text: BM25 as SQLite's full-text index computes it, the same for the same cards in any order."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Final

from agentorch.core.card import AgentCard
from agentorch.library.words import content_words

_CREATE: Final = "CREATE VIRTUAL TABLE cards USING fts5(name, words, capabilities, tokenize='porter unicode61')"
_RANK: Final = "SELECT rowid, bm25(cards, 2.0, 1.0, 2.0) FROM cards WHERE cards MATCH ?"
_MOST_WORDS: Final = 64
"""Words of the text that are looked up; SQLite bounds the depth of an expression."""


def rank(cards: Iterable[AgentCard], text: str) -> Mapping[str, float]:
    """Return the score of each card that shares a content word with `text`, by name; more is better, none is absent."""
    ordered = sorted(cards, key=lambda card: card.name)
    query = " OR ".join(f'"{word}"' for word in content_words(text)[:_MOST_WORDS])
    if not query or not ordered:
        return {}
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(_CREATE)
        rows = [(card.name, card.description, " ".join(card.capabilities)) for card in ordered]
        database.executemany("INSERT INTO cards VALUES (?, ?, ?)", rows)
        return {ordered[int(row) - 1].name: -float(score) for row, score in database.execute(_RANK, (query,))}
