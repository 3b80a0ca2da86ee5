"""What happened to the tasks of a run, as a data frame of whichever library is there."""

import importlib
from collections.abc import Iterable
from typing import Any, Final, Literal

from agentorch.core.records import TaskRecord
from agentorch.errors import ConfigurationError, MissingExtraError

Library = Literal["pandas", "polars"]
LIBRARIES: Final[tuple[Library, ...]] = ("pandas", "polars")
_TYPES: Final[dict[str, type]] = {
    **dict.fromkeys(("task", "agent", "state"), str),
    "attempts": int,
    **dict.fromkeys(("seconds", "waiting"), float),
    **dict.fromkeys(("input_tokens", "cached_tokens", "output_tokens"), int),
    "money": float,
    "caller": str,
}
"""What is in a column, where it is empty too."""


def frame_of(records: Iterable[TaskRecord], library: Library | None) -> Any:
    """Return a frame with a row for each record; the first library that is installed makes it, or the one named."""
    if library is not None and library not in LIBRARIES:
        raise ConfigurationError(f"library={library!r}: it can be 'pandas' or 'polars'")
    for name in LIBRARIES if library is None else (library,):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        columns = _columns(records)
        # By itself polars would give a column without values a type of its own, which no other frame can be joined to.
        return module.DataFrame(columns, schema=_TYPES) if name == "polars" else module.DataFrame(columns)
    if library == "polars":
        raise ConfigurationError("to_frame(library='polars') needs polars: pip install polars")
    raise MissingExtraError("Outcome.to_frame()", "notebook")


def _columns(records: Iterable[TaskRecord]) -> dict[str, list[Any]]:
    found = list(records)
    return {
        "task": [one.task for one in found],
        "agent": [one.agent for one in found],
        "state": [one.state for one in found],
        "attempts": [one.attempts for one in found],
        "seconds": [one.seconds for one in found],
        "waiting": [one.waiting for one in found],
        "input_tokens": [one.usage.input_tokens for one in found],
        "cached_tokens": [one.usage.cached_tokens for one in found],
        "output_tokens": [one.usage.output_tokens for one in found],
        "money": [one.usage.money for one in found],
        "caller": [one.caller for one in found],
    }
