r"""How a marked value may be written: as it is, in JSON, in a `repr`, in these again, in an address, in bytes.

1. Whoever writes it chooses for each character whether it is escaped, and how: `&` is `\u0026` for some writers of JSON
   and `%26` in an address. So a pattern has a piece for each character, with all ways to write it.
2. A text in a string in a string has its backslashes doubled each time. Backslashes are counted together with the
   character behind them: a run of them is read in one way only, and a search takes time in proportion to the text.
3. Letters and digits are escaped by nobody; a value of these is found as it is.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

_MOST: Final = 16
"""Backslashes that one becomes in JSON in JSON in JSON in JSON."""
_BEGINNING: Final = 24
"""Characters of a value by which it is searched for first."""
_PIECE: Final = re.compile(r"(\\*)([^\\])|(\\+)\Z", re.DOTALL)
"""A character with the backslashes before it; those at the end."""
_NEVER_ESCAPED: Final = re.compile(r"[A-Za-z0-9_.]")
_WITH_A_BACKSLASH: Final = frozenset("\"'/")
"""Characters that may stand behind a backslash of their own."""
_LAST_OF_LATIN_1: Final = "\xff"
_LETTERS: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_IN_BYTES: Final = ("utf-8", "latin-1", "cp1252", "utf-16-le", "utf-16-be")
"""The usual encodings of a text; one that holds all of a value finds it."""


def is_word(value: str) -> bool:
    """Whether a value is written in one way only."""
    return all(map(_NEVER_ESCAPED.match, value))


def pattern(value: str) -> str:
    """Return the pattern of a value, in all ways to write it."""
    return "".join(_any_of(ways) for ways in _pieces(value))


def beginnings(value: str) -> list[str]:
    """Return patterns of which one is found wherever a value is; each begins with one character, not with a choice.

    So a search for many of them skips what begins otherwise.
    """
    first, *rest = _pieces(value[:_BEGINNING])
    behind = "".join(map(_any_of, rest))
    return [way + behind for way in first]


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


def _pieces(value: str) -> Iterator[list[str]]:
    """Yield the ways to write each character, with the backslashes before it."""
    for found in _PIECE.finditer(value):
        if found[3] is None:
            yield _ways(found[2], len(found[1]))
        else:
            yield _at_the_end(len(found[3]))


def _ways(char: str, backslashes: int) -> list[str]:
    """Return the patterns of a character behind some backslashes; none begins with a choice."""
    bare, escaped = [re.escape(char)], _escapes(char)
    behind = [*bare, *escaped] if char in _WITH_A_BACKSLASH else escaped
    alone = [*bare, *_in_address(char), *_run(1, _MOST, behind)]
    if not backslashes:
        return alone
    most = backslashes * _MOST + (_MOST - 1 if escaped else 0)
    rest = _any_of(alone)
    return [*_run(backslashes, most, [*bare, *escaped]), *(run + rest for run in _escaped_runs(backslashes))]


def _at_the_end(backslashes: int) -> list[str]:
    """Return the patterns of backslashes behind which a value ends: no more of them are taken than are its own."""
    lengths = [backslashes * _MOST >> level for level in range(_MOST.bit_length())]
    return [*(_run(length, length, [""])[0] for length in lengths), *_escaped_runs(backslashes)]


def _escaped_runs(backslashes: int) -> list[str]:
    """Return the patterns of backslashes that are written by their number, in an address and in JSON."""
    return ["%5[Cc]" * backslashes, rf"\\\\{{0,{_MOST - 1}}}u005[Cc]" * backslashes]


def _run(least: int, most: int, behind: list[str]) -> list[str]:
    """Return the pattern of a run of backslashes before one of some patterns; none when there are none."""
    return [rf"\\\\{{{least - 1},{most - 1}}}{_any_of(behind)}"] if behind else []


def _escapes(char: str) -> list[str]:
    """Return what stands behind the backslashes where a character is escaped by its number, or by a letter."""
    if _NEVER_ESCAPED.match(char):
        return []
    wide, data = char.encode("utf-16-be", "surrogatepass").hex(), char.encode("utf-8", "surrogatepass")
    again = rf"\\{{1,{_MOST}}}"
    found = [again.join(f"u{_either(wide[start : start + 4])}" for start in range(0, len(wide), 4))]
    found.append(f"U{_either(f'{ord(char):08x}')}")
    if char <= _LAST_OF_LATIN_1:
        found.append(f"x{_either(f'{ord(char):02x}')}")
    if not char.isascii():
        found.append(again.join(f"x{_either(f'{byte:02x}')}" for byte in data))
    return [*found, _LETTERS[char]] if char in _LETTERS else found


def _in_address(char: str) -> list[str]:
    """Return how a character is escaped in an address, in UTF-8 and in Latin-1."""
    if _NEVER_ESCAPED.match(char):
        return []
    encoded = {char.encode("utf-8", "surrogatepass")}
    if char <= _LAST_OF_LATIN_1:
        encoded.add(char.encode("latin-1"))
    escaped = ["".join(f"%{_either(f'{byte:02x}')}" for byte in data) for data in sorted(encoded)]
    return [*escaped, r"\+"] if char == " " else escaped


def _any_of(ways: list[str]) -> str:
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def _either(digits: str) -> str:
    """Return the pattern of hexadecimal digits in either case."""
    return "".join(f"[{digit.upper()}{digit.lower()}]" if digit.isalpha() else digit for digit in digits)


def _quoted(text: str) -> Iterable[str]:
    """Return how a text is written inside quotation marks: in JSON, with slashes escaped or not, and in a `repr`."""
    in_json = json.dumps(text, ensure_ascii=False)[1:-1]
    return json.dumps(text)[1:-1], in_json, in_json.replace("/", "\\/"), repr(text)[1:-1], ascii(text)[1:-1]
