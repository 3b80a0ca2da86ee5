"""What the library finds: passages with their places, and an answer made of their own words."""

import re
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, Field

NO_MODEL: Final = "No language model was used: what is quoted are the files' own words."
"""Said wherever passages stand in for an answer."""
NOT_REWORDED: Final = "No language model was used: nothing is reworded."
"""Said where other texts than the files' stand in for an answer."""
NO_MODEL_NOTHING: Final = "No language model was used."
"""Said where nothing is quoted."""
_CLOSE: Final = 0.75
"""The share of the best score from which a passage is part of the answer."""
MOST_IN_ANSWER: Final = 3
"""Passages that an answer quotes at most."""


class FoundPassage(BaseModel):
    """A piece of a file that speaks of the question."""

    path: str
    line: int
    """Its first line; the page in a PDF."""
    end_line: int
    text: str
    heading: str = ""
    """The headings above it, outermost first."""
    score: float
    """How much of the question it covers, from 0 to about 1."""
    is_code: bool = False
    """It is code: its lines mean something as they stand."""

    @property
    def source(self) -> str:
        """Where it stands, in one line: `path:line`, or `path:first-last`."""
        path = "".join(letter if letter.isprintable() else "\ufffd" for letter in self.path)
        return f"{path}:{self.line}" + (f"-{self.end_line}" if self.end_line > self.line else "")


class Findings(BaseModel):
    """What the files say about a question."""

    question: str
    answer: str
    """Extracted sentences with citations, or that the files say nothing; without a language model."""
    found: bool
    passages: list[FoundPassage] = Field(default_factory=list[FoundPassage])
    """Best first."""
    sources: list[str] = Field(default_factory=list[str])
    """What the answer cites, as `path:line`."""
    notes: list[str] = Field(default_factory=list[str])
    """Words of the question that no file holds, and what could not be read, one line for each reason."""


def in_answer(passages: Sequence[FoundPassage]) -> list[FoundPassage]:
    """Return the passages, best first, that make up an answer."""
    best = passages[0].score if passages else 0.0
    return [passage for passage in passages if passage.score >= best * _CLOSE][:MOST_IN_ANSWER]


def cited(passage: FoundPassage) -> str:
    """Return the passage's words with their citation; code line by line in a fence, below it."""
    if passage.is_code:
        fence = max(["``", *re.findall("`+", passage.text)], key=len) + "`"
        return f"[{passage.source}]\n{fence}\n{passage.text}\n{fence}"
    return f"{' '.join(passage.text.split())} [{passage.source}]"
