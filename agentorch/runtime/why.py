"""Why a task stands as it does: the chain of causes, out of the journal alone.

1. Pure: the same events give the same lines, on any machine and with any team.
2. Every line names the event (`seq`) that it rests on.
3. The first line is how the task stands; below it, deeper by one, is what made it so, down to the first cause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agentorch.core.apply import apply
from agentorch.core.events import Event, TaskKept, TaskSucceeded
from agentorch.core.nearest import did_you_mean
from agentorch.core.state import FINAL, RunState, Status, TaskState
from agentorch.errors import ConfigurationError
from agentorch.runtime.why_words import conclusion, words_of


@dataclass(frozen=True, slots=True)
class Line:
    """One statement, and the event that it rests on."""

    seq: int
    text: str
    depth: int = 0
    """How far down the chain of causes."""


def explain(events: Sequence[Event], task: str) -> list[Line]:
    """Return why `task` stands as it does after `events`, the journal of one run from its first event on.

    ConfigurationError for a task that the run never had.
    """
    end = RunState(events[0].run_id if events else "")
    for event in events:
        apply(end, event)
    chain = _chain(end, task)
    histories = _Histories(chain)
    state = RunState(end.run_id)
    for event in events:
        histories.enter(state, event)
    lines: list[Line] = []
    for depth, name in enumerate(chain):
        found = _find(end, name)
        told = histories.told[name]
        decided = told[-1].seq if told and histories.final[name] else histories.since.get(name, end.seq)
        headline = conclusion(end, found, dropped=name not in end.tasks)
        seq = headline.seq or decided
        lines.append(Line(seq, headline.text, depth))
        if name in {chain[0], chain[-1]}:
            lines += [Line(line.seq, line.text, depth + 1) for line in told if not line.says_the_end]
    return lines


@dataclass(frozen=True, slots=True)
class _Told:
    seq: int
    text: str
    says_the_end: bool
    """Whether the headline says the same."""
