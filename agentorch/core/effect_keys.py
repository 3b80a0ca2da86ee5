"""The keys of effects: which call is which, over dispatches, attempts, fallback agents and patches.

1. A key says task, tool, arguments, and how-many-eth call with these; never the order of the calls. A call inside a
   tool is told apart from the body's by the tool's own key in front, one inside a step by `step/<digest of its name>`.
2. A call that did not happen, or of which nobody knows, is the same call when it is made again.
3. What an earlier attempt has done and this one has not asked for again may be this very call in other words: before
   such a one is made, a person is asked. What a task of the plan has delegated is looked at with it, whoever calls.
4. In a fork, what its ancestors have done is found under their keys.
"""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from agentorch.core.empties import own
from agentorch.core.identity import Key, lineage
from agentorch.core.state import Receipt, RunState, TaskState

_CALLS: Final = re.compile(r"\.(\d+)\.(?=[a-z])")
"""In the id of a delegated task: between a caller and what it has called, the caller's attempt."""
_SHOWN: Final = 16
"""Hex digits of the arguments' digest in a key."""


def key_of(place: str, tool: str, arguments: str, number: int) -> str:
    """Return the key of the `number`-th call of `tool` with arguments of the digest `arguments` at `place`."""
    return f"{place}/{tool}/{arguments[:_SHOWN]}-{number}"


def known_as(state: RunState, effect: str) -> str:
    """Return the key under which an effect of this run is known: in a fork, that of the run in which it happened."""
    if effect in state.receipts or not state.ancestors:
        return effect
    rest = effect.partition("/")[2]
    return next((key for run in state.ancestors if (key := f"{run}/{rest}") in state.receipts), effect)


def tool_of(effect: str) -> tuple[str, str]:
    """Return the tool and the arguments' digest, as far as it is there, that a key names."""
    _, tool, call = effect.rsplit("/", 2)
    return tool, call.partition("-")[0]


def enter_receipt(state: RunState, effect: str, receipt: Receipt) -> None:
    """Keep what is known of an effect."""
    known = state.receipts.get(effect)
    own(state, "receipts")[effect] = receipt
    if known is not None and known.key == receipt.key:
        return
    if known is not None and known.key:
        _listed(state, known).remove(effect)
    if receipt.key:
        _listed(state, receipt).append(effect)


def left_over(state: RunState, key: str, tool: str) -> list[str]:
    """Return the effects of `tool` that may be what the dispatch `key` is about to do in other words.

    Those are of earlier attempts, or of earlier dispatches of this one that have not come to an end as steps.
    """
    found: list[str] = []
    dispatch = Key.parse(key)
    if _is_first(state, dispatch):
        return found
    for attempt, effects in state.effects.get(_family(dispatch.task, tool), {}).items():
        if attempt != _attempt(key):
            found += effects
        else:
            found += [effect for effect in effects if _is_cut_off(state, dispatch, effect)]
    return found


def may_be_another_s(state: RunState, key: str, effect: str, taken: AbstractSet[str]) -> bool:
    """Whether a left-over effect has not been asked for again: neither by the dispatch `key`, nor by a task near it.

    `taken` are the keys of the calls that the dispatch has made.
    """
    receipt = state.receipts[effect]
    if receipt.void or not taken.isdisjoint(_within(effect)):
        return False
    mine, its = Key.parse(key), Key.parse(receipt.key)
    if lineage(mine.task) == lineage(its.task):
        return True
    here, there = _path(mine), _path(its)
    shared = 2  # a task of the plan, which is the same, and its attempt, which may be another one
    while here[:shared] == there[:shared] and here[shared : shared + 1] == there[shared : shared + 1] != []:
        shared += 2
    return not _is_asked_again(state, here[:shared], there[shared:], receipt, its)


def _is_asked_again(state: RunState, caller: list[str], rest: list[str], receipt: Receipt, its: Key) -> bool:
    """Whether the attempt of a caller that both have in common has called again for an effect, or has just had it.

    `caller` is the path to that attempt, `rest` what leads from there to the effect: nothing when it was its own.
    """
    if rest:
        return ".".join((*caller, rest[0])) in state.tasks
    task = state.tasks.get(".".join(caller[:-1]))
    if task is None:
        return False
    own = (its.revision, str(its.attempt)) == (task.revision, caller[-1])
    return own or _has_step(task, receipt)


def _is_first(state: RunState, dispatch: Key) -> bool:
    """Whether nothing of what leads to a dispatch was ever begun before, so that it has nothing behind it."""
    return state.revision == dispatch.dispatch == 1 and set(_path(dispatch)[1::2]) == {"1"}


def _is_cut_off(state: RunState, dispatch: Key, effect: str) -> bool:
    receipt = state.receipts[effect]
    if Key.parse(receipt.key).dispatch == dispatch.dispatch:
        return False
    task = state.tasks.get(dispatch.task)
    return task is None or not _has_step(task, receipt)


def _has_step(task: TaskState, receipt: Receipt) -> bool:
    mark = f"{receipt.tool}:{receipt.arguments[:_SHOWN]}:"
    return any(mark in step for step in task.steps or ())


def _path(key: Key) -> list[str]:
    """Return the tasks that lead to a dispatch, the outermost first, each with its attempt behind it."""
    return [*_CALLS.split(key.task), str(key.attempt)]


def _within(effect: str) -> list[str]:
    """Return the key, and those of the calls inside of which it was made."""
    parts = effect.split("/")
    return ["/".join(parts[:count]) for count in range(4, len(parts) + 1, 2)]


def _listed(state: RunState, receipt: Receipt) -> list[str]:
    by_attempt = own(state, "effects").setdefault(_family(receipt.task, receipt.tool), {})
    return by_attempt.setdefault(_attempt(receipt.key), [])


def _family(task: str, tool: str) -> str:
    return f"{task.partition('.')[0]}/{tool}"


def _attempt(key: str) -> str:
    _, task, revision, attempt, _ = key.split("/")
    return f"{task}/{revision}/{attempt}"
