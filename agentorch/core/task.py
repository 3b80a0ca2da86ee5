"""A task: one unit of work in a plan, and the plan as the core sees it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from agentorch.core.policy import Policy
from agentorch.core.usage import Budget

EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})
"""The inputs of a task that has none."""
UNSET: Final = Policy()
"""A policy that sets nothing."""


def _shared(policy: Any) -> Any:
    return UNSET if policy == {} else policy


_UNSAID: Final[Mapping[str, Any]] = {
    "objective": "",
    "inputs": EMPTY,
    "needs": (),
    "policy": UNSET,
    "seconds": None,
    "budget": None,
}
"""What a task has that says nothing of it."""
SharedPolicy = Annotated[Policy, BeforeValidator(_shared)]
"""A policy that is the one `UNSET` where it sets nothing: most tasks', and to make one takes a third of the reading."""


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work.

    `needs` holds every task that it waits for: those named by references in `inputs` and `objective`, and the
    explicit ones. Whoever makes a task says only the explicit ones; `core.references.with_needs` adds the rest.
    """

    id: str
    """`[a-z][a-z0-9_-]*`, unique in the plan."""
    agent: str
    """The name of the agent that does it."""
    objective: str = ""
    """What is wanted, in words; `${id.path}` is filled in."""
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """JSON values by parameter name; a string that is wholly `$id` or `$id.path` is that value."""
    needs: tuple[str, ...] = ()
    """Ids of the tasks that it waits for, in order, each once."""
    policy: SharedPolicy = UNSET
    """What this task sets; the agent's, the run's and the default apply to the rest."""
    seconds: float | None = None
    """How long it is expected to take; orders the ready tasks."""
    budget: Budget | None = None
    """Limits on all its attempts and on what it delegates, within those of the run."""

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """What it says, for what shows it: all else is as in any other task."""
        for name in self.__slots__:
            value = getattr(self, name)
            said = name not in _UNSAID or value != _UNSAID[name]
            if said or (name == "policy" and self.policy.model_fields_set):  # a default that was set is a setting
                yield name, value

    def __repr__(self) -> str:
        return f"Task({', '.join(f'{name}={value!r}' for name, value in self.__repr_args__())})"

    def __getitem__(self, path: str | int) -> str:
        """Return the reference to a part of this task's output: `task["rows"]` is `"$load.rows"`."""
        return f"${self.id}.{path}"

    @property
    def ref(self) -> str:
        """The reference to this task's whole output: `"$load"`."""
        return f"${self.id}"


@dataclass(frozen=True, slots=True)
class Graph:
    """A whole plan as the core sees it: tasks in any order, and which reference answers the goal."""

    tasks: tuple[Task, ...]
    answer: str | None = None
    """A reference; None means the only sink, or a last task `answer` over the several sinks."""
