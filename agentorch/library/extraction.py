"""Answers without a language model: the best sentences of what is there, in their own words, citations kept.

1. A short text is given whole; of a long one the sentences that say most about the goal, in their own order.
2. Findings keep their citations. What is missing is said. So is that no language model was used, and whose words it is.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any, Final, cast

from pydantic import ValidationError

from agentorch.library.findings import NO_MODEL, NO_MODEL_NOTHING, NOT_REWORDED, Findings, cited, in_answer
from agentorch.library.sentences import sentences
from agentorch.library.words import STOP_WORDS, content_words, stem, words

_WHOLE: Final = 1_500
"""Characters up to which a text is given as it is."""
_SENTENCES: Final = 7
"""Sentences that stand in for a long text."""
_GOAL: Final = 12.0
"""What a word of the goal counts; one that is merely frequent counts less."""
_FREE_WORDS: Final = 12.0


def extractive_answer(goal: str, parts: Mapping[str, Any], missing: Sequence[str] = ()) -> str:
    """Return one text made of the outputs `parts`, by task id; `missing` says in words what is not there."""
    present = {name: part for name, part in parts.items() if part is not None}
    blocks = [(name, part_text(goal, part)) for name, part in present.items()]
    blocks = [(name, text) for name, text in blocks if text]
    alone = len(blocks) == 1
    lines = [text if alone else f"{_title(name, present[name])}\n{text}" for name, text in blocks]
    if not blocks:
        lines = ["There is nothing to answer with."]
    if missing:
        lines.append(f"Missing: {'; '.join(missing)}.")
    return "\n\n".join([*lines, _whose(present.values())])


def part_text(goal: str, part: Any) -> str:
    """Return one output as text: findings with citations, a list as items, a long text as its best sentences."""
    findings = _findings(part)
    if findings is not None:
        answer = in_answer(findings.passages)
        lines = [cited(passage) for passage in answer]
        if len(lines) > 1:
            lines = [f"- {indent(line, '  ').strip()}" for line in lines]
        said = lines or [findings.answer.replace(NO_MODEL, "").replace(NO_MODEL_NOTHING, "").strip()]
        return "\n".join([*said, *(f"- {note}" for note in findings.notes)])
    if isinstance(part, str):
        return extract(part, goal) if len(part) > _WHOLE else part.strip()
    if isinstance(part, list):
        items = [part_text(goal, item) for item in cast("list[Any]", part)]
        return "\n".join(f"- {item}" for item in items if item)
    if isinstance(part, dict):
        return _fields(goal, cast("dict[str, Any]", part))
    return json.dumps(part, ensure_ascii=False)


def extract(text: str, goal: str = "", most: int = _SENTENCES) -> str:
    """Return at most so many sentences of `text`, in their order: those that say most about `goal` and the text."""
    units = [unit for paragraph in text.split("\n\n") for unit in sentences([(0, paragraph.replace("\n", " "))])]
    if len(units) <= most:
        return " ".join(unit.text for unit in units)
    counted = [Counter(stem(word) for word in words(unit.text) if word not in STOP_WORDS) for unit in units]
    frequency = Counter[str]()
    for counts in counted:
        frequency.update(counts.keys())
    wanted = {stem(word) for word in content_words(goal)}
    scores = [_weight(counts, frequency, wanted) for counts in counted]
    best = sorted(range(len(units)), key=lambda at: (-scores[at], at))[:most]
    return " ".join(units[at].text for at in sorted(best))


def _weight(counts: Mapping[str, int], frequency: Mapping[str, int], wanted: set[str]) -> float:
    """Return how much a sentence says: the frequent words of the text, and those of the goal, per length."""
    total = sum(_GOAL if word in wanted else math.log1p(frequency[word]) for word in counts)
    return total / (_FREE_WORDS + sum(counts.values()))


def _whose(parts: Iterable[Any]) -> str:
    """Say that no language model was used, and whose words stand in for an answer: the files' where any are quoted."""
    whose = {words for part in parts for words in _sources_of(part)}
    return next((words for words in (NO_MODEL, NOT_REWORDED) if words in whose), NO_MODEL_NOTHING)


def _sources_of(part: Any) -> Iterator[str]:
    """Go through what is to be said of each piece of an output."""
    findings = _findings(part)
    if findings is not None:
        yield NO_MODEL if findings.passages or NO_MODEL in findings.answer else NO_MODEL_NOTHING
    elif isinstance(part, str):
        yield NO_MODEL if NO_MODEL in part else NOT_REWORDED
    elif isinstance(part, list | dict):
        inner = cast("dict[str, Any]", part).values() if isinstance(part, dict) else cast("list[Any]", part)
        yield from (words for value in inner for words in _sources_of(value))
    else:
        yield NOT_REWORDED


def _findings(part: Any) -> Findings | None:
    if not isinstance(part, dict) or not {"question", "passages"} <= cast("dict[str, Any]", part).keys():
        return part if isinstance(part, Findings) else None
    try:
        return Findings.model_validate(part)
    except ValidationError:
        return None


def _fields(goal: str, part: Mapping[str, Any]) -> str:
    lines: list[str] = []
    for name, value in part.items():
        if value is None or value in ("", [], {}):
            continue
        text = part_text(goal, value)
        lines.append(f"{name}:\n{text}" if "\n" in text else f"{name}: {text}")
    return "\n".join(lines)


def _title(name: str, part: Any) -> str:
    findings = _findings(part)
    return f"## {findings.question.strip() if findings else name}"
