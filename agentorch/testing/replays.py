"""A run's journal gives back the run: at every prefix, and to whoever attaches.

1. Applied event by event, or at once from the start, a prefix of the journal gives the same state. Up to `prefixes` of
   them are applied from the start, in even steps; each run has at least its whole journal tried so.
2. The state is sound after each decision: events that bear one time may be of one decision, and are taken together.
3. At its end the state is that of the run as it is carried out, and its outcome the one that was given.
"""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from agentorch.core.advance import replay
from agentorch.core.events import Event
from agentorch.core.invariants import Ended, check
from agentorch.core.state import RunState
from agentorch.errors import RunNotFoundError
from agentorch.ports.journal import Journal
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.run import Run
from agentorch.testing.snapshot import snapshot

_SMALL = 200
"""Tasks up to which a state is checked after each decision; a larger one, where a prefix is tried."""


async def assert_replays(
    source: Orchestrator | Journal, run: Run | Outcome | str, *, prefixes: int = 100
) -> Sequence[Event]:
    """Raise AssertionError unless the run's journal gives it back; return its events.

    `source` is an open orchestrator, or the journal alone: then nobody attaches. `run` is the run, its outcome, or its
    id. One that is still carried out is compared as it stands when nothing more happens by itself.
    """
    run_id = run if isinstance(run, str) else run.id if isinstance(run, Run) else run.run_id
    if not isinstance(source, Orchestrator):
        events = await _read(source, run_id)
        _same(run_id, run if isinstance(run, Run) else None, _replayed(run_id, events, prefixes))
        return events
    attached = await source.attach(run_id)
    outcome = await attached.outcome()
    if isinstance(run, Outcome):
        assert outcome == run, f"run {run_id}: whoever attaches is told {outcome}, and not {run}"
    events: list[Event] = []
    async for event in attached.events():
        events.append(event)
        if event.seq >= _state_of(attached).seq:
            break
    replayed = _replayed(run_id, events, prefixes)
    _same(run_id, attached, replayed)
    _same(run_id, run if isinstance(run, Run) else None, replayed)
    return events


async def _read(journal: Journal, run_id: str) -> list[Event]:
    events: list[Event] = []
    while page := await journal.read(run_id, after=len(events)):
        events += page
    if not events:
        raise RunNotFoundError(f"the journal holds no run {run_id}")
    return events


def _replayed(run_id: str, events: Sequence[Event], prefixes: int) -> RunState:
    step = max(1, -(-len(events) // max(1, prefixes)))
    state, ended = RunState(run_id), Ended()
    for length, (event, following) in enumerate(zip_longest(events, events[1:]), 1):
        try:
            replay(state, [event])
        except Exception as error:
            raise AssertionError(f"run {run_id}: event {event.seq} {event.type} cannot be applied: {error}") from error
        tried = length % step == 0 or following is None
        decided = following is None or following.at != event.at
        if decided and (tried or len(state.tasks) <= _SMALL):
            ended = check(state, ended)
        if tried:
            at_once = replay(RunState(run_id), [*events[:length]])
            _equal(f"run {run_id}, up to {event.seq} {event.type}: applied at once and one by one", at_once, state)
    return state


def _same(run_id: str, run: Run | None, replayed: RunState) -> None:
    if run is not None:
        _equal(f"run {run_id}: replayed and as it is carried out", replayed, _state_of(run))


def _state_of(run: Run) -> RunState:
    return run._hosted.state  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # what it really knows, not its words


def _equal(what: str, one: RunState, other: RunState) -> None:
    ours, theirs = snapshot(one), snapshot(other)
    if ours != theirs:
        differing = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
        raise AssertionError(f"{what}, the states differ: {_shown(differing)}")


def _shown(differing: dict[str, Any]) -> str:
    return "; ".join(f"{name}: {one!r:.300} and {other!r:.300}" for name, (one, other) in differing.items())
