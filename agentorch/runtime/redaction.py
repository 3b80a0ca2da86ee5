"""Redaction: secrets are taken out of everything before the core sees it, so that live and resumed runs see the same.

1. There is one boundary: every message to the core, and every large value before it is stored, goes through here.
2. What holds no secret is passed on as the same object, and nothing is copied.
3. The marked values go first, by their names; then what looks like a secret.
4. A text that is JSON is taken as the value that it spells: secrets are taken out of its strings, and all else stays.
   A number is no text and is not searched, there as in a value. Only a text in which a secret was found is parsed.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote, quote_plus

from agentorch.core import inbox
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.ports.blobs import Blobs
from agentorch.runtime.json_texts import json_spots, with_strings
from agentorch.runtime.secret_forms import FORMS, NAMES, SHORTEST_NAME

SHORTEST: Final = 4
"""Characters of a marked value: one of a letter or two would be found in every word."""
_SHORTEST_KEY: Final = 12
"""Characters of a provider's key: local servers are given "none", "test" or "ollama", which are words."""
_LEFT: Final = "[redacted:{}]"
_SHORTEST_FORM: Final = 8
"""Characters of the shortest text in which any form is found."""
_SPELT_AGAIN: Final = 3
"""How often a marked value is found that was escaped again and again: JSON in JSON in JSON."""
_LEVELS: Final = 5
"""How often JSON in a string of JSON is taken as a value; what is deeper is taken as the text that it is."""
_NEVER_SECRET: Final = frozenset(
    {"agent", "arguments", "at", "budget", "effect", "id", "key", "needs", "owner", "policy", "release", "request"}
    | {"request_id", "reserved", "step", "task", "tool", "usage"}
)
"""Fields with names, digests and numbers of the runtime's own, and a run's idempotency key, by which it is found."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_HEX: Final = re.compile("%[0-9A-F]{2}")
_CODE: Final = re.compile(r"(?<=\\u)[0-9a-f]{4}")
_IN_BYTES: Final = ("utf-8", "cp1252", "utf-16-le", "utf-16-be")
"""Encodings in which a marked value is looked for in bytes."""
_PLAIN: Final = frozenset({int, float, bool, type(None)})

T = TypeVar("T")
Secrets = Mapping[str, str] | Sequence[str]
"""Values that must not be written, by name or without one."""


class _Rule:
    """A form, or a marked value, ready to be searched for."""

    __slots__ = ("_left", "_pattern", "marks")

    def __init__(self, left: str, marks: tuple[str, ...], pattern: str) -> None:
        self.marks = marks
        self._pattern = re.compile(pattern)
        self._left = left

    def taken_out(self, text: str) -> str:
        """Return `text` without it."""
        for mark in self.marks:
            if mark in text:
                return self._pattern.sub(self._replaced, text)
        return text

    def _replaced(self, found: re.Match[str]) -> str:
        groups = found.groupdict()
        if groups.get("none") is not None:
            return found[0]
        return (groups.get("keep") or "") + self._left


class Redactor:
    """Takes secrets out of texts, JSON values, bytes and messages; `marked` are the user's own by name."""

    def __init__(self, marked: Secrets = (), *, known: Iterable[str] = ()) -> None:
        """Take the marked values, and `known` ones: the keys of the providers in use, however they look.

        Raises ConfigurationError for a value that is no text, or too short to be told from other words.
        """
        named = {_checked(name, value): name for name, value in _pairs(marked)}
        for value in known:
            if len(value) >= _SHORTEST_KEY:
                named.setdefault(value, "api-key")
        values = sorted(named, key=len, reverse=True)  # one may be a part of another
        self._rules = (
            *(_of_value(value, named[value]) for value in values),
            *(_Rule(_LEFT.format(form.name), form.marks, form.pattern) for form in FORMS),
        )
        self._of_json = tuple(_of_json(value, named[value]) for value in values if '"' in value)
        marks = (re.escape(mark) for rule in self._rules for mark in rule.marks)
        self._marks = re.compile("|".join(marks))
        self._marked = self._marks.search
        self._shortest = min([_SHORTEST_FORM, *map(len, values)])
        self._encoded = {data: _LEFT.format(named[one]).encode() for one in values for data in _encoded(one)}
        wide = [data for data in self._encoded if b"\0" in data]
        self._others = {"utf-8": _any_of(wide), "latin-1": _any_of(self._encoded)}
        """Finds marked values in bytes that seem to be in an encoding, and are not, or not all of them."""

    def text(self, text: str) -> str:
        """Return a text without secrets; the same object when it holds none."""
        if len(text) < self._shortest or self._marked(text) is None:
            return text
        return self._cleaned(text, 0)

    def data(self, data: bytes) -> bytes:
        """Return bytes without secrets; JSON stays JSON, and what is no text is looked at byte by byte."""
        try:
            text, encoding = data.decode(), "utf-8"
        except UnicodeDecodeError:
            text, encoding = data.decode("latin-1"), "latin-1"
        clean = self.text(text)
        left = data if clean is text else clean.encode(encoding)
        others = self._others[encoding]
        return left if others is None else others.sub(lambda found: self._encoded[found[0]], left)

    def value(self, value: T) -> T:
        """Return a JSON value, or what tasks, problems and plans are made of, without secrets."""
        return cast("T", self._changed(value)) if self._holds_any(value) else value  # most hold none: no copy

    def message(self, message: inbox.Message) -> inbox.Message:
        """Return a message without secrets."""
        clean = message
        for name in _texts_of(message.__class__):
            value = getattr(message, name)
            if not value or value.__class__ in _PLAIN:
                continue
            changed = self.text(value) if value.__class__ is str else self.value(value)
            if changed is not value:
                clean = replace(clean, **{name: changed})
        return clean

    def _holds_any(self, whole: Any) -> bool:
        """Whether any text in a value holds a secret; without recursion, for values may be deep."""
        stack = [whole]
        while stack:
            value = stack.pop()
            if value.__class__ in _PLAIN:
                continue
            if value.__class__ is Task:  # a plan may have 100,000 of them, most without a word
                stack += [part for part in (value.objective, value.inputs) if part]
            elif isinstance(value, str):
                if len(value) >= self._shortest and self.text(value) is not value:
                    return True
            elif isinstance(value, dict):
                stack.extend(cast("dict[Any, Any]", value))
                stack.extend(cast("dict[Any, Any]", value).values())
                if self._holds_named(cast("dict[Any, Any]", value)):
                    return True
            elif isinstance(value, list | tuple):
                stack.extend(cast("list[Any]", value))
            elif is_dataclass(value):
                stack.extend(getattr(value, name) for name in _texts_of(type(value)))
        return False

    def _holds_named(self, items: Mapping[Any, Any]) -> bool:
        """Whether a value in JSON is a secret because of its name."""
        return any(
            len(name) >= SHORTEST_NAME and item.__class__ is str and self._string(item, name) is not item
            for name, item in items.items()
            if name.__class__ is str
        )

    def _changed(self, value: Any) -> Any:
        """Return a copy of a value without secrets; without recursion into JSON, for it may be deep."""
        whole = [value]
        rest: list[Any] = [whole]
        while rest:
            copy = rest.pop()
            named = isinstance(copy, dict)
            for place, item in cast("Iterable[tuple[Any, Any]]", copy.items() if named else enumerate(copy)):
                if isinstance(item, str):
                    copy[place] = self._string(item, place) if named and isinstance(place, str) else self.text(item)
                elif isinstance(item, dict):
                    items = cast("dict[Any, Any]", item).items()
                    copy[place] = {self._name(name): part for name, part in items}
                    rest.append(copy[place])
                elif isinstance(item, list):
                    copy[place] = [*cast("list[Any]", item)]
                    rest.append(copy[place])
                else:
                    copy[place] = self._changed_whole(item)
        return whole[0]

    def _name(self, name: Any) -> Any:
        return self.text(name) if isinstance(name, str) else name

    def _changed_whole(self, value: Any) -> Any:
        """Return a copy of what holds JSON, and is not nested in itself."""
        if isinstance(value, tuple):
            return tuple(self._changed(item) for item in cast("tuple[Any, ...]", value))
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{name: self._changed(getattr(value, name)) for name in _texts_of(type(value))})
        return value

    def _cleaned(self, text: str, level: int) -> str:
        """Return a text without secrets; it stands in a string of JSON, that in another one, `level` times."""
        if len(text) < self._shortest or self._marked(text) is None:
            return text
        clean = self._without(text)
        spots = json_spots(text) if clean is not text and level < _LEVELS else []
        if not spots:
            return clean
        pieces: list[str] = []
        last = 0
        for start, end in spots:
            inner = text[start:end]
            for rule in self._of_json:
                inner = rule.taken_out(inner)
            inner = with_strings(inner, partial(self._string, level=level + 1), marks=self._marks)
            pieces += (self._without(text[last:start]), inner)
            last = end
        clean = "".join([*pieces, self._without(text[last:])])
        return text if clean == text else clean

    def _without(self, text: str) -> str:
        clean = text
        for rule in self._rules:
            clean = rule.taken_out(clean)
        return text if clean == text else clean

    def _string(self, string: str, name: str, *, level: int = 0) -> str:
        """Return a string of JSON without secrets; its name may say what it is: `{"Authorization": "token ..."}`."""
        if len(name) >= SHORTEST_NAME and NAMES.search(name):
            said = f"{name}: "
            clean = self._without(said + string)
            if clean != said + string and clean.startswith(said):
                return clean[len(said) :]
        return self._cleaned(string, level)


class RedactedBlobs:
    """A `Blobs` that takes secrets out of what is put into it."""

    def __init__(self, blobs: Blobs, redactor: Redactor) -> None:
        self._blobs = blobs
        self._redactor = redactor

    async def put(self, data: bytes) -> str:
        """Store `data` without secrets; return the SHA-256 of what is stored."""
        return await self._blobs.put(self._redactor.data(data))

    async def get(self, sha256: str) -> bytes:
        """Return the bytes; KeyError when there are none."""
        return await self._blobs.get(sha256)


@cache
def _texts_of(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass that may hold what users, agents, tools and models wrote."""
    return tuple(field.name for field in fields(kind) if field.name not in _NEVER_SECRET)


def _of_value(value: str, name: str) -> _Rule:
    """A marked value is found as it is, and as it stands in JSON, in a `repr`, in these again, and in an address."""
    spelt = {value, repr(f"'\"{value}")[4:-1]}  # with both marks of quotation before it, a repr escapes one in it
    for _ in range(_SPELT_AGAIN):
        spelt |= {again for one in spelt for again in _spellings(one)}
    spelt |= {quote(value, safe=""), quote(value), quote_plus(value), repr(value.encode("utf-8", "replace"))[2:-1]}
    spelt |= {_HEX.sub(lambda digits: digits[0].lower(), one) for one in spelt}
    spelt |= {_CODE.sub(lambda digits: digits[0].upper(), one) for one in spelt}
    longest_first = sorted(spelt, key=len, reverse=True)
    return _Rule(_LEFT.format(name), tuple(longest_first), "|".join(map(re.escape, longest_first)))


def _any_of(texts: Iterable[bytes]) -> re.Pattern[bytes] | None:
    pattern = b"|".join(map(re.escape, texts))
    return re.compile(pattern) if pattern else None


def _encoded(value: str) -> Iterable[bytes]:
    for encoding in _IN_BYTES:
        with suppress(UnicodeEncodeError):
            yield value.encode(encoding)


def _of_json(value: str, name: str) -> _Rule:
    """A marked value that is JSON itself, such as an account's file, is found where it is a part of other JSON."""
    left = _LEFT.format(name)
    return _Rule(json.dumps(left) if json_spots(value) == [(0, len(value))] else left, (value,), re.escape(value))


def _spellings(text: str) -> Iterable[str]:
    """Return how a text is written inside quotation marks: in JSON, with slashes escaped or not, and in a `repr`."""
    in_json = json.dumps(text, ensure_ascii=False)[1:-1]
    return json.dumps(text)[1:-1], in_json, in_json.replace("/", "\\/"), repr(text)[1:-1], ascii(text)[1:-1]


def _pairs(marked: Secrets) -> Iterable[tuple[str, str]]:
    if isinstance(marked, str):
        raise ConfigurationError("secrets: it is a text: give a list of values, or values by name")
    return marked.items() if isinstance(marked, Mapping) else (("secret", value) for value in marked)


def _checked(name: str, value: Any) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"secrets: {name!r:.80} is no name: use letters, digits, '_', '-' and '.'")
    if not isinstance(value, str):
        raise ConfigurationError(f"secrets: {name!r} is a {type(value).__name__}: give text")
    if len(value) < SHORTEST:
        raise ConfigurationError(f"secrets: {name!r} has {len(value)} characters: a secret has at least {SHORTEST}")
    return value
