"""Model calls under a budget that limits models: each counts from just before it leaves until its use is told."""

from collections.abc import Iterable

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.reservations import account_of
from agentorch.core.stamping import Stamp
from agentorch.core.state import RunState
from agentorch.core.usage import Usage


def call_model(state: RunState, message: msg.CallModel, stamp: Stamp) -> list[ev.Event]:
    """Count a call in, unless whoever makes it has no business any more, or nothing limits it."""
    task = None if message.key is None else state.of_key(message.key)
    if message.call in state.calls or (task is None and message.key is not None):
        return []
    if (state.account if task is None else account_of(state, task)) is None:
        return []
    return [
        stamp(
            ev.ModelCalled,
            task=task.task.id if task is not None else None,
            call=message.call,
            reserved=message.reserved,
            expected=message.expected,
            purpose=message.purpose,
        )
    ]


def spend(state: RunState, message: msg.Spend, stamp: Stamp) -> list[ev.Event]:
    """Charge what was used: in the place of an open call's estimate, once, or by itself."""
    if message.call is None:
        return [stamp(ev.UsageAdded, purpose=message.purpose, usage=message.usage)]
    call = state.calls.get(message.call)
    if call is None:
        return []
    task = call.account.task
    return [stamp(ev.UsageAdded, task=task, purpose=message.purpose, usage=message.usage, call=message.call)]


def lost_calls(state: RunState, stamp: Stamp) -> list[ev.Event]:
    """Charge every open call with what was expected of it: whoever made it will not tell any more."""
    return [_untold(call.account.task, name, call.expected, stamp) for name, call in state.calls.items()]


def calls_left_open(events: Iterable[ev.Event], stamp: Stamp) -> list[ev.Event]:
    """Charge the calls that are open at the end of `events`: in a fork, nobody tells of those of the other run."""
    left: dict[str, ev.ModelCalled] = {}
    for event in events:
        if isinstance(event, ev.ModelCalled):
            left[event.call] = event
        elif isinstance(event, ev.UsageAdded | ev.StepFinished | ev.OutcomeLate) and event.call is not None:
            left.pop(event.call, None)
    return [_untold(event.task, name, event.expected, stamp) for name, event in left.items()]


def _untold(task: str | None, call: str, expected: Usage, stamp: Stamp) -> ev.Event:
    purpose = "a model call that nobody tells the use of"
    return stamp(ev.UsageAdded, task=task, purpose=purpose, usage=expected, call=call)
