"""What is found in the journal and in the ledger when a run that was killed has come to its end."""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agentorch.core import invariants
from agentorch.core.advance import replay
from agentorch.core.events import Event, RunFinished, TaskStarted, TaskSucceeded
from agentorch.core.identity import Key
from agentorch.core.state import RunState
from agentorch.journal import reader
from tests.faults.ledger import Ledger
from tests.faults.story import EFFECTS, INDEXED, KEY, places


@dataclass(slots=True)
class Findings:
    """What is wrong with one story; all of it empty or 0 when nothing is."""

    outcome: dict[str, Any] | None = None
    """What came of it; None when it came to no end."""
    problems: list[str] = field(default_factory=list[str])
    """In words: a broken chain or invariant, no end, a second end, an unexpected outcome."""
    commits: int = 0
    """Tasks that succeeded, all told."""
    committed_twice: list[str] = field(default_factory=list[str])
    fired: int = 0
    """Effects that may happen once and did, all told."""
    fired_twice: list[str] = field(default_factory=list[str])
    """Those that happened more often than they are meant to, by their keys, or by the tool and its arguments."""
    calls: int = 0
    """Model calls, all told: never more than the budget allows."""
    in_flight: int = 0
    """Calls made again whose answer had not reached the agent when it was killed."""
    repeated: list[str] = field(default_factory=list[str])
    """Calls made again whose answer the agent had had."""

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not (self.problems or self.committed_twice or self.fired_twice or self.repeated)


def look(folder: Path, expected: dict[str, Any] | None = None, *, calls: int | None = None) -> Findings:
    """Return what is found in the folder of a story that should come to `expected` with at most `calls` model calls."""
    place, book, result = places(folder)
    findings = Findings()
    if result.exists():
        findings.outcome = json.loads(result.read_text())
    else:
        said = (folder / "said").read_text() if (folder / "said").exists() else ""
        findings.problems.append(f"no outcome: {said[-2000:]}")
    if expected is not None and findings.outcome != expected:
        findings.problems.append(f"the outcome is {findings.outcome}, not {expected}")
    _look_at_journal(place, findings)
    _look_at_ledger(Ledger(book), findings)
    if calls is not None and findings.calls > calls:
        findings.problems.append(f"{findings.calls} model calls were made, and the budget is {calls}")
    return findings


def events_of(place: Path) -> list[Event]:
    """Return the events of the story's run, checked against the chain."""
    with closing(sqlite3.connect(place)) as connection:
        record = reader.by_key(connection, KEY)
        return [] if record is None else reader.events(connection, record.run_id, 0, 1_000_000)


def _look_at_journal(place: Path, findings: Findings) -> None:
    try:
        events = events_of(place)
        invariants.check(replay(RunState(events[0].run_id), events))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what was to be found
        findings.problems.append(f"the journal: {type(error).__name__}: {error}")
        return
    ends = sum(isinstance(event, RunFinished) for event in events)
    if ends != 1 or not isinstance(events[-1], RunFinished):
        findings.problems.append(f"RunFinished stands {ends} times, and last is {events[-1].type}")
    commits = Counter(_revision(event.key) for event in events if isinstance(event, TaskSucceeded))
    findings.commits = commits.total()
    findings.committed_twice = [task for task, count in commits.items() if count > 1]
    started = Counter(event.key for event in events if isinstance(event, TaskStarted))
    findings.problems += [f"{key} was started {count} times" for key, count in started.items() if count > 1]


def _revision(key: str) -> str:
    parsed = Key.parse(key)
    return f"{parsed.task}/{parsed.revision}"


def _look_at_effects(ledger: Ledger, findings: Findings) -> None:
    """Count what happened under one key, and what happened at all: a double may well have a key of its own."""
    entries = ledger.entries("fired")
    keys, done = Counter(entry.key for entry in entries), Counter(entry.what for entry in entries)
    findings.fired = len(entries)
    findings.fired_twice = [key for key, count in keys.items() if count > 1]
    findings.fired_twice += [what for what, count in done.items() if count > EFFECTS.get(what, 0)]
    missing = [what for what, count in EFFECTS.items() if done[what] < count]
    indexed = {(entry.what, entry.key) for entry in ledger.entries("keyed")}
    if len(indexed) != len({what for what, _ in indexed}):
        findings.problems.append(f"one call has several keys: {sorted(indexed)}")
    missing += INDEXED - {what for what, _ in indexed}
    if missing:
        findings.problems.append(f"did not happen: {missing}")


def _look_at_ledger(ledger: Ledger, findings: Findings) -> None:
    _look_at_effects(ledger, findings)
    had: set[str] = set()
    asked: set[str] = set()
    for entry in ledger.entries():
        if entry.kind == "got":
            had.add(entry.key)
        elif entry.kind in {"asked", "stepped"}:
            findings.calls += entry.kind == "asked"
            if entry.key in had:
                findings.repeated.append(entry.key)
            elif entry.key in asked:
                findings.in_flight += 1
            asked.add(entry.key)
