"""Search: which passages speak of a question, and on which lines the answer stands.

1. SQLite's BM25 finds the candidates. A word weighs by how rare it is in the library.
2. Within a passage the unit is cited that covers most of the question's weight, headings and neighbours helping.
3. What covers too little of the weight is no answer: then the topic is absent, and that is what is said.
4. A short question goes on from the one before it ("and why?"): that one's words count, together at most half of its
   own, so that they tell passages about the topic from others. Where it has no words of its own it asks for more of
   the same: what that one's answer quoted is left out then, if there is more.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from agentorch.library.clipping import clipped
from agentorch.library.index import Index, Ranked, term_of
from agentorch.library.passage import Unit
from agentorch.library.words import content_words, stem, stems

ENOUGH: Final = 0.5
"""The share of a question's weight that a passage must cover to be about it."""
NEAR: Final = 0.3
"""The share from which it is worth showing as the nearest, where nothing is about it."""
CANDIDATES: Final = 60
_MOST_WORDS: Final = 32
_SHORTEST_PREFIX: Final = 5
_BY_HEADING: Final = 0.6
_BY_NEIGHBOUR: Final = 0.35
_BY_RANK: Final = 0.15
_BY_KIND: Final = 0.15
_SHORT: Final = 2
"""Words of its own up to which a question goes on from the one before it."""
_OF_EARLIER: Final = 0.5
"""What the words of the question before count together, at most, of those of the question."""
_FREE_WORDS: Final = 25
_PENALTY: Final = 0.004
_LONGEST_PENALTY: Final = 0.2
"""A sentence of many words covers much by chance: each word above the free ones costs."""
_ORDER_WORDS: Final = """
    answer compare describe document documents explain file files information list look mention mentioned overview
    mean means question research search show summarise summarize tells work works write
"""
_ORDERS: Final = frozenset(_ORDER_WORDS.split())
"""Words that say what to do or how it is asked ("how does X work?"), not what about."""
_NUMBER_WANTED: Final = re.compile(
    r"\b(?:how (?:many|much|long|far|old|large|big|often|high|tall|fast|late|early)|when|"
    r"(?:what|which) (?:year|date|day|time|month|percentage|price|number|version|port|size))\b",
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|hundred|"
    r"once|twice|never|always|daily|weekly|monthly|yearly|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A cited piece of text."""

    path: str
    heading: str
    line: int
    end: int
    text: str
    score: float
    """From 0 to about 1: how much of the question it covers."""
    reach: float
    """How much of the question's weight its whole passage covers."""
    is_code: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A question, taken apart."""

    weights: dict[str, float]
    """The weight of each stem."""
    terms: tuple[str, ...]
    """What the index is asked for."""
    wants_number: bool
    unknown: tuple[str, ...]
    """Words that the library does not hold at all."""
    asks_for_more: bool = False
    """It is the question before once more."""

    @property
    def mass(self) -> float:
        """The weight of all words."""
        return sum(self.weights.values())

    def weight(self, found: set[str]) -> float:
        """Return the share of the weight that these stems cover."""
        return sum(weight for word, weight in self.weights.items() if word in found) / self.mass


def understand(question: str, index: Index, *, earlier: str = "") -> Query:
    """Return what the question asks about, weighed by the library; `earlier` was asked before it."""
    query = _weighed(question, index)
    if not earlier or len(query.terms) > _SHORT:
        return query
    before = _weighed(earlier, index)
    if not query.terms and before.wants_number >= query.wants_number:  # "and when?" asks for something else
        return replace(before, asks_for_more=True)
    added = {word: weight for word, weight in before.weights.items() if word not in query.weights}
    scale = min(1.0, _OF_EARLIER * query.mass / sum(added.values())) if added and query.terms else 1.0
    weights = {**query.weights, **{word: weight * scale for word, weight in added.items()}}
    terms = tuple(dict.fromkeys((*query.terms, *before.terms)))
    return replace(query, weights=weights, terms=terms)


def _weighed(question: str, index: Index) -> Query:
    about = [word for word in content_words(question) if word not in _ORDERS] or content_words(question)
    about = about[:_MOST_WORDS]
    size = len(index)
    terms = {word: term_of(word) for word in about}
    found = {word: index.frequency(term) for word, term in terms.items()}
    for word in about:  # the two stemmers do not always agree
        root = stem(word)
        if not found[word] and len(root) >= _SHORTEST_PREFIX:
            terms[word] = term_of(root, prefix=True)
            found[word] = index.frequency(terms[word])
    weights = {stem(word): math.log(1 + (size - count + 0.5) / (count + 0.5)) for word, count in found.items()}
    unknown = tuple(word for word, count in found.items() if not count)
    return Query(weights, tuple(terms.values()), bool(_NUMBER_WANTED.search(question)), unknown)


def search(query: Query, index: Index, most: int, *, enough: float = ENOUGH) -> list[Hit]:
    """Return the best hits, best first, those that cover less than `enough` left out."""
    if not query.terms:
        return []
    ranked = index.rank(query.terms, CANDIDATES)
    highest = max((passage.score for passage in ranked), default=1.0) or 1.0
    hits = [_best(query, passage, passage.score / highest) for passage in ranked]
    fitting = sorted((hit for hit in hits if hit.reach >= enough), key=lambda hit: (-hit.score, hit.path, hit.line))
    return _distinct(fitting)[:most]


def _best(query: Query, passage: Ranked, rank: float) -> Hit:
    about = stems(f"{passage.heading} {passage.name}")
    units = [stems(unit.text) for unit in passage.units]
    scores = [_score(query, index, passage.units, units, about) for index in range(len(units))]
    best = max(range(len(units)), key=lambda index: (scores[index], -index))
    reach = query.weight(about.union(*units))
    line, end, text, is_code = _cited(query, passage.units, best)
    text = clipped(text, query.weights)
    score = scores[best] + _BY_RANK * rank
    return Hit(passage.path, passage.heading, line, end, text, score, reach, is_code)


def _score(query: Query, at: int, units: Sequence[Unit], found: Sequence[set[str]], about: set[str]) -> float:
    own = query.weight(found[at])
    near = set[str]().union(*found[max(0, at - 1) : at + 2])
    score = own + _BY_HEADING * query.weight(about - found[at]) + _BY_NEIGHBOUR * query.weight(near - about - found[at])
    score -= min(_LONGEST_PENALTY, _PENALTY * max(0, len(units[at].text.split()) - _FREE_WORDS))
    if query.wants_number and _NUMBER.search(units[at].text):
        score += _BY_KIND
    return score


def _cited(query: Query, units: Sequence[Unit], at: int) -> tuple[int, int, str, bool]:
    """Return the lines and the text of an answer, and whether it is code.

    A question brings what follows it, below it where that is code; a record its fitting field.
    """
    unit = units[at]
    if unit.text.endswith("?") and not unit.is_code and at + 1 < len(units):
        follows = units[at + 1]
        between = "\n" if follows.is_code else " "
        return unit.line, follows.end, f"{unit.text}{between}{follows.text}", follows.is_code
    asked = [field for field in unit.fields if not stems(field.name).isdisjoint(query.weights)]
    if asked:
        return min(field.line for field in asked), max(field.line for field in asked), unit.text, False
    return unit.line, unit.end, unit.text, unit.is_code


def _distinct(hits: list[Hit]) -> list[Hit]:
    """Leave out what says the same once more."""
    return list({hit.text.casefold(): hit for hit in reversed(hits)}.values())[::-1]
