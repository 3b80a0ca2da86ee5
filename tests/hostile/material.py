"""Hostile material: texts, values and damaged documents, as hypothesis strategies.

1. Every token here has broken a parser, a terminal or a prompt somewhere.
2. A document is damaged from a sound one: what is refused at its first byte tests nothing behind it.
"""

import json
from typing import Any, Final

from hypothesis import strategies as st

TOKENS: Final = (
    "\x00", "\x1b[2J", "\x1b]0;title\x07", "\x1bP1;1|\x1b\\", "\x9b31m", "\x7f", "\r", "\n", "\r\n", "\t", "\x85",
    "\u2028", "\u202e", "\u2066", "\u200b", "\ufeff", "\U000e0041", "\ud800", "\udfff", "e\u0301" * 20,
    "\U0001f468\u200d\U0001f469", "{{ 7*7 }}", "{% raw %}", "${goal}", "$goal", "$a.b", "$inputs", "</value>",
    '<value name="x">', '{"$blob": {"sha256": "0"}}', "../../../etc/passwd", "/dev/zero", "%s%n",
    "'; DROP TABLE runs; --", "__class__", "---", "```json", "```", "</think>", "<think>", "&a", "*a",
    "!!python/object/apply:os.system", "<<: *a", "? ", ": ", "- ", "|", ">", "#", "@", "`", "{", "}", "[", "]", '"',
    "'", "\\", "\\u", "\\ud800", ",", ":", "null", "NaN", "Infinity", "-", "1e999", "0x10", "9" * 5000, "[" * 400,
    '{"a":' * 400, "(" * 400, " " * 300, "a" * 3000,
)  # fmt: skip
"""Pieces that something may trip over."""

any_text: Final = st.text(st.characters(categories=None), max_size=40)
"""Any text at all, lone surrogates too."""
hostile_text: Final = st.lists(st.one_of(st.sampled_from(TOKENS), any_text), max_size=8).map("".join)
"""Text out of tokens and anything."""
utf8_text: Final = hostile_text.map(lambda text: text.encode("utf-8", "replace").decode())
"""Hostile text that a file can hold."""


def _nested(value: Any, levels: int) -> Any:
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


_scalars: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([2**63, -(2**64), 10**400, 10**4200, 0.5, -0.0, 1e308, float("inf"), float("nan")]),
    hostile_text,
)
json_like: Final = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(hostile_text, inner, max_size=4),
        st.builds(_nested, inner, st.sampled_from([1, 60, 150, 400])),
    ),
    max_leaves=12,
)
"""Whatever a JSON parser may give, and what it should not."""


def written(value: Any) -> str:
    """Return a value as JSON, or as Python would write it where JSON cannot."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "9" * 6000


@st.composite
def damaged(draw: st.DrawFn, sound: str) -> str:
    """Return `sound` with some of it cut out, doubled, or replaced by hostile material."""
    text = sound
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        piece = draw(st.one_of(st.just(""), st.just(text[start:end] * 2), hostile_text, json_like.map(written)))
        text = text[:start] + piece + text[end:]
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 5)) == 0 else text


def damaged_bytes(*sound: str) -> st.SearchStrategy[bytes]:
    """Return files: a damaged document as UTF-8 (lone surrogates as they would stand), or any bytes."""
    texts = st.sampled_from(sound).flatmap(damaged)
    return st.one_of(texts.map(lambda text: text.encode("utf-8", "surrogatepass")), st.binary(max_size=200))
