"""The file of an SQLite journal for work on the whole of it: opened apart from any run, by one thread."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from agentorch.journal.schema import in_words, open_unchanged, open_writer


@contextmanager
def file_to_read(path: Path) -> Generator[sqlite3.Connection]:
    """Open the file as it is, on a read-only disk too; what is seen in the block is one moment's."""
    with _in_words(path):
        connection = open_unchanged(path)
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()


@contextmanager
def file_to_write(path: Path) -> Generator[sqlite3.Connection]:
    """Open the file, which is made when it is not there; the block begins and commits its own transactions."""
    with _in_words(path):
        connection = open_writer(path, "power")
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def _in_words(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise in_words(path, error) from None
