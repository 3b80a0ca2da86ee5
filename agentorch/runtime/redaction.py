"""Redaction: secrets are taken out of everything before the core sees it, so that live and resumed runs see the same.

1. There is one boundary: every message to the core, and every large value before it is stored, goes through here.
2. What holds no secret is passed on as the same object, and nothing is copied.
3. The marked values go first, by their names; then what looks like a secret.
4. A text that is JSON is taken as the value that it spells: secrets are taken out of its strings, and all else stays.
   A number is no text and is not searched, there as in a value. Only a text in which a secret was found is parsed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from typing import Any, Final, TypeVar, cast

from agentorch.core import inbox
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.ports.blobs import Blobs
from agentorch.runtime.json_texts import Apart, Spot, json_spots, not_crossed, outside_strings, with_strings
from agentorch.runtime.marked_values import beginnings, in_bytes, is_word, pattern
from agentorch.runtime.secret_forms import FORMS, NAMES, SHORTEST_NAME

SHORTEST: Final = 4
"""Characters of a marked value: one of a letter or two would be found in every word."""
_SHORTEST_KEY: Final = 12
"""Characters of a provider's key: local servers are given "none", "test" or "ollama", which are words."""
_LEFT: Final = "[redacted:{}]"
_SHORTEST_FORM: Final = 8
"""Characters of the shortest text in which any form is found."""
_LEVELS: Final = 5
"""How often JSON in a string of JSON is taken as a value; what is deeper is taken as the text that it is."""
_NEVER_SECRET: Final = frozenset(
    {
        "agent",
        "arguments",
        "at",
        "budget",
        "cards",
        "effect",
        "events",
        "id",
        "key",
        "needs",
        "owner",
        "policy",
        "release",
    }
    | {"request", "request_id", "reserved", "step", "task", "templates", "tool", "usage"}
)
"""Fields with names, digests and numbers of the runtime's own, a run's idempotency key, by which it is found, and what
was decided on messages without secrets."""
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_BEYOND_LATIN_1: Final = re.compile("[^\x00-\xff]")
_WIDE: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
"""Encodings that a text names by its first two bytes."""
_PLAIN: Final = frozenset({int, float, bool, type(None)})

T = TypeVar("T")
Secrets = Mapping[str, str] | Sequence[str]
"""Values that must not be written, by name or without one."""


class _Rule:
    """A form, or a marked value, ready to be searched for."""

    __slots__ = ("_compiled", "_left", "_marks", "_written", "sought")

    def __init__(self, left: str, marks: tuple[str, ...], pattern: str, *, sought: tuple[str, ...] = ()) -> None:
        """Take the texts of which one stands in it, none where they are patterns: then these are `sought`."""
        self.sought = sought or tuple(map(re.escape, marks))
        self._marks = marks
        self._written = pattern
        self._compiled: re.Pattern[str] | None = None
        self._left = left

    @property
    def _pattern(self) -> re.Pattern[str]:
        """What finds it, compiled when it is first needed: most rules never are."""
        if self._compiled is None:
            self._compiled = re.compile(self._written)
        return self._compiled

    def taken_out(self, text: str) -> str:
        """Return `text` without it."""
        if not self._marks:
            return self._pattern.sub(self._replaced, text)
        for mark in self._marks:
            if mark in text:
                return self._pattern.sub(self._replaced, text)
        return text

    def taken_out_of_json(self, text: str) -> str:
        """Return JSON without it; in strings, which are read, nothing is looked for."""
        pieces: list[str] = []
        last = 0
        for start, end in outside_strings(text, self.found(text)):
            pieces += (text[last:start], self._left)
            last = end
        return "".join([*pieces, text[last:]])

    def found(self, text: str) -> Iterator[Spot]:
        """Yield where it is."""
        return (found.span() for found in self._pattern.finditer(text))

    def _replaced(self, found: re.Match[str]) -> str:
        groups = found.groupdict()
        if groups.get("none") is not None:
            return found[0]
        return (groups.get("keep") or "") + self._left


def _marks_of(rules: Iterable[_Rule]) -> re.Pattern[str]:
    """Return what finds a mark of any of them."""
    return re.compile("|".join(mark for rule in rules for mark in rule.sought))


_OF_FORMS: Final = tuple(_Rule(_LEFT.format(form.name), form.marks, form.pattern) for form in FORMS)
_MARKS_OF_FORMS: Final = _marks_of(_OF_FORMS)


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
        self._of_values = tuple(_of_value(value, named[value]) for value in values)
        self._rules = (*self._of_values, *_OF_FORMS)
        self._of_json = tuple(_of_json(value, named[value]) for value in values if '"' in value)
        self._in_bytes = tuple(
            (form, _LEFT.format(named[value]).encode(encoding), encoding)
            for value in values
            for form, encoding in in_bytes(value).items()
        )
        self._marks = _marks_of(self._rules) if values else _MARKS_OF_FORMS
        self._marked = self._marks.search
        self._shortest = min([_SHORTEST_FORM, *map(len, values)])

    def text(self, text: str) -> str:
        """Return a text without secrets; the same object when it holds none."""
        if len(text) < self._shortest or self._marked(text) is None:
            return text
        return self._cleaned(text, 0)

    def data(self, data: bytes) -> bytes:
        """Return bytes without secrets; JSON stays JSON, and what is no text is looked at byte by byte."""
        data, wide = self._wide(data)
        text, encoding = _decoded(data, "utf-8"), "utf-8"
        rest = self._without_bytes(data, {wide, None if text is None else encoding})
        if rest is not data:
            text = _decoded(rest, "utf-8")
        if text is None:
            text, encoding = rest.decode("latin-1"), "latin-1"
        clean = self.text(text)
        if clean is not text and encoding == "latin-1":  # JSON that had other characters escaped has them still
            clean = _BEYOND_LATIN_1.sub(lambda found: json.dumps(found[0])[1:-1], clean)
        return rest if clean is text else clean.encode(encoding)

    def _wide(self, data: bytes) -> tuple[bytes, str | None]:
        """Return bytes that say that they are UTF-16 without secrets, and in which order; others as they are."""
        encoding = _WIDE.get(data[:2])
        text = None if encoding is None else _decoded(data[2:], encoding)
        if encoding is None or text is None:
            return data, None
        clean = self.text(text)
        return data if clean is text else data[:2] + clean.encode(encoding), encoding

    def _without_bytes(self, data: bytes, read: AbstractSet[str | None]) -> bytes:
        """Return bytes without the marked values that reading them as a text, in some encodings, does not show."""
        for form, left, encoding in self._in_bytes:
            if encoding not in read and form in data:
                data = data.replace(form, left)
        return data

    def value(self, value: T) -> T:
        """Return a JSON value, or what tasks, problems and plans are made of, without secrets."""
        return cast("T", self._changed(value)) if self._holds_any(value) else value  # most hold none: no copy

    def message(self, message: inbox.Message) -> inbox.Message:
        """Return a message without secrets."""
        if isinstance(message, inbox.Succeed) and not message.sources and type(message.output) in _PLAIN:
            return message  # as most are
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
                stack += (value.objective, value.inputs) if value.objective or value.inputs else ()
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
                    copy[place] = self._renamed(cast("dict[Any, Any]", item))
                    rest.append(copy[place])
                elif isinstance(item, list):
                    copy[place] = [*cast("list[Any]", item)]
                    rest.append(copy[place])
                else:
                    copy[place] = self._changed_whole(item)
        return whole[0]

    def _renamed(self, items: Mapping[Any, Any]) -> dict[Any, Any]:
        """Return a copy with names without secrets, as many as there were."""
        clean = {name: self.text(name) if isinstance(name, str) else name for name in items}
        apart = Apart(name for name, left in clean.items() if left is name)
        renamed: dict[Any, Any] = {}
        for name, part in items.items():
            left = clean[name]
            if left is name:
                renamed[name] = part
            else:  # the name says what stands beside it while nothing is added to it
                renamed[apart.name(left)] = self._string(part, left) if isinstance(part, str) else part
        return renamed

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
        spots = self._whole(text, json_spots(text)) if clean is not text and level < _LEVELS else []
        if not spots:
            return clean
        pieces: list[str] = []
        last = 0
        for start, end in spots:
            inner = text[start:end]
            for rule in self._of_json:
                inner = rule.taken_out_of_json(inner)
            changed = partial(self._string, level=level + 1)
            inner = with_strings(inner, changed, marks=self._marks, spelt=self._without_values)
            pieces += (self._without(text[last:start]), inner)
            last = end
        clean = "".join([*pieces, self._without(text[last:])])
        return text if clean == text else clean

    def _whole(self, text: str, spots: list[Spot]) -> list[Spot]:
        """Return the JSON of which no marked value takes a part: with its last line, say, or what stands before it."""
        for rule in self._of_values if spots else ():
            spots = not_crossed(spots, rule.found(text))
        return spots

    def _without(self, text: str) -> str:
        clean = text
        for rule in self._rules:
            clean = rule.taken_out(clean)
        return text if clean == text else clean

    def _without_values(self, text: str) -> str:
        for rule in self._of_values:
            text = rule.taken_out(text)
        return text

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
    if is_word(value):
        return _Rule(_LEFT.format(name), (value,), re.escape(value))
    return _Rule(_LEFT.format(name), (), pattern(value), sought=tuple(beginnings(value)))


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _of_json(value: str, name: str) -> _Rule:
    """A marked value that is JSON itself, such as an account's file, is found where it is a part of other JSON."""
    left = _LEFT.format(name)
    left = json.dumps(left) if json_spots(value) == [(0, len(value))] else left
    return _Rule(left, (value,), re.escape(value))


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
