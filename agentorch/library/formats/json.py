"""JSON and JSON lines: each object with plain values is a record that knows the line of each value."""

import json
import re
from collections.abc import Iterator
from typing import Final

from agentorch.library.formats.plain import read_plain
from agentorch.library.passage import Field, Section, Unit

_TOKEN: Final = re.compile(r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\]:,])|(?P<word>[^\s{}\[\]:,"]+))')
_WORD: Final = re.compile(r"-?[0-9][0-9.eE+-]*|-?Infinity|NaN|true|false|null")
_DEEPEST: Final = 100


def read_json(text: str) -> Iterator[Section]:
    """Yield a section for each record; what is not JSON is read as plain text."""
    sections: list[Section] = []
    try:
        _Reader(text, sections).read()
    except (ValueError, IndexError):
        yield from read_plain(text)
        return
    yield from sections


class _Reader:
    def __init__(self, text: str, sections: list[Section]) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0
        self.sections = sections

    def read(self) -> None:
        while self.at < len(self.tokens):
            fields: list[Field] = []
            self.value((), fields)
            self.emit((), fields)

    def value(self, path: tuple[str, ...], fields: list[Field]) -> None:
        """Read one value: plain ones go to the fields of the record that they are part of."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ValueError("nested too deeply")
        line, word = self.next()
        if word == "{":
            self.object(path)
        elif word == "[":
            self.array(path, fields)
        elif len(word) == 1 and word in "}]:,":
            raise ValueError(f"line {line}: unexpected {word}")
        else:
            name = path[-1] if path else ""
            fields.append(Field(line, name, _plain(word)))
        self.depth -= 1

    def object(self, path: tuple[str, ...]) -> None:
        fields: list[Field] = []
        while self.peek() != "}":
            _, key = self.next()
            if self.next()[1] != ":":
                raise ValueError("no colon")
            self.value((*path, _plain(key)), fields)
            if self.peek() == ",":
                self.next()
        self.next()
        self.emit(path, fields)

    def array(self, path: tuple[str, ...], fields: list[Field]) -> None:
        """Read a list: its plain values are one field, the objects in it are records of their own."""
        plain: list[Field] = []
        first = self.tokens[self.at][0]
        while self.peek() != "]":
            self.value(path, plain)
            if self.peek() == ",":
                self.next()
        self.next()
        if plain:
            name = path[-1] if path else ""
            fields.append(Field(first, name, ", ".join(field.value for field in plain)))

    def emit(self, path: tuple[str, ...], fields: list[Field]) -> None:
        if any(field.name or field.value.strip() for field in fields):
            text = "; ".join(f"{field.name}: {field.value}" if field.name else field.value for field in fields)
            lines = [field.line for field in fields]
            self.sections.append(Section(" > ".join(path), [Unit(min(lines), max(lines), text, tuple(fields))]))

    def peek(self) -> str:
        return self.tokens[self.at][1]

    def next(self) -> tuple[int, str]:
        token = self.tokens[self.at]
        self.at += 1
        return token


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    line = 1
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"line {line}: no JSON")
        token = match["string"] or match["mark"] or match["word"]
        line += text.count("\n", at, match.end() - len(token))
        yield line, token
        line += token.count("\n")
        at = match.end()


def _plain(token: str) -> str:
    """Return a string's value; what is none is as it is written."""
    if token.startswith('"'):
        return str(json.loads(token))
    if _WORD.fullmatch(token) is None:
        raise ValueError(f"no JSON: {token:.40}")
    return token
