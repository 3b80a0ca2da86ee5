"""Which effect a call of a tool has: its key, and whether an earlier call has had it already.

1. A call's own key says task, tool and how-many-eth call of that tool. It is not enough by itself: a fresh attempt may
   make its calls in another order, or leave one out that had not happened.
2. So a receipt with the same arguments, which no call of this dispatch has taken yet, is taken wherever it stands.
   One that another place of the task has left behind, in a tool that calls this one, leaves the call unknown.
3. A call under a key that was used with other arguments is unknown too.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from agentorch.core.state import Receipt, RunState


@dataclass(frozen=True, slots=True)
class EffectKey:
    """The effect of one call."""

    key: str
    """The idempotency key."""
    same: bool = True
    """Whether a receipt under the key is certainly one of this call."""


def key_of(state: RunState, own: str, arguments: str, taken: AbstractSet[str]) -> EffectKey:
    """Return the effect of a call whose own key is `own`, and whose arguments have the digest `arguments`.

    `taken` are the keys of the calls that the dispatch has made before. In a fork, what the run that it was forked from
    has done is found under that run's keys.
    """
    known = next((key for key in _in_every_ancestor(state, own) if key in state.receipts), None)
    mine = None if known is None or known in taken else state.receipts[known]
    if mine is not None and known is not None and mine.arguments == arguments:
        return EffectKey(known)
    equal = [key for key in state.effects.get(mark_of(own, arguments), ()) if key not in taken]
    beside = next((key for key in equal if _place(key) == _place(own)), None)
    if beside is not None:
        return EffectKey(beside)
    if mine is not None and known is not None and mine.accepted:
        return EffectKey(known)
    if equal:
        return EffectKey(equal[0], same=state.receipts[equal[0]].accepted)
    if known is not None and known not in taken:
        return EffectKey(known, same=False)
    if own not in taken:
        return EffectKey(own)
    return _left_over(state, own, taken)


def enter_receipt(state: RunState, effect: str, receipt: Receipt) -> None:
    """Keep what is known of an effect."""
    if effect not in state.receipts:
        state.effects.setdefault(mark_of(effect, receipt.arguments), []).append(effect)
    state.receipts[effect] = receipt


def drop_receipt(state: RunState, effect: str) -> None:
    """Forget an effect: it has not happened, or is to happen again."""
    receipt = state.receipts.pop(effect, None)
    if receipt is not None:
        state.effects[mark_of(effect, receipt.arguments)].remove(effect)


def mark_of(effect: str, arguments: str) -> str:
    """Return what the calls of one tool in one task have in common that were made with the same arguments."""
    _, task, *_, tool, _ = effect.split("/")
    return f"{task}/{tool}/{arguments}"


def _left_over(state: RunState, own: str, taken: AbstractSet[str]) -> EffectKey:
    """Return the effect of a call whose own key another call has: the first that is left over in its place."""
    place, number = own.rpartition("/")[0], 1
    while True:
        key = f"{place}/{number}"
        known = next((one for one in _in_every_ancestor(state, key) if one in state.receipts), None)
        if known is not None and known not in taken:
            return EffectKey(known, same=state.receipts[known].accepted)
        if known is None and key not in taken:
            return EffectKey(key)
        number += 1


def _in_every_ancestor(state: RunState, own: str) -> tuple[str, ...]:
    _, _, rest = own.partition("/")
    return (own, *(f"{run}/{rest}" for run in state.ancestors))


def _place(effect: str) -> str:
    """Return where in a task a call is made, whichever run it is of."""
    return effect.partition("/")[2].rpartition("/")[0]
