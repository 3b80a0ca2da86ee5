"""Words as the library counts them: split, without the small ones, cut to their stems.

The stems are those of a light English stemmer: good enough to see that "deliveries" and "delivered" are one word, and
harmless for other languages. SQLite's own stemmer ranks passages; this one counts what a sentence covers.
"""

import re
import unicodedata
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+(?:[.'’][^\W_]+)*")
_PARTS: Final = re.compile(r"[.']")
_SHORTEST_STEM: Final = 3
_SUFFIXES: Final = (
    ("ations", "at"), ("ation", "at"), ("ating", "at"), ("ated", "at"), ("ates", "at"), ("ate", "at"),
    ("izing", "iz"), ("ized", "iz"), ("izes", "iz"), ("ize", "iz"),
    ("iness", "i"), ("ness", ""), ("ments", ""), ("ment", ""), ("ingly", ""), ("edly", ""),
    ("ings", ""), ("ing", ""), ("ions", ""), ("ion", ""), ("ies", "i"), ("ied", "i"), ("sses", "ss"),
    ("es", ""), ("ed", ""), ("ly", ""), ("e", ""), ("y", "i"),
)  # fmt: skip
_VOWELS: Final = frozenset("aeiouy")

_SMALL: Final = """
    a about after all also am an and any are as at be because been before being both but by can could did do does
    doing done each either else every find for from further get give given go goes had has have having he her here hers
    him his happen happened happens
    how i if in into is it its itself just know let like long made make makes many
    may me might more most much must my near no nor not
    now of off often on once one only or other our ours out over own per please same say says shall she should show so
    some such tell than that the their theirs them then there these they this those to too under until up upon us use
    used using very via want was we were what whatever when where whether which while who whom whose why will with
    within without would yes you your yours there's what's who's it's that's i'm we're they're don't doesn't
    didn't isn't aren't wasn't weren't won't can't
"""
STOP_WORDS: Final = frozenset(_SMALL.split())
"""Words that say nothing of what a question is about."""


def words(text: str) -> list[str]:
    """Return the words of `text` in lower case, in order."""
    return [match.group() for match in _WORD.finditer(_folded(text))]


def content_words(text: str) -> list[str]:
    """Return what `text` is about: its words without the small ones, each once, in order."""
    seen = dict.fromkeys(word for word in words(text) if word not in STOP_WORDS and _means_something(word))
    return list(seen)


def stem(word: str) -> str:
    """Return the stem of a word in lower case."""
    word = word.removesuffix("'s")
    if len(word) > _SHORTEST_STEM and word.endswith("s") and not word.endswith(("ss", "us", "is", "ies", "es")):
        word = word[:-1]
    for suffix, instead in _SUFFIXES:
        root = word[: -len(suffix)]
        if word.endswith(suffix) and len(root) >= _SHORTEST_STEM and not _VOWELS.isdisjoint(root):
            return _single_end(root + instead)
    return word


def stems(text: str) -> set[str]:
    """Return the stems of all words of `text`, and of the parts of compound ones."""
    return {stem(part) for word in words(text) for part in (word, *_PARTS.split(word))}


def _folded(text: str) -> str:
    """Lower case, without accents, with straight apostrophes."""
    lower = text.lower().replace("’", "'")
    if lower.isascii():
        return lower
    return "".join(letter for letter in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(letter))


def _means_something(word: str) -> bool:
    return len(word) > 1 or not word.isascii() or word.isdigit()


def _single_end(root: str) -> str:
    """Undo a doubled last consonant: "stopp" is "stop"."""
    doubled = len(root) > _SHORTEST_STEM and root[-1] == root[-2] and root[-1] not in "lsz" and root[-1] not in _VOWELS
    return root[:-1] if doubled else root
