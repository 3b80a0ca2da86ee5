"""Text that others wrote, as Markdown that does nothing but be read.

1. HTML in it is shown, not obeyed; a picture from elsewhere becomes a link, since to show it tells somebody that it is
   read, and what its address holds; a link leads to the web, to a mailbox or within the page.
2. Fenced code stays as it is, where it is certain that every reader sees the same fences; else it counts as text.
"""

import json
import re
from collections.abc import Sequence
from html import unescape
from typing import Any, Final

from pydantic_core import to_jsonable_python

from agentorch.pictures.svg import HIDDEN

MOST: Final = 50_000
"""Letters that are shown: a notebook keeps what it shows."""
_FENCE: Final = re.compile(r"(`{3,}|~{3,})(.*)")
_FENCE_LIKE: Final = re.compile(r"[\s>*+\-\d.)]+(?:`{3,}|~{3,})")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])")
_TARGET: Final = re.compile(r"(\]\(\s*|^\s{0,3}\[[^\]\n]*\]:\s*)(<?[^\s)]*)", re.MULTILINE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_SAFE: Final = ("http:", "https:", "mailto:")


def harmless(text: str) -> str:
    """Return Markdown that shows the same and obeys nothing."""
    text = text.translate(HIDDEN).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > MOST:
        text = f"{text[:MOST]}\n\n… {len(text) - MOST:,} more letters"
    if any(_FENCE_LIKE.match(line) for line in text.split("\n")):
        return _tamed(text)
    pieces: list[str] = []
    prose: list[str] = []
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if not fence and match and not (match[1][0] == "`" and "`" in match[2]):
            pieces += [_tamed("\n".join(prose))] if prose else []
            prose, fence = [], match[1]
            pieces.append(line)
        elif fence:
            pieces.append(line)
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        else:
            prose.append(line)
    pieces += [_tamed("\n".join(prose))] if prose else []
    return "\n".join([*pieces, *([fence] if fence else [])])


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
    return _TARGET.sub(_target, _TAG.sub("&lt;", text)).replace("![", r"\![")


def _target(match: re.Match[str]) -> str:
    """Break a link that does not lead to a page, however its address is spelt."""
    address = re.sub(r"[\x00-\x20\\]", "", unescape(unescape(match[2]))).lstrip("<")
    scheme = _SCHEME.match(address)
    if scheme is None or scheme[0].lower() in _SAFE:
        return match[0]
    return match[0].replace("]", r"\]", 1)
