"""One turn of a chat: what was said, and what came of the run that it was."""

from dataclasses import dataclass, field
from typing import Any, Final, cast

from agentorch.cli.words import json_text
from agentorch.core.usage import NOTHING, Usage
from agentorch.runtime.outcome import Outcome, OutcomeStatus

STOPPED: Final = "stopped"
"""The status of a turn that was stopped, and can be taken up again."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A message and its answer."""

    message: str
    run_id: str
    status: str
    """That of the run: succeeded, partial, failed, cancelled, waiting or stopped."""
    agent: str | None = None
    """Who it was said to; None is the whole team."""
    bare: str = ""
    """The message without the names of what it attached; empty when it attached nothing."""
    answer: str = ""
    """The answer as text, as far as it was written; empty when there is none."""
    finished: tuple[str, ...] = ()
    """Tasks that are done: what is kept of a turn that was stopped."""
    sources: tuple[str, ...] = ()
    usage: Usage = field(default=NOTHING)
    seconds: float = 0.0
    """Its running time: neither while nobody carried it out, nor while it waited for a person alone."""
    asks: bool = False
    """Whether something is asked in it that nobody has answered."""

    @property
    def is_open(self) -> bool:
        """Whether it can be taken up: it was stopped, or waits."""
        return self.status in {STOPPED, str(OutcomeStatus.WAITING)}

    @property
    def mark(self) -> str:
        """What is to be said beside the answer: empty when it is whole."""
        if self.status == "succeeded":
            return ""
        kept = f"; finished: {', '.join(self.finished)}" if self.finished and not self.answer else ""
        return f"{self.status}{kept}"


def turn_of(message: str, outcome: Outcome, *, status: str = "") -> Turn:
    """Return the turn that an outcome closes."""
    return Turn(
        message=message,
        run_id=outcome.run_id,
        status=status or str(outcome.status),
        answer=as_words(outcome.answer),
        finished=tuple(outcome.outputs),
        sources=outcome.sources,
        usage=outcome.usage,
    )


def as_words(answer: Any) -> str:
    """Return an answer as text: what an object says as its `answer`, beside other things; JSON for what is no text."""
    if answer is None:
        return ""
    if isinstance(answer, str):
        return answer.rstrip("\n")
    said = cast("dict[str, Any]", answer).get("answer") if isinstance(answer, dict) else getattr(answer, "answer", None)
    return said.rstrip("\n") if isinstance(said, str) else json_text(answer, indent=2)
