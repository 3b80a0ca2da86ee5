"""What the core wants done: wishes, imperative, never in the journal.

A command is a consequence of the state: `RunState.pending` holds every one that still waits for its answer, so recovery
is to apply all events and to carry out what is pending.
"""

from dataclasses import dataclass


@dataclass(slots=True, unsafe_hash=True)  # not frozen: that triples the cost, and each task makes one
class Dispatch:
    """Hand an attempt to a worker."""

    key: str
    task: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Tell whoever works on `key` to stop: its outcome will be late."""

    key: str
    task: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """The task may start again at `due` (seconds since the epoch)."""

    task: str
    due: float


@dataclass(frozen=True, slots=True)
class AskPlanner:
    """Ask for the plan (`number` 0) or for a patch (the re-plan's number)."""

    number: int
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Show a request to whoever can answer it."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give a delegated task's result to the dispatch that called it."""

    task: str
    caller: str


@dataclass(frozen=True, slots=True)
class CheckOutputs:
    """Hold the outputs of several tasks against each other."""

    check: str
    number: int
    """How-many-eth time that it is asked."""
    tasks: tuple[str, ...]


Command = Dispatch | Withdraw | SetTimer | AskPlanner | AskPerson | Deliver | CheckOutputs
