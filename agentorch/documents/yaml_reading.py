"""YAML as people mean it.

1. Only `true` and `false` are booleans (in any of the three usual spellings); `no` and `on` are words.
2. Numbers are decimal integers and floats with a point or an exponent; `1_000`, `0o17` and `12:30` are text.
   `1.10` is a float by YAML's own rules: quote a version.
3. Dates are text. A key may not appear twice. Anchors, aliases and tags of other programs are refused.
"""

# PyYAML's stubs leave much untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import math
import re
from collections.abc import Hashable
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from agentorch.documents.mark import DocumentError, clean_text

DEEPEST: Final = 50
"""Levels of nesting that are read."""


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's surprises."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as in the parent
    _depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise _error("an alias (*name) is not allowed; write the value out", event.start_mark)
        event = self.peek_event()
        if getattr(event, "anchor", None):
            raise _error("an anchor (&name) is not allowed; write the value out", event.start_mark)
        self._depth += 1
        if self._depth > DEEPEST:
            raise _error(f"it is nested more than {DEEPEST} levels deep", event.start_mark)
        node = super().compose_node(parent, index)  # pyright: ignore[reportArgumentType]
        self._depth -= 1
        return node

    def construct_yaml_float(self, node: ScalarNode) -> float:
        value = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise _error(f"the number {node.value:.40} is too large", node.start_mark)
        return value

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        del deep
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, ScalarNode):
                raise _error("a key must be a plain word", key.start_mark)
            if key.value in seen:
                raise _error(f"key {key.value!r:.80} appears twice", key.start_mark)
            seen.add(key.value)
        return {self.construct_scalar(key): self.construct_object(value, deep=True) for key, value in node.value}


def _resolver(tag: str, pattern: str, first: str) -> None:
    _StrictLoader.add_implicit_resolver(tag, re.compile(pattern), list(first))


_resolver("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_resolver("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", "~nN\0")
_resolver("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789")
_resolver(
    "tag:yaml.org,2002:float",
    r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$",
    "-+0123456789",
)
_StrictLoader.add_constructor("tag:yaml.org,2002:float", _StrictLoader.construct_yaml_float)
_StrictLoader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile(r"^$")))


def read_yaml(data: bytes | str, *, first_line: int = 1) -> Any:
    """Return the value of a YAML document; `first_line` is its place in the file that it stands in.

    Raises:
        DocumentError: with line and column.
    """
    text = clean_text(data)
    try:
        return _StrictLoader(text).get_single_data()
    except _PlacedError as error:
        raise DocumentError(error.words, line=error.line + first_line, column=error.column + 1) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(str(part) for part in (error.context, error.problem) if part)
        line = mark.line + first_line if mark else None
        raise DocumentError(words, line=line, column=mark.column + 1 if mark else None) from None
    except yaml.YAMLError as error:
        raise DocumentError(" ".join(str(error).split())) from None
    except ValueError as error:
        raise DocumentError(f"a value cannot be read: {error}") from None


def compose_yaml(text: str) -> Node | None:
    """Return the nodes of a document that `read_yaml` has read: they know their places."""
    return _StrictLoader(text).get_single_node()


class _PlacedError(yaml.YAMLError):
    def __init__(self, words: str, line: int, column: int) -> None:
        super().__init__(words)
        self.words = words
        self.line = line
        self.column = column


def _error(words: str, mark: yaml.Mark) -> _PlacedError:
    return _PlacedError(words, mark.line, mark.column)
