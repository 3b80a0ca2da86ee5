"""A document with the places of its values, so that what is wrong with one can be pointed at."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, SequenceNode

from agentorch.documents.json_reading import MOST_BYTES, read_json
from agentorch.documents.mark import DocumentError, clean_text
from agentorch.documents.yaml_reading import compose_yaml, read_yaml
from agentorch.files import read_regular

Where = tuple[str | int, ...]
SUFFIXES: Final = (".yaml", ".yml", ".json")
"""Files that hold documents."""


@dataclass(frozen=True, slots=True)
class Document:
    """A value and where its parts stand."""

    value: Any
    places: Mapping[Where, tuple[int, int]]
    """Line and column, both from 1, by path; a key of a mapping stands at its key."""

    def at(self, *where: str | int) -> str:
        """Return `line 3, column 5: ` for a part, or for what holds it; empty when no place is known."""
        for length in range(len(where), -1, -1):
            place = self.places.get(where[:length])
            if place is not None:
                return f"line {place[0]}, column {place[1]}: "
        return ""


def read_document(path: Path) -> Document:
    """Read a `.yaml`, `.yml` or `.json` file.

    Raises:
        DocumentError: it cannot be read; without the path, which the caller puts first.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES and path.exists() and not path.is_dir():
        raise DocumentError(f"{path.suffix or 'no suffix'} is not known here; use {', '.join(SUFFIXES)}")
    try:
        data = read_regular(path, most=MOST_BYTES)
    except FileNotFoundError:
        raise DocumentError("there is no such file") from None
    except IsADirectoryError:
        raise DocumentError("it is a folder, not a file") from None
    except OSError as error:
        raise DocumentError(f"it cannot be read: {error.strerror}") from None
    if suffix == ".json":
        return Document(read_json(data), _places_of_json(data))
    return Document(read_yaml(data), dict(_walk(compose_yaml(clean_text(data)), ())))


def _places_of_json(data: bytes) -> dict[Where, tuple[int, int]]:
    """JSON is YAML but for its tabs; where YAML cannot follow, no places are known."""
    try:
        return dict(_walk(compose_yaml(clean_text(data)), ()))
    except (ValueError, yaml.YAMLError):
        return {}


def _walk(node: Node | None, where: Where) -> Iterator[tuple[Where, tuple[int, int]]]:
    if node is None:
        return
    if not where:
        yield where, (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            inner = (*where, str(key.value))
            yield inner, (key.start_mark.line + 1, key.start_mark.column + 1)
            yield from _walk(value, inner)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            inner = (*where, index)
            yield inner, (item.start_mark.line + 1, item.start_mark.column + 1)
            yield from _walk(item, inner)
