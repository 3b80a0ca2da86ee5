"""The card: all that a planner, a verifier or a scheduler may know of an agent."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agentorch.core.policy import Policy

Effect = Literal["none", "idempotent", "once"]
"""What a call does to the outside world."""

JsonSchema = dict[str, Any]
"""A JSON Schema as pydantic writes it."""


class AgentCard(BaseModel):
    """An agent, described."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    description: str = ""
    input: JsonSchema = Field(default_factory=lambda: {"type": "object"})
    """Schema of the inputs: an object; `required` and `additionalProperties` mean what they say."""
    output: JsonSchema = Field(default_factory=dict)
    """Schema of the output; `{}` is anything."""
    capabilities: tuple[str, ...] = ()
    """Words for look-up: agents that share one may stand in for each other."""
    effects: Effect = "none"
    """The strongest effect of the agent and its tools."""
    tracked: bool = False
    """Whether all its effects are those of tools that it uses through its context, so that each leaves a trace.

    What an agent does in its own body nobody can see."""
    needs_model: bool = False
    """Whether it can do nothing without a language model."""
    asks_model: bool = False
    """Whether it asks one where there is one, and can do without."""
    call_money: float = 0.0
    """US dollars that a usual call of its model costs; found out only where a run has a limit of money."""
    repairable: bool = False
    """Whether it can mend a rejected output: a prompt agent, or a parameter `problems: list[str]`."""
    models: int = 1
    """How many models it can be tried with, in order."""
    unpriced: str = ""
    """A model of it whose price nobody knows; found out only where a run has a limit of money."""
    fallback: tuple[str, ...] = ()
    """Agents declared to stand in for it."""
    policy: Policy = Policy()
    """What the agent's author set; a task may set it otherwise."""
    version: str = ""
    """Hash of its source or prompt."""

    @property
    def acts_unseen(self) -> bool:
        """Whether it may do, once only, what leaves no trace: it is never started again by itself."""
        return self.effects == "once" and not self.tracked


def money_problem(limit: float | None) -> Callable[[AgentCard], str | None] | None:
    """Return what says why an agent cannot be used under a limit of money; None without a limit."""
    if limit is None:
        return None

    def problem(card: AgentCard) -> str | None:
        if not card.unpriced:
            return None
        return f"the price of model {card.unpriced!r} is unknown, so max_money={limit:g} could not be held"

    return problem
