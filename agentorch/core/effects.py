"""Effects that may happen once only: intended, then done; never silently twice.

1. A call is made when its intent is durable, and only by the dispatch that is current when it asks.
2. A receipt outlives attempts, fallback agents and patches: its key names run, task, tool and how-many-eth call.
3. What was intended and is not known to be done waits: for its tool's probe, else for a person.
"""

from dataclasses import replace
from typing import Any, Final, cast

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.effect_keys import enter_receipt, tool_of
from agentorch.core.failures import Problem
from agentorch.core.stamping import Stamp
from agentorch.core.state import Receipt, RunState, TaskState

ANSWERS: Final[dict[str, Any]] = {
    "anyOf": [
        {"enum": ["done", "retry", "skip"]},
        {"type": "object", "properties": {"done": {}}, "required": ["done"], "additionalProperties": False},
    ]
}
"""What a person may say of an effect that nobody knows of: `{"done": result}` gives the result too."""


def intend(state: RunState, message: msg.Intend, stamp: Stamp) -> list[ev.Event]:
    """Write down what is about to be done; nothing when it was intended before, or whoever asks is not current."""
    task = state.of_key(message.key)
    known = state.receipts.get(message.effect)
    if task is None or state.no_new_effects or (known is not None and not known.void):
        return []
    return [
        stamp(
            ev.EffectIntended,
            task=task.task.id,
            key=message.key,
            effect=message.effect,
            tool=message.tool,
            arguments=message.arguments,
        )
    ]


def new_effect(state: RunState, name: str, who: str) -> Problem:
    """Return the problem of a task that would have an effect, once only, in a fork that may have none."""
    message = f"run {state.run_id} is a fork: {who} may have no effect in it that its parent has not had"
    return Problem("refused", message, name, "fork with allow_effects=True (--allow-effects)")


def confirm(state: RunState, message: msg.Confirm, stamp: Stamp) -> list[ev.Event]:
    """Keep a receipt, also when its task, or the run, is over; the first one wins."""
    receipt = state.receipts.get(message.effect)
    if receipt is None or not receipt.is_open:
        return []
    return [_done(receipt, message.effect, message.result, message.by, stamp)]


def void(state: RunState, message: msg.Void, stamp: Stamp) -> list[ev.Event]:
    """Forget an intent: its effect has certainly not happened."""
    receipt = state.receipts.get(message.effect)
    if receipt is None or not receipt.is_open:
        return []
    return [stamp(ev.EffectVoided, task=receipt.task, effect=message.effect, by=message.by)]


def park(task: TaskState, failure: msg.Fail, stamp: Stamp) -> ev.Event:
    """Let a task wait for a person who says what has become of an effect."""
    name = task.task.id
    effect = failure.effect
    tool = "its effect" if effect is None else f"'{tool_of(effect)[0]}' (its key is {effect})"
    choice = "Say that it is done (and what it gave), have it made (retry), or skip the task."
    return stamp(
        ev.RequestOpened,
        task=name,
        request_id=f"effect:{name}:{task.revision}:{task.attempt}:{task.dispatch}",
        kind="effect",
        question=f"'{name}': {'; '.join(failure.problems)}. Has {tool} happened? {choice}",
        answer_schema=ANSWERS,
        effect=effect,
    )


def settle_effect(
    state: RunState, task: TaskState, effect: str | None, value: Any, by: str, stamp: Stamp
) -> list[ev.Event]:
    """Do what a person said of an effect: it is done, it is to be repeated, or the task is given up."""
    name = task.task.id
    given = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    if effect is not None and value == "retry":
        said: ev.Event = stamp(ev.EffectVoided, task=name, effect=effect, by=by)
    elif effect is not None and (value == "done" or "done" in given):
        receipt = state.receipts.get(effect) or Receipt(name, *tool_of(effect))
        said = _done(receipt, effect, given.get("done", receipt.result), by, stamp)
    else:
        problem = Problem("skipped", f"{by} gave '{name}' up: whether its effect happened is not known", task=name)
        return [stamp(ev.TaskFailed, task=name, problem=problem)]
    again = stamp(
        ev.TaskRetried,
        task=name,
        rung="redispatch",  # the same attempt goes on
        agent=task.agent,
        model=task.ladder.model if task.ladder is not None else 0,
        attempt=task.attempt,
        dispatch=task.dispatch + 1,
        reason=f"{by} said what has become of its effect",
    )
    return [said, again]


def _done(receipt: Receipt, effect: str, result: Any, by: str, stamp: Stamp) -> ev.Event:
    return stamp(
        ev.EffectDone,
        task=receipt.task,
        effect=effect,
        tool=receipt.tool,
        arguments=receipt.arguments,
        result=result,
        by=by,
    )


def apply_intended(state: RunState, event: ev.EffectIntended) -> None:
    """Enter an intent."""
    receipt = Receipt(event.task, event.tool, event.arguments, key=event.key, owner=state.owner)
    enter_receipt(state, event.effect, receipt)


def apply_done(state: RunState, event: ev.EffectDone) -> None:
    """Enter a receipt; a person may give one for a call that was never intended."""
    known = state.receipts.get(event.effect) or _unintended(state, event.task, event.effect)
    enter_receipt(state, event.effect, replace(known, done=True, result=event.result, void=False))
    _mend_last_word(state)


def apply_voided(state: RunState, event: ev.EffectVoided) -> None:
    """Take an intent, or a receipt, back."""
    known = state.receipts.get(event.effect) or _unintended(state, event.task, event.effect)
    enter_receipt(state, event.effect, replace(known, done=False, result=None, void=True))
    _mend_last_word(state)


def _mend_last_word(state: RunState) -> None:
    """What was not known when the run ended may be known now."""
    if state.finished:
        others = [problem for problem in state.problems if problem.code != _UNKNOWN]
        state.problems = (*others, *unknown_effects(state))


_UNKNOWN: Final = "unknown"


def _unintended(state: RunState, name: str, effect: str) -> Receipt:
    task = state.tasks.get(name)
    return Receipt(name, *tool_of(effect), key="" if task is None else state.key_of(task), owner=state.owner)


def unknown_effects(state: RunState) -> list[Problem]:
    """Return a problem for each effect of which nobody knows."""
    words, remedy = "whether its call of '{}' has happened is not known", "look where it would show"
    return [Problem(_UNKNOWN, words.format(one.tool), one.task, remedy) for one in open_effects(state)]


def open_effects(state: RunState) -> list[Receipt]:
    """Return what was intended and is not known to have happened."""
    return [receipt for receipt in state.receipts.values() if receipt.is_open]


def effects_by_task(state: RunState) -> dict[str, list[Receipt]]:
    """Return what each task of the plan, or what it has delegated, has had or may have had."""
    found: dict[str, list[Receipt]] = {}
    for receipt in state.receipts.values():
        if not receipt.void:
            found.setdefault(receipt.task.partition(".")[0], []).append(receipt)
    return found
