"""The questions of a goal: its sentences that end with a question mark, and those that "and" joins in one sentence.

Joined questions are told apart only where each is plainly one: a question word and an auxiliary at its start, no other
question word in it, and enough of its own that it can be answered without the others.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from agentorch.planning.goal_words import ARTICLES, AUXILIARIES, PRONOUNS, QUESTION_WORDS, bare

Words = list[str]

_SHORT = "dr. mr. mrs. ms. prof. st. no. nos. vs. e.g. i.e. cf. etc. fig. approx. inc. ltd. co. jr. sr."
_ABBREVIATIONS: Final = frozenset(_SHORT.split())
_CLOSING_MARKS: Final = "\"')]\u201d\u2019"
_CONNECTIVES: Final = frozenset({"and", "also", "then", "but", "so", "or"})
_LEANING = "there one ones other others else same different differ compare instead too"
_LEANS: Final = PRONOUNS | frozenset(_LEANING.split())
"""Words by which a question leans on the one before it."""
_ITS_OWN: Final = 2
"""Words besides question word, auxiliary and articles that a question of its own has, when none is a name."""


def questions(goal: str) -> list[str]:
    """Return the questions of `goal`, in order."""
    asked = (sentence for sentence in sentences(goal) if sentence[-1].rstrip(_CLOSING_MARKS).endswith("?"))
    return [" ".join(one) for sentence in asked for one in _apart(_without_connective(sentence)) if bare(" ".join(one))]


def sentences(text: str) -> Iterator[Words]:
    """Give the sentences of `text` as words; an empty line and a line that ends with a colon end one, too."""
    sentence: Words = []
    for line in text.splitlines():
        inside = line.split()
        for word in inside:
            sentence.append(word)
            if _ends(word):
                yield sentence
                sentence = []
        if sentence and (not inside or inside[-1].endswith(":")):
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _ends(word: str) -> bool:
    last = word.rstrip(_CLOSING_MARKS)
    if last.endswith(("?", "!")):
        return True
    inner = last[:-1].lstrip("(['\"")
    is_short = last.lower() in _ABBREVIATIONS or "." in inner or (len(inner) == 1 and inner.isupper())
    return last.endswith(".") and not is_short


def _without_connective(sentence: Words) -> Words:
    return sentence[1:] if len(sentence) > 1 and bare(sentence[0]) in _CONNECTIVES else sentence


def _apart(sentence: Words) -> list[Words]:
    """Return the questions that "and" joins in `sentence`, or the sentence as it is."""
    joints = [
        at
        for at in range(1, len(sentence) - 1)
        if sentence[at].lower() == "and" and sentence[at + 1].lower() in QUESTION_WORDS
    ]
    bounds = [-1, *joints, len(sentence)]
    parts = [sentence[start + 1 : end] for start, end in pairwise(bounds)]
    if not joints or not all(map(_is_plain, parts)) or not all(map(_stands_alone, parts[1:])):
        return [sentence]
    return [*([*part[:-1], part[-1].rstrip(",") + "?"] for part in parts[:-1]), parts[-1]]


def _is_plain(part: Words) -> bool:
    return (
        len(part) > 1
        and part[0].lower() in QUESTION_WORDS
        and part[1].lower() in AUXILIARIES
        and not any(bare(word) in QUESTION_WORDS for word in part[1:])
    )


def _stands_alone(part: Words) -> bool:
    own = [word for word in part[2:] if bare(word) not in ARTICLES]
    leans = any(bare(word) in _LEANS for word in part)
    return not leans and (len(own) >= _ITS_OWN or any(word[0].isupper() for word in own))
