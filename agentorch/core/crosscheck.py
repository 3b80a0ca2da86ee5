"""A check across tasks, as the journal knows it: the function itself is the orchestrator's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """Which outputs are held against each other, and which of them is done again when they do not agree."""

    name: str
    about: tuple[str, ...]
    """Ids of tasks, or names of agents that have just one task of the plan."""
    redo: str
    """The one of them that gets the problems."""
