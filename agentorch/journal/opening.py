"""Which journal a name means."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.journal.memory import MemoryJournal
from agentorch.journal.schema import Durability
from agentorch.journal.sqlite import SqliteJournal
from agentorch.ports.journal import Journal


def open_journal(place: str | Path | None = None, *, durability: Durability = "power") -> Journal:
    """Return the journal at `place`, not opened yet: None or "memory:" is memory, a path an SQLite file.

    ConfigurationError for any other URL; `durability` is "power" or "process" and says what an SQLite journal survives.
    """
    if durability not in {"power", "process"}:
        raise ConfigurationError(f"durability is {durability!r}; it can be 'power' or 'process'")
    if place is None or place == "memory:":
        return MemoryJournal()
    if isinstance(place, Path):
        return SqliteJournal(place, durability)
    return SqliteJournal(_path(place), durability)


def _path(place: str) -> Path:
    scheme, found, _ = place.partition("://")
    if place == ":memory:":
        raise ConfigurationError("journal ':memory:': SQLite's memory is one connection's: use 'memory:'")
    if not place.strip():
        raise ConfigurationError("journal '': name a file such as 'runs.db', or 'memory:'")
    if scheme == "nats" and found:
        raise ConfigurationError(
            f"journal {place!r}: a journal on NATS (the extra [nats]) is not available in this release: "
            "name a file such as 'runs.db', or 'memory:'"
        )
    if scheme in {"file", "sqlite"} and found:
        return Path(unquote(urlsplit(place).path))
    if found:
        raise ConfigurationError(f"journal {place!r}: no such kind; name a file such as 'runs.db', or 'memory:'")
    return at_home(place)
