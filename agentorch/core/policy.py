"""How failures are met: attempts, fallbacks, re-plans, joins, timeouts and limits.

A setting on a task beats the same setting on its agent, which beats the run's, which beats the default. Only what was
set counts, so a policy of one field changes one field.
"""

from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, cast

from pydantic import BaseModel, ConfigDict, Field, model_serializer

Join = Literal["all", "any", "settled"] | int
"""Which needs must hold before a task starts; an int is "k of n"."""


class Policy(BaseModel):
    """The bounds of the ladder and of the run."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    attempts: int = Field(default=2, ge=1)
    """Fresh starts of a task with one agent and one model."""
    repairs: int = Field(default=2, ge=0)
    """Repairs of a rejected output with one agent and one model."""
    replans: int = Field(default=2, ge=0)
    """Re-plans of the run."""
    timeout: float | None = Field(default=600, gt=0)
    """Seconds that one dispatch may run; time spent waiting for a rate limit does not count.

    The run's holds for planners too: seconds without an accepted task or a word of their model, waiting included.
    """
    silence: float | None = Field(default=120, gt=0)
    """Seconds without a word from a model before the call counts as lost."""
    grace: float = Field(default=5, ge=0)
    """Seconds that a body has to end in once it was stopped; then the run goes on without it, and names it."""
    fallback: tuple[str, ...] = ()
    """Agents to try, in order, when the task's own agent has failed."""
    join: Join = "all"
    """Which needs must hold."""
    on_failure: Literal["isolate", "fail_run"] = "isolate"
    """Whether a failed task takes only its dependents or the whole run."""
    cancel_rest: bool = False
    """Whether needs that the join did not wait for are cancelled."""
    approval: Literal["before", "plan"] | None = None
    """"before": a person must agree before the task starts; "plan", for a run: to the whole plan before it runs."""
    repeats: int | None = Field(default=5, ge=1)
    """Turns in a row in which a model may make only calls whose answers it has had; then its attempt has stalled.

    None looks for no repetition at all: neither for these turns, nor for attempts that bring the same output with the
    same problems again, nor for agents that call each other in a circle with the same inputs.
    """
    parallel: int = Field(default=32, ge=1)
    """Tasks of the run that may run at once."""
    max_tasks: int = Field(default=100, ge=1)
    """Tasks that a planner may ask for; a hand-made plan has no limit."""

    @model_serializer(mode="plain")
    def _only_what_is_set(self) -> dict[str, Any]:
        chosen = self.__pydantic_fields_set__
        return {name: getattr(self, name) for name in type(self).model_fields if name in chosen} if chosen else {}

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Only what was set, as whoever made it wrote it: the rest is somebody else's to say."""
        return ((name, getattr(self, name)) for name in type(self).model_fields if name in self.model_fields_set)

    def __str__(self) -> str:
        return repr(self)

    def whole(self) -> "Policy":
        """Return the same policy with every default written out, for the journal."""
        return _whole(cast("Hashable", self))

    def over(self, base: "Policy") -> "Policy":
        """Return `base` with what is set here put over it."""
        if not self.model_fields_set:
            return base
        settings = {name: getattr(self, name) for name in self.model_fields_set}
        return base.model_copy(update=settings)


@lru_cache(maxsize=64)  # many runs share few policies
def _whole(policy: Hashable) -> Policy:
    return Policy(**{name: getattr(policy, name) for name in Policy.model_fields})


DEFAULT: Final = Policy()
"""Every default."""


class AgentDefaults(NamedTuple):
    """What holds in a run for the tasks of one agent that set nothing of their own."""

    policy: Policy
    plain: bool
    """Whether such a task may start without more ado: nothing is set aside for it, and nobody is asked."""
    untracked: bool
    """Whether it may do what leaves no trace: its start must be on the disk before it begins."""


TRANSIENT_DISPATCHES: Final = 6
"""Dispatches of one attempt, the first included, before transient failures count as a failed attempt."""
TRANSIENT_SECONDS: Final = 600.0
"""Seconds from an attempt's first dispatch after which a transient failure is not retried."""
BACKOFF_FIRST: Final = 1.0
"""Seconds before the second dispatch, before jitter; doubled each time."""
BACKOFF_LONGEST: Final = 60.0
"""The longest wait that is ours; a provider's Retry-After may be longer."""
