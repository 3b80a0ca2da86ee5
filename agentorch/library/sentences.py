"""Sentences of a paragraph, each with the lines that it stands on."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from agentorch.library.passage import Unit

Line = tuple[int, str]
"""A line's number and its text."""

_END: Final = re.compile(r"""[.!?…][)"'’”\]]*(?=\s+["'(“‘\[*`]*[A-Z0-9\u00c0-\u00dd$€£])""")
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:[A-Za-z]|e\.g|i\.e|cf|vs|no|nos|art|sec|fig|mr|mrs|ms|dr|prof|st|jr|sr|inc|ltd|co|approx|ca|p|pp|vol|ed|al))\.$",
    re.IGNORECASE,
)
_LONGEST: Final = 2_000
"""Characters after which a sentence is cut, whatever it says: minified files have none."""


def sentences(lines: Sequence[Line]) -> list[Unit]:
    """Return the sentences of a paragraph given as its lines."""
    starts: list[int] = []
    text = ""
    for _, line in lines:
        text += " " if text else ""
        starts.append(len(text))
        text += line.strip()
    units: list[Unit] = []
    for begin, end in _spans(text):
        sentence = text[begin:end].strip()
        if sentence:
            first, last = (lines[max(0, bisect_right(starts, at) - 1)][0] for at in (begin, end - 1))
            units.append(Unit(first, last, sentence))
    return units


def _spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    begin = 0
    for match in _END.finditer(text):
        if match.group()[0] == "." and _ABBREVIATION.search(text, max(begin, match.start() - 8), match.start() + 1):
            continue
        spans.append((begin, match.end()))
        begin = match.end() + 1
    spans.append((begin, len(text)))
    return [(at, min(at + _LONGEST, end)) for begin, end in spans for at in range(begin, end, _LONGEST)]
