"""What a goal asks for piece by piece: several questions, a list, "A, B and C", "compare X and Y", "for each of".

Splitting only ever makes more of the same work, so it is careful: what is not plainly a list is one item. All of it
takes time in proportion to the goal's length: goals are split at blanks and commas, never searched by patterns.
"""

import re
from dataclasses import dataclass
from typing import Final

from agentorch.planning.goal_questions import questions, sentences
from agentorch.planning.goal_series import AND, Series, Words, read, split
from agentorch.planning.goal_words import CLAUSE_WORDS


@dataclass(frozen=True, slots=True)
class Items:
    """The pieces of a goal."""

    texts: tuple[str, ...] = ()
    """What is wanted, once for each piece; empty when the goal is one piece."""
    form: str = ""
    """What gave the pieces away: "questions", "list", "enumeration", "comparison"."""


_BULLET: Final = re.compile(r"(?:[-*\u2022\u2013]|\(?\d{1,3}[.)])\s(.+)")
"""At the start of a line without blanks around it."""
_VERSUS: Final = frozenset({"vs", "vs.", "versus"})
_AGAINST: Final = frozenset({"with", "to"})
_ONE: Final = frozenset({"a", "an", "one"})
_FEWEST_ENUMERATED: Final = 3
_LONGEST_SENTENCE: Final = 4_000
"""Characters of a goal beyond which only its listed lines are looked for: it holds more than what is asked."""


def items_of(goal: str) -> Items:
    """Return the pieces of `goal`, or none when it is one piece."""
    forms = _FORMS if len(goal) <= _LONGEST_SENTENCE else _FORMS[:1]
    for form, pieces in forms:
        texts = tuple(dict.fromkeys(text for text in pieces(goal.strip()) if text))
        if len(texts) > 1:
            return Items(texts, form)
    return Items()


def _listed(goal: str) -> list[str]:
    """Lines that start with a bullet or a number."""
    found = (_BULLET.match(line.strip()) for line in goal.splitlines())
    return [match.group(1).strip() for match in found if match]


def _for_each(goal: str) -> list[str]:
    """Turn "for each of A and B, do this" into "do this: A", "do this: B"."""
    task, listed = _each_first(_single(goal)) or _each_last(_single(goal)) or ([], [])
    items, marks = split(listed, AND)
    series = read(items, listed=True) if marks else None
    if not task or not series or any(word.endswith(",") for word in task):
        return []
    names = Series("", series.names, series.tail).pieces
    return [f"{' '.join(task)}: {name}" for name in names]


def _each_first(words: Words) -> tuple[Words, Words] | None:
    """Part "for each of the A and B, do this" into "do this" and "A and B"."""
    if [word.lower() for word in words[:1]] != ["for"] or " ".join(words[1:2]).lower() not in {"each", "every", "all"}:
        return None
    ends = [at for at, word in enumerate(words) if word.endswith(":")][:1]
    ends = ends or [at for at, word in enumerate(words) if word.endswith(",")][-1:]
    if not ends:
        return None
    listed = [*words[2 : ends[0]], words[ends[0]][:-1]]
    for skipped in ("one", "of", "the"):
        if listed[:1] == [skipped]:
            listed = listed[1:]
    return words[ends[0] + 1 :], listed


def _each_last(words: Words) -> tuple[Words, Words] | None:
    """Part "do this for each of A and B" into "do this" and "A and B"."""
    for at in range(1, len(words) - 3):
        if words[at].lower() == "for" and words[at + 1].lower() in {"each", "every"} and words[at + 2].lower() == "of":
            return words[:at], words[at + 3 :]
    return None


def _compared(goal: str) -> list[str]:
    """Turn "compare X and Y" into "X", "Y"; "compare the price of X and Y" into "the price of X", "the price of Y"."""
    words = _single(goal)
    ordered = _after_compare(words)
    if ordered is None and (not words or words[0].lower() in CLAUSE_WORDS):
        return []
    listed = words if ordered is None else ordered
    kinds = {word.lower() for word in listed}
    if not kinds.isdisjoint(_VERSUS):
        joints = _VERSUS
    elif ordered is None:
        return []
    else:
        joints = AND if not kinds.isdisjoint(AND) else _AGAINST
    items, marks = split(listed, joints)
    is_plain = set(marks) <= {",", *AND} if joints is AND else "," not in marks
    if not is_plain or (joints is _AGAINST and len(marks) > 1):
        return []
    series = read(items, listed=ordered is not None)
    return series.pieces if series else []


def _after_compare(words: Words) -> Words | None:
    """Return what follows the order to compare; None when there is no such order."""
    rest = words[1:] if words[:1] and words[0].lower() == "please" else words
    if not rest or rest[0].lower() not in {"compare", "contrast"}:
        return None
    also = [word.lower() for word in rest[1:3]] == ["and", "contrast"]
    return rest[3:] if also else rest[1:]


def _enumerated(goal: str) -> list[str]:
    """Turn "research the history of A, B and C" into the same, once for each."""
    words = _single(goal)
    items, marks = split(words, AND)
    is_plain = len(items) >= _FEWEST_ENUMERATED and set(marks[:-1]) == {","} and marks[-1] in AND
    if not is_plain or words[0].lower() == "which":
        return []
    series = read(items)
    if series is None or not _ONE.isdisjoint(series.lead.lower().split()):
        return []  # "a poem about A, B and C" is one poem
    end = goal[len(goal.rstrip(" .!?")) :].strip()
    return [f"{piece}{end}" for piece in series.pieces]


def _single(goal: str) -> Words:
    """Return the words of a goal that is one sentence on one line, without its last mark; else none."""
    found = list(sentences(goal)) if "\n" not in goal and ";" not in goal else []
    return goal.rstrip(" .!?").split() if len(found) == 1 else []


_FORMS: Final = (
    ("list", _listed),
    ("questions", questions),
    ("for each", _for_each),
    ("comparison", _compared),
    ("enumeration", _enumerated),
)
