"""How things go wrong, classified: the kinds that the ladder tells apart, and problems in words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, cast

from agentorch.errors import FailureKind

__all__ = ["WORST_FIRST", "Code", "FailureKind", "Problem", "members_of"]


class Code(StrEnum):
    """What the verifier and the run report; `E_` stops, `W_` warns."""

    EMPTY = "E_EMPTY"
    SYNTAX = "E_SYNTAX"
    TRUNCATED = "E_TRUNCATED"
    SCHEMA = "E_SCHEMA"
    DUP_ID = "E_DUP_ID"
    UNKNOWN_AGENT = "E_UNKNOWN_AGENT"
    UNKNOWN_DEP = "E_UNKNOWN_DEP"
    SELF_DEP = "E_SELF_DEP"
    CYCLE = "E_CYCLE"
    REF_PATH = "E_REF_PATH"
    TYPE = "E_TYPE"
    ARGS = "E_ARGS"
    LIMIT = "E_LIMIT"
    BUDGET = "E_BUDGET"
    UNREACHABLE_FINAL = "E_UNREACHABLE_FINAL"
    PATCH = "E_PATCH"
    """A patch that may not be applied: it touches what is dispatched or has had effects, or repeats a plan."""
    DUPLICATE_TASK = "W_DUPLICATE_TASK"
    ORPHAN = "W_ORPHAN"
    UNCHECKED = "W_UNCHECKED"
    """A check across tasks that never came to be asked."""
    UNKNOWN_REF = "W_UNKNOWN_REF"
    RUNS_ON = "W_RUNS_ON"
    """The body of a task did not end although it was stopped."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in words that a person, an agent or a planner can act on."""

    code: str
    """A `Code` for plans, a `FailureKind` for tasks, else a short word."""
    message: str
    """The thing and the value, in one line."""
    task: str | None = None
    """The task that it concerns, if any."""
    remedy: str | None = None
    """What to do about it, if known."""

    @property
    def is_error(self) -> bool:
        """Whether it stops a plan; warnings do not."""
        return not self.code.startswith("W_")

    @property
    def line(self) -> str:
        """The message in one line, the task in front unless the message names it."""
        words = " ".join(self.message.split())
        named = self.task is None or f"'{self.task}'" in words
        return words if named else f"{self.task}: {words}"

    def __str__(self) -> str:
        # A word that stood before a message without anything between them would be read as the first of its words.
        head = f"{self.code} {self.task}:" if self.task else f"{self.code}{':' * self.code.islower()}"
        tail = f" ({self.remedy})" if self.remedy else ""
        return f"{head} {self.message}{tail}"


WORST_FIRST: Final = (
    FailureKind.UNKNOWN,
    FailureKind.BUDGET,
    FailureKind.UNCONFIGURED,
    FailureKind.PERMANENT,
    FailureKind.REFUSED,
    FailureKind.CANCELLED,
    FailureKind.CRASH,
    FailureKind.INVALID,
    FailureKind.TRANSIENT,
)
"""Of what went wrong at once, the first of these counts.

First where a person must be asked, then what no further try mends, then what a fresh one may; what is mended in its
form, and what passes by itself, count only where there is nothing else.
"""


def members_of(error: BaseException) -> list[BaseException]:
    """Return what went wrong at once: the members of an exception group, and of those in it, each once; or `error`."""
    found: dict[int, BaseException] = {}
    rest = [error]
    while rest:
        one = rest.pop()
        if id(one) in found:
            continue
        found[id(one)] = one
        if isinstance(one, BaseExceptionGroup):
            rest.extend(reversed(cast("BaseExceptionGroup[Any]", one).exceptions))
    return [one for one in found.values() if not isinstance(one, BaseExceptionGroup)]
