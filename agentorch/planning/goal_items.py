"""What a goal asks for piece by piece: several questions, a list, "A, B and C", "compare X and Y", "for each of".

Splitting only ever makes more of the same work, so it is careful: what is not plainly a list is one item.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Items:
    """The pieces of a goal."""

    texts: tuple[str, ...] = ()
    """What is wanted, once for each piece; empty when the goal is one piece."""
    form: str = ""
    """What gave the pieces away: "questions", "list", "enumeration", "comparison"."""


_BULLET: Final = re.compile(r"^\s*(?:[-*\u2022\u2013]|\(?\d{1,3}[.)])\s+(.+?)\s*$")
_QUESTION: Final = re.compile(r"[^.?!\n]*(?:\.(?=\S)[^.?!\n]*)*\?")
_EACH: Final = re.compile(
    r"^\s*for\s+(?:each|every|all)\s+(?:one\s+)?(?:of\s+)?(?:the\s+)?(?P<list>[^:\n]+?)\s*[:,]\s+(?P<task>[^,;\n]+)$",
    re.IGNORECASE,
)
_EACH_LAST: Final = re.compile(r"^(?P<task>[^,;\n]+?)\s+for\s+(?:each|every)\s+of\s+(?P<list>[^\n]+)$", re.IGNORECASE)
_COMPARE: Final = re.compile(
    r"^\s*(?:please\s+)?(?:compare|contrast|compare and contrast)\s+(?P<list>[^.?!\n]+?)[.?!]*\s*$", re.IGNORECASE
)
_VERSUS: Final = re.compile(r"^\s*(?P<list>[\w.\- ]+?\s+(?:vs\.?|versus)\s+[\w.\- ]+?)[.?!]*\s*$", re.IGNORECASE)
_SERIES: Final = re.compile(
    r"^(?P<first>[^,]+),\s*(?P<middle>(?:[^,]+,\s*)*?)(?P<before>[^,]+?),?\s+(?:and|or|&)\s+(?P<last>[^,]+)$",
    re.IGNORECASE,
)
_SEPARATOR: Final = re.compile(
    r"\s*(?:,\s*(?:and|or|&)\s+|,\s*|\s+(?:and|or|&|with|to|vs\.?|versus)\s+)", re.IGNORECASE
)
_LEAD: Final = re.compile(
    r"^(?P<lead>.*(?:\b(?:of|about|on|for|in|between|from|at|into|by|with|do|does|are|is|were|was|to)\b|:))\s+(?P<item>.+)$",
    re.IGNORECASE,
)
_CONNECTIVE: Final = re.compile(r"^(?:and|also|then|but|so|or)\b[,\s]*", re.IGNORECASE)
_NO_NAMES: Final = """
    i you he she it we they this that these those what how why when where who which whether if because so then but
    is are was were do does did can could will would should has have had not
    add analyse analyze answer ask build calculate change check collect compare compute create describe design draft
    edit email evaluate explain extract fetch file fill find fix format gather generate give go identify improve keep
    list look make mark mend merge move name note open plan post prepare present print produce propose prove publish
    put rank rate read recommend report research return review revise rewrite run save search select send show sort
    state store suggest summarise summarize take tell test translate turn update use verify view write
"""
_NOT_A_NAME: Final = frozenset(_NO_NAMES.split())
_ARTICLES: Final = frozenset({"the", "a", "an", "our", "my", "your"})
_LONGEST_NAME: Final = 6
_LONGEST_SENTENCE: Final = 4_000
"""Characters of a goal beyond which only its listed lines are looked for."""


def items_of(goal: str) -> Items:
    """Return the pieces of `goal`, or none when it is one piece."""
    forms = _FORMS if len(goal) <= _LONGEST_SENTENCE else _FORMS[:1]
    for form, split in forms:
        texts = tuple(dict.fromkeys(text for text in split(goal.strip()) if text))
        if len(texts) > 1:
            return Items(texts, form)
    return Items()


def _listed(goal: str) -> list[str]:
    """Lines that start with a bullet or a number."""
    return [match.group(1) for match in map(_BULLET.match, goal.splitlines()) if match]


def _questions(goal: str) -> list[str]:
    """Sentences that end with a question mark."""
    found = (match.group().strip() for match in _QUESTION.finditer(goal))
    return [_CONNECTIVE.sub("", text) for text in found if len(text) > 1]


def _for_each(goal: str) -> list[str]:
    """Turn "for each of A and B, do this" into "do this: A", "do this: B"."""
    match = _EACH.match(goal) or _EACH_LAST.match(goal)
    if match is None:
        return []
    names = _names(match["list"].rstrip(" .?!"))
    return [f"{match['task'].rstrip(' .?!')}: {name}" for name in names]


def _compared(goal: str) -> list[str]:
    """Turn "compare X and Y" into "X", "Y"; "compare the price of X and Y" into "the price of X", "the price of Y"."""
    match = _COMPARE.match(goal) or _VERSUS.match(goal)
    if match is None:
        return []
    first, *rest = _names(match["list"]) or [""]
    lead, name = _lead_and_name(first, rest)
    return [f"{lead}{part}" for part in (name, *rest)] if rest else []


def _enumerated(goal: str) -> list[str]:
    """Turn "research the history of A, B and C" into the same, once for each."""
    body = goal.rstrip(" .!?")
    if len(re.findall(r"[.!?;\n]\s", body)):
        return []
    match = _SERIES.match(body)
    if match is None:
        return []
    rest = _rest_of_series(match)
    if not all(_is_name(part) for part in rest):
        return []
    lead, name = _lead_and_name(match["first"].strip(), rest)
    return [f"{lead}{part}{goal[len(body) :].strip()}" for part in (name, *rest)] if name else []


def _rest_of_series(match: re.Match[str]) -> list[str]:
    middle = [part.strip() for part in match["middle"].split(",") if part.strip()]
    return [*middle, match["before"].strip(), match["last"].strip()]


def _names(listed: str) -> list[str]:
    parts = [part.strip() for part in _SEPARATOR.split(listed) if part.strip()]
    return parts if len(parts) > 1 else []


def _is_name(part: str) -> bool:
    """Whether it can be one of a list of things, not a clause or the next order."""
    inside = part.split()
    return len(inside) <= _LONGEST_NAME and inside[0].lower() not in _NOT_A_NAME


def _lead_and_name(first: str, rest: list[str]) -> tuple[str, str]:
    """Split the first name of a list from what leads to it."""
    match = _LEAD.match(first)
    if match:
        return match["lead"] + " ", match["item"]
    inside = first.split()
    article = rest[0].split()[0].lower() if rest else ""
    if article in _ARTICLES and article in inside:
        at = inside.index(article)
        return " ".join([*inside[:at], ""]), " ".join(inside[at:])
    kept = min(len(inside), max(len(part.split()) for part in rest)) if rest else len(inside)
    lead = " ".join(inside[: len(inside) - kept])
    return (lead + " " if lead else ""), " ".join(inside[len(inside) - kept :])


_FORMS: Final = (
    ("list", _listed),
    ("questions", _questions),
    ("for each", _for_each),
    ("comparison", _compared),
    ("enumeration", _enumerated),
)
