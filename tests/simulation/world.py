"""The world outside the processes: a disk, a ledger of what was really done, and the chance that the seed gives."""

import random
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from agentorch.core.apply import apply
from agentorch.core.events import Event
from agentorch.core.identity import digest
from agentorch.core.invariants import Ended, check
from agentorch.core.state import RunState
from agentorch.journal.memory import MemoryJournal
from tests.simulation.ledger import Ledger

ASKING: ContextVar[tuple[str, str, int] | None] = ContextVar("asking", default=None)
"""Run, task and attempt of an agent that calls the model once."""


@dataclass
class Process:
    """One life of the program, from its start to its end or its death."""

    number: int
    dead: bool = False
    state: RunState | None = None
    """The run as it knows it: ahead of the disk."""


@dataclass
class World:
    """What outlives every process."""

    seed: int
    chance: random.Random
    disk: MemoryJournal = field(default_factory=MemoryJournal)
    process: Process = field(default_factory=lambda: Process(0))
    twins: dict[str, RunState] = field(default_factory=dict[str, RunState])
    """Each run as its durable events alone tell it."""
    ended: dict[str, Ended] = field(default_factory=dict[str, Ended])
    ledgers: dict[str, Ledger] = field(default_factory=dict[str, Ledger])
    """Each run's events, counted by hand."""
    paid: Counter[str] = field(default_factory=Counter[str])
    """How often each keyed effect really happened."""
    allowed: Counter[str] = field(default_factory=Counter[str])
    """How often a person said that it may be done again."""
    calls: Counter[str] = field(default_factory=Counter[str])
    """How often each step was really made."""
    asked: int = 0
    """Model calls that have left."""
    by_hand: set[str] = field(default_factory=set[str])
    """Tasks whose output a person gave."""
    troubles: Counter[str] = field(default_factory=Counter[str])
    """Failures that each task has had."""
    faults: list[str] = field(default_factory=list[str])
    """Faults that were injected, in order."""
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """How often a kind of fault met a task in a state."""
    violations: list[str] = field(default_factory=list[str])
    events: int = 0

    def pause(self, mean: float) -> float:
        """Return how long something takes."""
        return min(self.chance.expovariate(1 / mean), mean * 8)

    def happens(self, probability: float) -> bool:
        """Toss for it."""
        return self.chance.random() < probability

    def fault(self, kind: str, task: str | None = None) -> None:
        """Write down that a fault is injected, and in which state it meets the task, or every task."""
        self.faults.append(kind)
        for state in self.twins.values():
            for name, one in state.tasks.items():
                if task is None or name == task:
                    self.coverage[kind, one.waiting or str(one.status)] += 1

    def wrong(self, words: str) -> None:
        """Write down what must never happen."""
        if words not in self.violations:
            self.violations.append(words)

    def durable(self, events: list[Event]) -> None:
        """Take in what has just become durable: the state that it gives must be sound after every append."""
        run_id = events[-1].run_id
        ledger = self.ledgers.setdefault(run_id, Ledger(self.wrong))
        state = self.twins.setdefault(run_id, RunState(run_id))
        try:
            for event in events:
                self.events += 1
                ledger.enter(event)
                apply(state, event)
                state.gained.clear()
            self.ended[run_id] = check(state, self.ended.get(run_id))
        except AssertionError as error:
            self.wrong(f"invariant: {error}")
        except Exception as error:  # noqa: BLE001  # an event that its own journal does not bear is a finding
            self.wrong(f"event {state.seq} cannot be applied: {type(error).__name__}: {error}")

    def made(self, run: str, task: str, attempt: int, step: str) -> None:
        """A step is really made: it must not be durable for this attempt already."""
        mark = f"{task}/{attempt}/{step}"
        self.calls[mark] += 1
        twin, live = self.twins.get(run), self.process.state
        one = twin.tasks.get(task) if twin is not None else None
        now = live.tasks.get(task) if live is not None else None
        if one is None or now is None or (one.revision, one.attempt) != (now.revision, attempt):
            return
        if any(step in name for name in one.steps or ()):
            self.wrong(f"step {mark} was durable, and is made again")

    def asks(self) -> None:
        """A model call leaves; where its attempt makes one only, it must not have its answer already."""
        if self.process.dead:
            return
        self.asked += 1
        if asking := ASKING.get():
            self.made(*asking, "model")

    def leaves(self, key: str) -> None:
        """A dispatch leaves for another machine: that it was started must be durable."""
        twin = self.twins.get(key.split("/", maxsplit=1)[0])
        if twin is None or key not in self.ledgers[twin.run_id].issued:
            self.wrong(f"{key} left before it was durable")

    def acknowledged(self, key: str) -> None:
        """A result is acknowledged, and will not come again: what it led to must be durable."""
        twin = self.twins.get(key.split("/", maxsplit=1)[0])
        if twin is not None and key in twin.pending:
            self.wrong(f"the result of {key} was acknowledged before it was durable")

    def pays(self, effect: str) -> None:
        """An effect happens: that it was intended must be durable."""
        self.paid[effect] += 1
        if not any(effect in twin.receipts for twin in self.twins.values()):
            self.wrong(f"effect {effect} happened without a durable intent")

    @staticmethod
    def value(name: str, before: list[Any]) -> str:
        """Return what a task gives, whoever does it and however often."""
        return digest([name, before])[:12]
