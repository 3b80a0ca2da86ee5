"""How a marked value may be written: as it is, in JSON, in a `repr`, in these again, in an address, in bytes.

1. A spelling is one way to write all of it. The digits of an escape may be in either case.
2. An address is a pattern: who writes one chooses which characters are escaped, and spells a space in two ways. What
   could end a string of JSON stands in it escaped only, so that JSON is JSON afterwards.
3. No pattern has two ways to match the same text, so that a search takes time in proportion to it; and each begins with
   one character, not with a choice, so that it skips what begins otherwise.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

_SPELT_AGAIN: Final = 3
"""How often a marked value is found that was escaped again and again: JSON in JSON in JSON."""
_HEX: Final = re.compile(r"%[0-9A-Fa-f]{2}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}")
_NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9_.-]")
"""Characters that stand as they are in every address."""
_ALWAYS_ESCAPED: Final = re.compile(r"""[\x00- "'\\%\x7f]""")
"""Characters that stand in no address as they are."""
_OF_ADDRESSES: Final = ("utf-8", "latin-1")
_IN_BYTES: Final = ("utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be")
"""The usual encodings of a text; one that holds all of a value finds it."""


def spellings(value: str) -> list[str]:
    """Return the ways to write a value, the longest first."""
    data = value.encode("utf-8", "surrogatepass")
    spelt = {value, quote(data, safe=""), quote(data), repr(data)[2:-1]}
    spelt |= {repr(f"'\"{value}")[4:-1], repr(b"'\"" + data)[5:-1]}  # with both marks before it, one in it is escaped
    for _ in range(_SPELT_AGAIN):
        spelt |= {again for one in spelt for again in _quoted(one)}
    return sorted(spelt, key=lambda one: (-len(one), one))


def pattern_of(spelling: str) -> str:
    """Return the pattern of a spelling: it is the spelling itself where no escape in it has a letter."""
    pieces: list[str] = []
    last = 0
    for found in _HEX.finditer(spelling):
        head = 1 if found[0][0] == "%" else 2
        pieces += (re.escape(spelling[last : found.start()]), re.escape(found[0][:head]), _either(found[0][head:]))
        last = found.end()
    return "".join([*pieces, re.escape(spelling[last:])])


def in_addresses(value: str) -> Iterator[str]:
    """Yield the patterns of a value in an address, one for each way to write its first character; none for a word."""
    if all(map(_NEVER_ESCAPED.match, value)):
        return
    for encoding in _OF_ADDRESSES:
        if encoding != "utf-8" and value.isascii():
            continue
        try:
            first, *rest = [_in_address(char, encoding) for char in value]
        except UnicodeEncodeError:
            continue
        behind = "".join(ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})" for ways in rest)
        for way in first:
            yield way + behind


def in_bytes(value: str) -> dict[bytes, str]:
    """Return how a value may stand in bytes, each with its encoding, the longest first.

    What is ASCII is left out: it is found where the bytes are read as a text.
    """
    found: dict[bytes, str] = {}
    for spelling in (value, *_quoted(value)):
        for encoding in _IN_BYTES:
            if spelling.isascii() and not encoding.startswith("utf-16"):
                continue
            try:
                found.setdefault(spelling.encode(encoding), encoding)
            except UnicodeEncodeError:
                continue
    return dict(sorted(found.items(), key=lambda one: (-len(one[0]), one[0])))


def _in_address(char: str, encoding: str) -> tuple[str, ...]:
    """Return the patterns of one character, of which no two begin alike."""
    if _NEVER_ESCAPED.match(char):
        return (re.escape(char),)
    data = char.encode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    escaped = "".join(f"%{_either(f'{byte:02X}')}" for byte in data)
    if char == " ":
        return escaped, r"\+"
    if _ALWAYS_ESCAPED.match(char):
        return (escaped,)
    if char == "/":
        return escaped, "/", r"\\\\{0,14}/"
    return escaped, re.escape(char)


def _either(digits: str) -> str:
    return "".join(f"[{digit.upper()}{digit.lower()}]" if digit.isalpha() else digit for digit in digits)


def _quoted(text: str) -> Iterable[str]:
    """Return how a text is written inside quotation marks: in JSON, with slashes escaped or not, and in a `repr`."""
    in_json = json.dumps(text, ensure_ascii=False)[1:-1]
    return json.dumps(text)[1:-1], in_json, in_json.replace("/", "\\/"), repr(text)[1:-1], ascii(text)[1:-1]
