"""One decision: a message in, the events of one append out, the state moved past them."""

from collections.abc import Container

from agentorch.core import plain
from agentorch.core.admission import started
from agentorch.core.apply import apply
from agentorch.core.closing import conclude, is_due
from agentorch.core.decide import decide
from agentorch.core.events import Event
from agentorch.core.inbox import Message, Succeed
from agentorch.core.invariants import InvariantError
from agentorch.core.scheduling import next_ready
from agentorch.core.stamping import Stamp
from agentorch.core.state import RUNNING, RunState


def advance(state: RunState, message: Message) -> list[Event]:
    """Decide on `message`, apply what was decided, and close the run when nothing is left to do.

    The events belong together: they are appended to the journal as one. What they want done is in `state.gained`.
    InvariantError when an end is due that nothing brings nearer: the process that carries the run out must not hang.
    """
    done = plain.succeed(state, message) if type(message) is Succeed else None
    if done is not None:
        events: list[Event] = [done]
    else:
        events = decide(state, message)
        for event in events:
            apply(state, event)
    if (done is None or not state.open or state.surplus or state.checks) and is_due(state):
        _conclude(state, message.at, events)
    return events


def admit_ready(state: RunState, at: float, *, most: int, busy: Container[str] = ()) -> list[Event]:
    """Return what `advance` would on `Admit` of the best ready tasks one after the other, `most` of them at most.

    Tasks of agents in `busy` are not admitted. Nothing is done twice that is the same for all of them.
    """
    events: list[Event] = []
    while most > 0 and state.ready_count:
        task = next_ready(state, busy)
        if task is None:
            break
        most -= 1
        begun = plain.start(state, task, at)
        if begun is not None:
            events.append(begun)
            continue
        decided = started(state, task, Stamp(state, at))
        for event in decided:
            apply(state, event)
        events += decided
        if task.status is RUNNING:  # which brings no end nearer
            continue
        if is_due(state):
            _conclude(state, at, events)
        if not decided or state.finished or state.cancelling is not None or state.stopped is not None:
            break
    return events


def _conclude(state: RunState, at: float, events: list[Event]) -> None:
    """Add to `events` what closes the run, or brings it nearer to its end."""
    while is_due(state):
        last = conclude(state, Stamp(state, at))
        if not last:
            raise InvariantError(f"run {state.run_id}, event {state.seq}: {state.open} are open, and none is found")
        for event in last:
            apply(state, event)
        events += last


def replay(state: RunState, events: list[Event]) -> RunState:
    """Apply a journal's events; afterwards `state.pending` is what must be carried out again."""
    for event in events:
        apply(state, event)
    state.gained.clear()
    return state
