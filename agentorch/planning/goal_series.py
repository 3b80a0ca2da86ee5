"""A series in a sentence, such as "the history of A, B and C in 2024": what leads to it, its names, what follows it.

It is careful: where it is not plain what belongs to each of the names and what to all, there is no series.

1. The names are alike: all with an article, all proper names, or all of as many words.
2. No name holds a verb, a pronoun or a question; none begins with an order.
3. What follows the last name ("in 2024") belongs to all; what follows it with "of" may belong to it alone.
4. What leads to the first name ends at a preposition, an order or an auxiliary, and joins nothing: see `TOGETHER`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from agentorch.planning.goal_words import (
    ARTICLES,
    AUXILIARIES,
    CLAUSE_WORDS,
    ORDERS,
    PREPOSITIONS,
    PRONOUNS,
    TOGETHER,
)

Words = list[str]

AND: Final = frozenset({"and", "or", "&"})
_LONGEST_NAME: Final = 6
_SPEAKERS: Final = PRONOUNS | {"our", "my", "your"}
_CLAUSE_STARTS: Final = CLAUSE_WORDS - AUXILIARIES - PRONOUNS
_MARKS_OF_NAMES: Final = frozenset("./_#@+0123456789")


@dataclass(frozen=True, slots=True)
class Series:
    """A series that was read."""

    lead: str
    names: tuple[str, ...]
    tail: str

    @property
    def pieces(self) -> list[str]:
        """The names, each with what leads to all and what follows all."""
        return [" ".join(part for part in (self.lead, name, self.tail) if part) for name in self.names]


def split(words: Sequence[str], joints: Collection[str]) -> tuple[list[Words], Words]:
    """Split at commas and at the words `joints`; return the items, and what stands between each two."""
    items: list[Words] = [[]]
    marks: Words = []
    for word in words:
        if word.lower() in joints:
            if items[-1]:
                items.append([])
                marks.append(word.lower())
            elif marks:
                marks[-1] = word.lower()  # ", and"
            continue
        if inside := word.rstrip(","):
            items[-1].append(inside)
        if word.endswith(",") and items[-1]:
            items.append([])
            marks.append(",")
    return items, marks


def read(items: list[Words], *, listed: bool = False) -> Series | None:
    """Return the series that `items` are, the first with what leads to it; None when it is not plainly one.

    `listed` says that the order has been read already: nothing but names is to come, and what they are names of.
    """
    first, *rest = items
    if not first or not rest or not all(map(_is_name, rest)):
        return None
    found = (
        _with_articles(first, rest) if all(part[0].lower() in ARTICLES for part in rest) else _bare(first, rest, listed)
    )
    if found is None:
        return None
    start, names, tail = found
    lead = first[:start]
    if not _leads(lead) or not all(len(name) <= _LONGEST_NAME for name in names):
        return None
    return Series(" ".join(lead), tuple(" ".join(name) for name in names), " ".join(tail))


def _is_name(part: Words) -> bool:
    """Whether it can be a name with what follows it, not a clause or the next order."""
    return bool(part) and part[0] not in ORDERS and CLAUSE_WORDS.isdisjoint(part)


_Found = tuple[int, list[Words], Words]
"""Where the first name starts, the names, what follows them."""


def _with_articles(first: Words, rest: list[Words]) -> _Found | None:
    """Read "describe the red fox, the wolf and the bear"."""
    starts = [at for at, word in enumerate(first) if word.lower() in ARTICLES]
    if not starts:
        return None
    names = [first[starts[-1] :], *rest]
    longest = max(map(len, names[:-1]))
    alike = len({_preposition(name) is None for name in names}) == 1
    return (starts[-1], names, []) if alike and len(names[-1]) <= longest and _is_name(names[0]) else None


def _bare(first: Words, rest: list[Words], listed: bool) -> _Found | None:
    """Read "the history of NATS, Kafka and Redis in 2024"."""
    *middle, last = rest
    at = _preposition(last)
    tail = [] if at is None else last[at:]
    if at == 0 or tail[:1] == ["of"] or any(_preposition(part) is not None for part in middle):
        return None
    others = [*middle, last[:at]]
    start = _start_of_name(first, others, listed)
    if start is None:
        return None
    names = [first[start:], *others]
    return (start, names, tail) if len(set(map(_is_proper, names))) == 1 and _is_name(names[0]) else None


def _start_of_name(first: Words, others: list[Words], listed: bool) -> int | None:
    """Return where the name begins in `first`, which may begin with what leads to all names."""
    bound = max((at + 1 for at, word in enumerate(first) if _ends_lead(word)), default=0)
    name = first[bound:]
    if name and all(map(_is_proper, others)):
        return _start_of_proper(first, bound, listed)
    lengths = {len(part) for part in others}
    if len(lengths) != 1:
        return None
    over = len(name) - lengths.pop()
    before = name[:over]
    if over == 0 or (over == 1 and (not (bound or listed) or before[0].lower() in ARTICLES)):
        return bound + over
    return None


def _start_of_proper(first: Words, bound: int, listed: bool) -> int | None:
    start = len(first)
    while start > bound and _is_proper([first[start - 1]]):
        start -= 1
    if start == len(first):
        return None
    # "Visit Oslo, Rome and Paris" and "New York, Oslo and Rome" begin alike
    return None if start == 0 and len(first) > 1 and not listed else start


def _leads(lead: Words) -> bool:
    """Whether what comes after `lead` can be wanted once for each."""
    if not lead:
        return True
    inside = [word.lower() for word in lead]
    later = set(inside[1:])
    is_told = inside[0] in _SPEAKERS  # "our firm sells A, B and C" wants nothing
    return not is_told and later.isdisjoint(_CLAUSE_STARTS) and TOGETHER.isdisjoint(inside)


def _ends_lead(word: str) -> bool:
    return word.endswith(":") or word.lower() in PREPOSITIONS | ORDERS | AUXILIARIES


def _preposition(part: Words) -> int | None:
    """Return where the first preposition stands in `part`."""
    return next((at for at, word in enumerate(part) if word.lower() in PREPOSITIONS), None)


def _is_proper(part: Words) -> bool:
    """Whether each word looks like a proper name: a capital, a digit or a mark in it."""
    return all(word != word.lower() or not _MARKS_OF_NAMES.isdisjoint(word) for word in part)
