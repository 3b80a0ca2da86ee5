"""A fork: a run that begins with what another run's journal says up to a place, and goes its own way from there.

1. Its own journal tells all of it: first the other's events, the dispatches in them being its own, then `RunForked`.
2. What the other run has done stays done. An output that is replaced starts the tasks again that saw it, as a patch
   would; those whose inputs come out equal keep their outputs.
3. Receipts keep the keys under which the effects happened, those of the other run. What would have a new effect, once
   only, is refused unless it was allowed. Model calls that were under way are charged as they were expected to be.
"""

from typing import Any

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.calling import calls_left_open
from agentorch.core.history import all_ended
from agentorch.core.joins import undecided
from agentorch.core.patching import enter, memo_of, recount, reset_by, take_out
from agentorch.core.running_time import begin_anew
from agentorch.core.special import carried_over
from agentorch.core.stamping import Stamp
from agentorch.core.state import RunState, Status, TaskState


def fork(state: RunState, message: msg.Fork, stamp: Stamp) -> list[ev.Event]:
    """Return the events of the other run as this one's, and where it leaves them."""
    if state.seq:
        return []
    events = [_own(event, message.parent, state.run_id) for event in message.events]
    stamp.seq = len(events)
    forked = stamp(
        ev.RunForked,
        parent=message.parent,
        place=message.place,
        outputs=message.outputs,
        owner=message.owner,
        cards=dict(message.cards),
        effects=message.effects,
        release=message.release,
    )
    return [*events, forked, *calls_left_open(events, stamp)]


def is_between_decisions(state: RunState) -> bool:
    """Whether nothing in the state waits for an event that was decided together with the last one."""
    planned = state.complete or "plan" in state.pending
    asked = "plan" in state.requests or not (state.complete and state.unsigned)
    if not (planned and asked):
        return False
    return all(task.status is not Status.PENDING or undecided(task) for task in state.tasks.values())


def _own(event: ev.Event, parent: str, run_id: str) -> ev.Event:
    """Return the event as one of the run `run_id`: what names a dispatch names its own."""
    changed: dict[str, Any] = {"run_id": run_id}
    if isinstance(event, ev.RunStarted):
        changed |= {"key": None, "request": None}  # they find the run that was asked for, not this one
    else:
        for name in ("key", "caller"):
            key = getattr(event, name, None)
            if isinstance(key, str) and key.startswith(f"{parent}/"):
                changed[name] = run_id + key[len(parent) :]
    return event.model_copy(update=changed)


def apply_fork(state: RunState, event: ev.RunForked) -> None:
    """Make a copy of another run a run of its own."""
    had_effects = (effect.partition("/")[0] for effect in state.receipts)  # the parent may be a fork from here too
    state.ancestors = tuple(dict.fromkeys((event.parent, *state.ancestors, *had_effects)))
    state.owner = event.owner
    state.cards = event.cards or state.cards
    state.no_new_effects = not event.effects
    state.started = event.at
    begin_anew(state, event.at)
    state.stopped = None
    if event.outputs:
        _replace(state, event.outputs)
    state.gained.clear()  # nothing of this run is under way: what the other one wanted done is pending, or done


def _replace(state: RunState, outputs: dict[str, Any]) -> None:
    """Give tasks their outputs, and start again those that saw other ones."""
    state.revision += 1
    for task in reset_by(state, outputs):
        memo, ended = memo_of(state, task, task.task), all_ended(task, state.updated)
        take_out(state, task)
        special = carried_over(memo=memo, spent=task.spent, ended=ended, before=task.before)
        enter(state, TaskState(task.task, state.revision, task.order, task.task.agent, special=special))
    for name, output in outputs.items():
        earlier = state.tasks[name]
        ended = all_ended(earlier, state.updated)
        take_out(state, earlier)
        state.surplus.pop(name, None)
        state.tasks[name] = TaskState(
            earlier.task,
            state.revision,
            earlier.order,
            earlier.task.agent,
            status=Status.SUCCEEDED,
            finished=state.updated,
            special=carried_over(spent=earlier.spent, ended=ended, before=earlier.before),
        )
        state.outputs[name] = output
    if state.replan is not None:
        state.replan.tasks = [name for name in state.replan.tasks if state.tasks[name].waiting == "replan"]
        if not state.replan.tasks:
            state.replan = None
            state.pending.pop("plan", None)
    state.ranks_stale = True
    recount(state)
