"""Which journal a name means."""

from pathlib import Path

import pytest

from agentorch.errors import ConfigurationError
from agentorch.journal.memory import MemoryJournal
from agentorch.journal.opening import open_journal
from agentorch.journal.sqlite import SqliteJournal


@pytest.mark.parametrize("place", [None, "memory:"])
def test_memory(place: str | None) -> None:
    """Nothing, or "memory:", is a journal in memory."""
    assert isinstance(open_journal(place), MemoryJournal)


@pytest.mark.parametrize("place", ["/x/runs.db", Path("/x/runs.db"), "sqlite:///x/runs.db", "file:///x/runs.db"])
def test_a_path_is_an_sqlite_file(place: str | Path) -> None:
    """A path, as text, as a Path or as a URL."""
    journal = open_journal(place, durability="process")
    assert isinstance(journal, SqliteJournal)
    assert journal.path == Path("/x/runs.db")


def test_home_is_the_users() -> None:
    """`~` is the home folder."""
    journal = open_journal("~/runs.db")
    assert isinstance(journal, SqliteJournal)
    assert journal.path == Path.home() / "runs.db"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nats://localhost:4222", r"extra \[nats\]\) is not available in this release"),
        ("postgres://x/y", "no such kind"),
        ("", "name a file"),
        (" ", "name a file"),
        (":memory:", "one connection's"),
    ],
)
def test_what_is_not_there_is_said(place: str, said: str) -> None:
    """One line that names what can be used instead."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        open_journal(place)
    assert "memory:" in str(caught.value)


def test_an_unknown_durability_is_refused() -> None:
    """The two that there are stand in the message."""
    with pytest.raises(ConfigurationError, match="'power' or 'process'"):
        open_journal("runs.db", durability="forever")  # pyright: ignore[reportArgumentType]
