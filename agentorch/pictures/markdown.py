"""Text that others wrote, as Markdown that does nothing but be read.

1. HTML in it is shown, not obeyed; a picture from elsewhere becomes a link, since to show it tells somebody that it is
   read, and what its address holds; a link leads to the web, to a mailbox or within the page, and anything else that
   looks like one is letters. So is a dollar: notebooks take what is between two for mathematics.
2. Code stays as it is, in fences and within a line. Readers disagree where code begins and ends, and what one takes for
   code another would obey. So it is written anew, in the one way that all of them read alike: a fence stands at the
   beginning of its line, out of its list or quotation, and is longer than any in the code; code within a line ends in
   that line; every other backtick is an entity.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic_core import to_jsonable_python

from agentorch.pictures.svg import HIDDEN

MOST: Final = 50_000
"""Letters that are shown: a notebook keeps what it shows."""
_FENCE: Final = re.compile(r"((?:[ \t>]|[*+-][ \t]|\d{1,9}[.)][ \t])*)(`{3,}|~{3,})(.*)")
_LANGUAGE: Final = re.compile(r"[\w+#.-]*")
"""What stands behind a fence: more of it might make the line, for some reader, a row of a table."""
_SPAN: Final = re.compile(r"\\.|(?<!`)(?P<run>`+)(?!`)(?P<code>.*?[^`])(?P=run)(?!`)")
_DEFINES: Final = re.compile(r"\]:.")
_LETTERS: Final = re.compile(
    r"\\(?:begin|end)\{|\\.|`+|~{3,}|\$|!(?=\[)|<(?=[A-Za-z/!?])"
    r"|\](?=\()(?!\([ \t]*(?:https?://|mailto:|#))|\]:(?![ \t]*https?://)",
    re.IGNORECASE,
)
"""What is not to be obeyed. Of a link, the bracket before an address that is not plainly a page's."""
_ENTITIES: Final = {"`": "&#96;", "~": "&#126;", "<": "&lt;", "\\": "&#92;"}


def harmless(text: str) -> str:
    """Return Markdown that shows the same and obeys nothing."""
    text = text.translate(HIDDEN).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MOST:
        text = f"{text[:MOST]}\n\n… {len(text) - MOST:,} more letters"
    pieces: list[str] = []
    prose: list[str] = []
    lines = text.split("\n")
    while lines:
        line = lines.pop(0)
        fence = _FENCE.fullmatch(line)
        if fence is None or (fence[2][0] == "`" and "`" in fence[3]):
            prose.append(line)
            continue
        if fence[1].strip(" \t>"):
            prose.append(fence[1].rstrip())
        pieces += [_tamed("\n".join(prose))] if prose else []
        prose = []
        pieces.append(fenced("\n".join(_code(fence, lines)), _language(fence[3])))
    pieces += [_tamed("\n".join(prose))] if prose else []
    return "\n".join(pieces)


def _language(behind: str) -> str:
    found = _LANGUAGE.match(behind.strip())
    return found[0] if found else ""


def _code(fence: re.Match[str], lines: list[str]) -> list[str]:
    """Take the code behind a fence off the lines, and the fence that ends it; without what the fence was set in by."""
    quotes = fence[1].count(">")
    outer = re.compile(rf"(?:[ \t]*>){{{quotes}}} ?" if quotes else "")
    inner = re.compile(rf"[ \t]{{0,{len(fence[1].rpartition('>')[2]) - bool(quotes and fence[1][-1:] == ' ')}}}")
    end = re.compile(rf"[ \t]*{re.escape(fence[2])}{re.escape(fence[2][0])}*[ \t]*")
    found: list[str] = []
    while lines:
        outside = outer.match(lines[0])
        if outside is None:  # the quotation is over
            break
        line = lines.pop(0)[outside.end() :]
        if end.fullmatch(line):
            break
        found.append(inner.sub("", line, count=1))
    return found


def shown(value: Any) -> str:
    """Return a value as Markdown: text as it is, anything else as JSON."""
    if isinstance(value, str):
        return harmless(value)
    text = json.dumps(to_jsonable_python(value, fallback=repr), indent=2, ensure_ascii=False)
    if len(text) > MOST:
        text = f"{text[:MOST]}\n… {len(text) - MOST:,} more letters"
    return fenced(text, "json")


def fenced(text: str, language: str = "") -> str:
    """Return a code block that nothing in the text can end."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def cell(text: str) -> str:
    """Return a text for a cell of a table: one line, in which nothing is Markdown."""
    line = " ".join(text.translate(HIDDEN).split())
    return re.sub(r"([\\`*_{}\[\]()#+!|~$-])", r"\\\1", line).replace("&", "&amp;").replace("<", "&lt;")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _tamed(text: str) -> str:
    """Return prose in which code within a line stays, and the rest is obeyed in nothing."""
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    spans = [match for match in _SPAN.finditer(line) if match["run"]]
    if not _hold([span["code"] for span in spans]):
        return _LETTERS.sub(_letter, line)
    at, pieces = 0, list[str]()
    for span in spans:
        pieces.append(_LETTERS.sub(_letter, line[at : span.start()]))
        run = next(run for run in ("`", "``", "```") if run not in re.findall("`+", span["code"]))
        pieces.append(run + span["code"] + run if run != "```" else _LETTERS.sub(_letter, span[0]))
        at = span.end()
    return "".join([*pieces, _LETTERS.sub(_letter, line[at:])])


def _hold(codes: Sequence[str]) -> bool:
    """Say whether every reader takes them for code: a table's bar takes them apart, and so does a link's definition."""
    bar = any("|" in code for code in codes)
    return not any(_DEFINES.search(code) or (bar and _LETTERS.search(code)) for code in codes)


def _letter(match: re.Match[str]) -> str:
    """Return what shows the same and is obeyed by nobody."""
    found = match[0]
    if found[0] in _ENTITIES and found[0] != "\\":
        return "".join(_ENTITIES[letter] for letter in found)
    if found[0] != "\\":
        return "]\\:" if found == "]:" else f"\\{found}"
    if len(found) > 2:  # noqa: PLR2004  # it begins or ends mathematics
        return _ENTITIES["\\"] + found[1:]
    return _ENTITIES.get(found[1], found)
