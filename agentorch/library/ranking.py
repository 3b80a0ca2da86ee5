"""How well texts fit a query: BM25 as SQLite's full-text index computes it."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Final

from agentorch.library.words import content_words

_MOST_WORDS: Final = 64
"""Words of the query that are looked up; SQLite bounds the depth of an expression."""


def ranked(rows: Sequence[Sequence[str]], query: str, *, weights: Sequence[float]) -> Mapping[int, float]:
    """Return the score of each row that shares a content word with `query`, by its index; more is better.

    A row has a text for each of the weights. The same rows in the same order give the same scores.
    """
    words = " OR ".join(f'"{word}"' for word in content_words(query)[:_MOST_WORDS])
    if not words or not rows:
        return {}
    columns = [f"part{number}" for number in range(len(weights))]
    marks = ", ".join("?" for _ in columns)
    bm25 = ", ".join(str(float(weight)) for weight in weights)
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE VIRTUAL TABLE texts USING fts5({', '.join(columns)}, tokenize='porter unicode61')")
        database.executemany(f"INSERT INTO texts VALUES ({marks})", rows)  # noqa: S608  # marks alone
        found = database.execute(f"SELECT rowid, bm25(texts, {bm25}) FROM texts WHERE texts MATCH ?", (words,))  # noqa: S608
        return {int(row) - 1: -float(score) for row, score in found}
