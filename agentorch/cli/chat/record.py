"""What is kept of a chat beside the journal: which runs are its turns, and what holds for the next one.

1. What was said and answered stands in the journal alone; a chat whose runs are in memory is not kept.
2. A record is a file of its own, which only its owner may read, written whole or not at all.
3. A record that is lost is made again from the tags of the runs (`chat`, `turn`).
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentorch.cli.settings import data_folder
from agentorch.errors import ConfigurationError

CHAT: Final = "chat"
"""The tag that names the chat of a run."""
TURN: Final = "turn"
"""The tag that says which turn it is, from 1."""
TO: Final = "to"
"""The tag that names the agent that was spoken to."""


class ChatRecord(BaseModel):
    """One chat."""

    model_config = ConfigDict(extra="ignore")  # a newer release may have written it

    id: str
    title: str = ""
    began: float = Field(default_factory=time.time)
    updated: float = Field(default_factory=time.time)
    journal: str = "memory:"
    """Where its runs are."""
    runs: list[str] = Field(default_factory=list[str])
    """The runs of its turns, in order."""
    model: list[str] = Field(default_factory=list[str])
    server: str | None = None
    """The server on this machine that was chosen in the chat."""
    agents: list[str] = Field(default_factory=list[str])
    files: list[str] = Field(default_factory=list[str])
    context: int | None = None
    """Tokens that a turn may see of those before it; None is the usual."""
    limits: dict[str, float] = Field(default_factory=dict[str, float])
    """The budget of each turn, by `Budget`'s names."""

    @property
    def is_kept(self) -> bool:
        """Whether there will be something to come back to."""
        return self.journal != "memory:"

    def save(self) -> None:
        """Write it; does nothing for a chat that is not kept. ConfigurationError when it cannot be written."""
        if not self.is_kept:
            return
        self.updated = time.time()
        try:
            self._write(_folder())
        except OSError as error:
            raise ConfigurationError(f"the chat cannot be kept: {error.filename}: {error.strerror}") from None

    def _write(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{self.id}.json"
        part = path.with_suffix(f".{os.getpid()}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))
        part.replace(path)


def newest(journal: str) -> ChatRecord:
    """Return the chat of this journal that was last written in; ConfigurationError when there is none."""
    mine = (record for record in _records() if record.journal == journal and record.runs)
    found = max(mine, key=lambda record: record.updated, default=None)
    if found is None:
        raise ConfigurationError(f"no chat has been kept with the journal {journal}: begin one with `agentorch chat`")
    return found


def named(name: str) -> ChatRecord | None:
    """Return the chat whose id begins with `name`, or whose title it is; ConfigurationError when several do."""
    found = [record for record in _records() if record.id.startswith(name) or record.title == name]
    if len(found) > 1:
        ids = ", ".join(record.id for record in found[:5])
        raise ConfigurationError(f"{len(found)} chats are named by {name!r}: {ids}; give more of the id")
    return found[0] if found else None


def _folder() -> Path:
    return data_folder() / "chats"


def _records() -> Iterator[ChatRecord]:
    """Go through what can be read: a damaged record hides no other."""
    for path in sorted(_folder().glob("*.json")):
        with suppress(OSError, ValidationError, json.JSONDecodeError, UnicodeDecodeError):
            yield ChatRecord.model_validate_json(path.read_text(encoding="utf-8"))
