"""A file of recorded answers: JSON lines, one answer a line, for people to read and for git to compare.

1. An answer's key is a hash of who asks (agent, task, purpose) and of the rendered request, tools and output schema
   included. The same request asked again is the next number of its key. Neither says when it was asked.
2. The lines are sorted, so that a new answer is a new line, and the others stay where they are.
3. Writing merges: what others have written in the meantime stays, and a reader sees the old file or the new one whole.
"""

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from agentorch.core.identity import digest
from agentorch.errors import ConfigurationError
from agentorch.ports.model import ModelRequest, ModelResponse
from agentorch.testing.script_rule import rendered

_LABELS: Final = ("task", "agent", "purpose")
_KEY: Final = 16
"""Characters of a key: more than enough for a file."""
_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half of a character, as a model's answer may break off with one; no file can hold it but as JSON escapes it."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One answer."""

    key: str
    labels: dict[str, str]
    request: str
    """As it was rendered."""
    answer: ModelResponse
    number: int = 1
    """How many answers of the key there are up to this one."""
    pieces: tuple[int, ...] = ()
    """Lengths of the pieces in which its text came."""

    @property
    def place(self) -> tuple[str, ...]:
        """Where it stands among others."""
        return (*(self.labels.get(name, "") for name in _LABELS), self.key, f"{self.number:06}")


_RECORDING: Final = TypeAdapter(Recording)


class Cassette:
    """The recordings of one file; a file that is not there holds none."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.recordings = _read(self.path)

    def find(self, key: str, number: int) -> Recording | None:
        """Return an answer of a key; where none is known, the file is looked at once more."""
        if (key, number) not in self.recordings:
            self.recordings = _read(self.path)
        return self.recordings.get((key, number))

    def count(self, key: str) -> int:
        """Return how many answers a key has."""
        return sum(recorded == key for recorded, _ in self.recordings)

    def add(self, recording: Recording, *, anew: bool = False) -> None:
        """Keep an answer in the file; `anew` drops what the key had before."""
        with _alone(self.path.parent):
            kept = _read(self.path)
            if anew:
                kept = {place: one for place, one in kept.items() if place[0] != recording.key}
            kept[recording.key, recording.number] = recording
            _replace(self.path, kept.values())
        self.recordings = kept


def asked(
    request: ModelRequest, clean: Callable[[str], str], redact: Callable[[str], str]
) -> tuple[str, dict[str, str], str]:
    """Return a request's key, its labels and all of it as text.

    `clean` takes out of the text what must not be written; `redact`, out of the labels, what is secret.
    """
    lines = [rendered(request)]
    lines += [f"[parameters of {tool.name}] {_json(tool.parameters)}" for tool in request.tools]
    lines += [] if request.may_call else ["[no more calls]"]
    lines += [f"[schema] {_json(request.output.schema)}"] if request.output else []
    text = clean("\n".join(lines))
    labels = {name: redact(request.labels[name]) for name in _LABELS if name in request.labels}
    return digest([labels, text])[:_KEY], labels, text


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _read(path: Path) -> dict[tuple[str, int], Recording]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: no recordings can be read there: {error}; give a file of them") from error
    found: dict[tuple[str, int], Recording] = {}
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], 1):  # and at nothing else
        try:
            one = _RECORDING.validate_python(json.loads(line))
        except ValueError as error:  # of JSON, or a ValidationError
            where = f"{path}:{number}"
            raise ConfigurationError(f"{where}: this is no recording; mend the line, or record anew") from error
        found[one.key, one.number] = one
    return found


def _escaped(half: re.Match[str]) -> str:
    return f"\\u{ord(half[0]):04x}"


def _replace(path: Path, recordings: Any) -> None:
    ordered: list[Recording] = sorted(recordings, key=lambda one: one.place)
    values = [_RECORDING.dump_python(one, mode="json", exclude_defaults=True) for one in ordered]
    lines = [_HALF.sub(_escaped, json.dumps(value, ensure_ascii=False)) for value in values]
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Keep other processes from writing in the folder, where the system has locks for that."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl  # noqa: PLC0415  # not on every system
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
