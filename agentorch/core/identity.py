"""Identities: the ids of tasks, the key of a dispatch, and the digest of a value.

1. A key `<run>/<task>/<task revision>/<attempt>/<dispatch>` names one hand-over of one attempt; outcomes answer keys.
2. A digest is a function of the JSON value alone: keys are sorted, so that field order never matters.
"""

import hashlib
import json
import re
from typing import Any, Final, NamedTuple

ID: Final = re.compile(r"[a-z][a-z0-9_-]*")
"""What a task id must fully match."""
_ATTEMPT: Final = re.compile(r"\.\d+\.([a-z])")
"""In the id of a delegated task: the attempt of its caller, before the agent that was called."""


class Key(NamedTuple):
    """A dispatch key, taken apart."""

    run: str
    task: str
    revision: int
    attempt: int
    dispatch: int

    def __str__(self) -> str:
        return f"{self.run}/{self.task}/{self.revision}/{self.attempt}/{self.dispatch}"

    @classmethod
    def parse(cls, text: str) -> "Key":
        """Take `text` apart; ValueError when it is not a key."""
        run, task, revision, attempt, dispatch = text.split("/")
        return cls(run, task, int(revision), int(attempt), int(dispatch))


def lineage(task: str) -> str:
    """Return the id of a task without the attempts of those that delegated it: what is the same in each of them."""
    return _ATTEMPT.sub(r".\1", task) if "." in task else task


def digest(value: Any) -> str:
    """Return 32 hex digits of SHA-256 over the canonical JSON of `value`."""
    return hashlib.sha256(_CANONICAL.encode(value).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def fraction(text: str) -> float:
    """Return a number in [0, 1) that depends on `text` alone: the core's stand-in for randomness."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 2**56


def _encode(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is not a JSON value: {value!r:.80}")


_CANONICAL: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_encode)
