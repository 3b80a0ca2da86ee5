"""Steps: calls inside an attempt whose results are journaled, so that an attempt that was cut off can be continued.

1. A step belongs to its attempt. Any dispatch of the attempt may bring it, also one that is over; the first one wins.
2. A fresh attempt begins without steps: what was rejected is not read back.
3. What a model call used is charged by its step, whatever becomes of the attempt.
"""

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.identity import Key
from agentorch.core.stamping import Stamp
from agentorch.core.state import FINAL, RunState, TaskState


def finish_step(state: RunState, message: msg.FinishStep, stamp: Stamp) -> list[ev.Event]:
    """Keep a step of a current attempt; of any other, and of one that is known already, only what it used."""
    task = None if state.finished else attempt_of(state, message.key)
    if task is None or (task.steps is not None and message.step in task.steps):
        return _use_alone(state, message, stamp)
    return [
        stamp(
            ev.StepFinished,
            task=task.task.id,
            key=message.key,
            step=message.step,
            name=message.name,
            result=message.result,
            usage=message.usage,
            call=message.call if message.call in state.calls else None,
        )
    ]


def _use_alone(state: RunState, message: msg.FinishStep, stamp: Stamp) -> list[ev.Event]:
    """What was used is charged, unless that was done when nobody was expected to tell any more."""
    if message.usage is None or (message.call is not None and message.call not in state.calls):
        return []
    name = Key.parse(message.key).task
    return [stamp(ev.OutcomeLate, task=name, key=message.key, usage=message.usage, call=message.call)]


def attempt_of(state: RunState, key: str) -> TaskState | None:
    """Return the unfinished task whose current attempt `key` is a dispatch of; None when that attempt is over."""
    _, name, revision, attempt, _ = Key.parse(key)
    task = state.tasks.get(name)
    if task is None or task.status in FINAL or (task.revision, task.attempt) != (revision, attempt):
        return None
    return task
