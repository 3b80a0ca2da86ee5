"""The index: passages in a SQLite full-text table, in memory, or in a file if asked."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from agentorch.errors import FileAccessError
from agentorch.library.folders import Found
from agentorch.library.passage import Field, Passage, Unit

_VERSION: Final = 4
"""Of the tables and of what the readers make of a file; another one means to read everything anew."""
_APPLICATION: Final = 0x61676F6C
"""`application_id` of our files ("agol")."""
_SCHEMA: Final = f"""
DROP TABLE IF EXISTS files; DROP TABLE IF EXISTS units; DROP TABLE IF EXISTS passages;
CREATE TABLE files (id INTEGER PRIMARY KEY, real TEXT UNIQUE, shown TEXT, modified INTEGER, size INTEGER, sha256 TEXT,
                    note TEXT);
CREATE TABLE units (id INTEGER PRIMARY KEY, file INTEGER, units TEXT);
CREATE INDEX units_of_file ON units (file);
CREATE VIRTUAL TABLE passages USING fts5(path, heading, text, tokenize='porter unicode61');
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
"""
_RANK: Final = """
SELECT files.shown, passages.path, passages.heading, units.units, -bm25(passages, 0.5, 1.0, 1.0) AS score
FROM passages JOIN units ON units.id = passages.rowid JOIN files ON files.id = units.file
WHERE passages MATCH ? ORDER BY score DESC, files.shown, passages.rowid LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a file."""

    id: int
    shown: str
    modified: int
    size: int
    sha256: str
    note: str
    """Why it has no passages, if it has none for a reason."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage that shares words with a query."""

    path: str
    name: str
    """The file's path within its folder."""
    heading: str
    units: tuple[Unit, ...]
    score: float
    """BM25; more is better."""


class Index:
    """Files and their passages. Not safe for several threads at once: the library holds a lock."""

    def __init__(self, path: str | Path | None = None) -> None:
        if path is not None:
            self._database = _alone(path)

    @cached_property
    def _database(self) -> sqlite3.Connection:
        """In memory, made when something is first looked for: many runs read no files."""
        return _opened(":memory:")

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def known(self) -> dict[str, Known]:
        """Return what is known, by real path."""
        rows = self._database.execute("SELECT real, id, shown, modified, size, sha256, note FROM files")
        return {row[0]: Known(*row[1:]) for row in rows}

    def put(self, file: Found, sha256: str, passages: Iterable[Passage], note: str = "", modified: int = 0) -> None:
        """Replace what is known of a file."""
        self.drop(file.real)
        cursor = self._database.execute(
            "INSERT INTO files (real, shown, modified, size, sha256, note) VALUES (?, ?, ?, ?, ?, ?)",
            (file.real, file.shown, modified, file.size, sha256, note),
        )
        for passage in passages:
            row = self._database.execute(
                "INSERT INTO units (file, units) VALUES (?, ?)", (cursor.lastrowid, json.dumps(passage.units))
            ).lastrowid
            self._database.execute(
                "INSERT INTO passages (rowid, path, heading, text) VALUES (?, ?, ?, ?)",
                (row, file.name, passage.heading, passage.text),
            )

    def touch(self, known: Known, shown: str, modified: int) -> None:
        """Remember that a file was met with the same contents."""
        self._database.execute("UPDATE files SET shown = ?, modified = ? WHERE id = ?", (shown, modified, known.id))

    def drop(self, real: str) -> None:
        """Forget a file."""
        row = self._database.execute("SELECT id FROM files WHERE real = ?", (real,)).fetchone()
        if row:
            self._database.execute("DELETE FROM passages WHERE rowid IN (SELECT id FROM units WHERE file = ?)", row)
            self._database.execute("DELETE FROM units WHERE file = ?", row)
            self._database.execute("DELETE FROM files WHERE id = ?", row)

    def commit(self) -> None:
        """Make what was put lasting."""
        self._database.commit()

    def __len__(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM units").fetchone()[0])

    def frequency(self, term: str) -> int:
        """Return how many passages hold a term, in any of its forms."""
        query = "SELECT count(*) FROM passages WHERE passages MATCH ?"
        return int(self._database.execute(query, (term,)).fetchone()[0])

    def rank(self, terms: Sequence[str], most: int) -> list[Ranked]:
        """Return the passages that hold any of the terms, best first."""
        rows = self._database.execute(_RANK, (" OR ".join(terms), most))
        return [Ranked(path, name, heading, _units(units), score) for path, name, heading, units, score in rows]


def _alone(path: str | Path) -> sqlite3.Connection:
    """Return the file's database, for as long as it is open this index's own; one in memory when it is another's."""
    try:
        return _opened(path)
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return _opened(":memory:")
        raise FileAccessError(f"{path}: cannot be used as an index: {error}") from None


def _opened(path: str | Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=0, check_same_thread=False)
    try:
        database.execute("PRAGMA locking_mode=EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        if _version(database, path) != _VERSION:
            database.executescript(_SCHEMA)
        database.commit()
    except (sqlite3.Error, FileAccessError):
        database.close()
        raise
    return database


def _version(database: sqlite3.Connection, path: str | Path) -> int:
    """Return the version of the tables, 0 when there are none; FileAccessError when the tables are not ours."""
    if database.execute("PRAGMA application_id").fetchone()[0] == _APPLICATION:
        return int(database.execute("PRAGMA user_version").fetchone()[0])
    if database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise FileAccessError(f"{path}: this database belongs to another program: name another file for the index")
    return 0


def term_of(word: str, *, prefix: bool = False) -> str:
    """Return a word as SQLite's full-text queries take it, whatever it holds; a prefix stands for all longer words."""
    return '"' + word.replace('"', '""') + ('"*' if prefix else '"')


def fingerprint(data: bytes) -> str:
    """Return the hash by which a file's contents are known."""
    return hashlib.sha256(data).hexdigest()


def _units(text: str) -> tuple[Unit, ...]:
    rows: list[list[Any]] = json.loads(text)
    return tuple(
        Unit(line, end, words, tuple(Field(*field) for field in fields), is_code)
        for line, end, words, fields, is_code in rows
    )
