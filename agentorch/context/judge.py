"""A judge: a check that asks a language model, in a fresh context that holds nothing of the author's."""

from dataclasses import KW_ONLY, dataclass
from typing import Any, Final, Protocol

from agentorch.core.verdict import Verdict
from agentorch.errors import ConfigurationError
from agentorch.ports.model import Model

JUDGE_TOKENS: Final = 24_000
"""Tokens of a judge's context by default."""


class Judging(Protocol):
    """What a judge is asked through: a `Context`."""

    async def judge(self, judge: "str | Judge", output: Any) -> Verdict:
        """Return the verdict on `output`."""
        ...


@dataclass(frozen=True, slots=True)
class Judge:
    """Criteria in words, held against an output by a language model that is shown both and nothing of the author's.

    A check like any other: `validators=[Judge("Every claim names its source.")]`, `critic.check(Judge(...))`, or
    `judge: ...` in an agent file. It is asked when every function has accepted. Its call is a model call of the
    attempt: journaled, counted, cancelled and paid for as one.
    """

    criteria: str
    """What must hold of the output."""
    _: KW_ONLY
    model: str | Model | None = None
    """Who judges; None is the model that the author has, in a context of its own."""
    name: str = "judge"
    """What it is called in events and problems."""
    sees_task: bool = False
    """Whether it is shown the objective and the inputs too; what does not fit is shown in part."""
    tokens: int = JUDGE_TOKENS
    """What its context may take; an output that does not fit whole is rejected."""

    def __post_init__(self) -> None:
        given: Any = self.criteria
        if not isinstance(given, str) or not given.strip():
            raise ConfigurationError(f"judge {self.name!r}: its criteria are {given!r:.60}; say what must hold")

    @property
    def model_name(self) -> str | None:
        """The name of the model of its own, if it has one."""
        return self.model if self.model is None or isinstance(self.model, str) else self.model.name

    async def __call__(self, output: Any, context: Any) -> Verdict:
        """Return the verdict on `output`."""
        judging: Judging = context
        return await judging.judge(self, output)
