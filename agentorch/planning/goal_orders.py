"""What a goal orders to be done: the words that stand where an order stands.

"Send the report", "write it and send it" and "I want you to send it" order to send; "what did they send?", "tell me how
to send it" and "do not send it" do not. It is careful: an agent with effects is used by the rules only on an order.
"""

from typing import Final

from agentorch.planning.card_words import root
from agentorch.planning.goal_words import bare

_BEFORE: Final = frozenset({"and", "then", "please", "also", "but", "just", "now", "finally", ""})
_BEFORE_TO: Final = frozenset({"you", "want", "need", "like", "wish", "remember", "us"})
_BEFORE_YOU: Final = frozenset({"can", "could", "will", "would"})


def orders(goal: str) -> frozenset[str]:
    """Return the roots of the words of `goal` that may be orders."""
    words = goal.split()
    return frozenset(root(bare(word)) for at, word in enumerate(words) if bare(word) and _is_order(words, at))


def _is_order(words: list[str], at: int) -> bool:
    if at == 0:
        return True
    before = words[at - 1]
    is_last = at + 1 == len(words)
    if before[-1] in ".!?":
        return True
    if before[-1] in ",;:" or bare(before) in _BEFORE:
        return not is_last  # "about post and mail" is no order
    earlier = bare(words[at - 2]) if at > 1 else ""
    match bare(before):
        case "to":
            return earlier in _BEFORE_TO
        case "you":
            return earlier in _BEFORE_YOU
        case _:
            return False
