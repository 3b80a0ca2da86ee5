"""Does a value written into a plan fit the schema of its parameter? Strict: "5" is no integer, 5 is a number."""

import operator
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from agentorch.core.shapes import Schema, branches, choices, described, kind_of

_KINDS: Final[dict[type, tuple[str, ...]]] = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    type(None): ("null",),
    dict: ("object",),
    list: ("array",),
    tuple: ("array",),
}
_LIMITS: Final[tuple[tuple[str, Callable[[Any, Any], bool], str], ...]] = (
    ("minimum", operator.ge, "at least"),
    ("maximum", operator.le, "at most"),
    ("exclusiveMinimum", operator.gt, "more than"),
    ("exclusiveMaximum", operator.lt, "less than"),
)
_SIZES: Final = {
    "string": ("minLength", "maxLength", "characters"),
    "array": ("minItems", "maxItems", "items"),
    "object": ("minProperties", "maxProperties", "keys"),
}

_SHOWN: Final = 60
"""Characters of a value that a message shows."""


def literal_problems(
    value: Any, schema: Schema, *, passes: Callable[[str], bool] | None = None, root: Schema | None = None
) -> list[str]:
    """Return in words why `value` is not one of `schema`; a string for which `passes` holds fits anywhere.

    `root` holds the `$defs` when `schema` is a part of a larger one.
    """
    return list(_Check(schema if root is None else root, passes or _nothing).problems(value, schema, ""))


def _nothing(_text: str) -> bool:
    return False


class _Check:
    def __init__(self, root: Schema, passes: Callable[[str], bool]) -> None:
        self._root = root
        self._passes = passes

    def problems(self, value: Any, schema: Any, where: str) -> Iterator[str]:
        if isinstance(value, str) and self._passes(value):
            return
        options = branches(schema, self._root)
        tried = [list(self._branch(value, option, where)) for option in options]
        if not all(tried):
            return
        alike = [found for option, found in zip(options, tried, strict=True) if _same_kind(value, option)]
        if len(alike) == 1:
            yield from alike[0]
        else:
            yield f"{where}{_shown(value)} is not {described(schema, self._root)}"

    def _branch(self, value: Any, branch: Schema, where: str) -> Iterator[str]:
        listed = choices(branch)
        kind = kind_of(branch)
        if listed is not None:
            if not any(_equal(value, item) for item in listed):
                yield f"{where}{_shown(value)} is not {described(branch, self._root)}"
        elif not _same_kind(value, branch):
            yield f"{where}{_shown(value)} is not {described(branch, self._root)}"
        elif kind == "object":
            yield from self._object(cast("dict[str, Any]", value), branch, where)
        elif kind == "array":
            yield from self._array(cast("list[Any]", value), branch, where)
        yield from _out_of_bounds(value, branch, where)
        for part in branch.get("allOf", ()):
            yield from self.problems(value, part, where)

    def _object(self, value: dict[str, Any], branch: Schema, where: str) -> Iterator[str]:
        properties: Schema = branch.get("properties", {})
        more = branch.get("additionalProperties", True)
        for name in branch.get("required", ()):
            if name not in value:
                yield f"{where}key {name!r} is missing"
        for name, item in value.items():
            if name in properties:
                yield from self.problems(item, properties[name], f"{where}{name}: ")
            elif more is False and "patternProperties" not in branch:
                yield f"{where}unknown key {name!r}; the keys are {', '.join(properties) or 'none'}"
            else:
                yield from self.problems(item, more, f"{where}{name}: ")

    def _array(self, value: list[Any], branch: Schema, where: str) -> Iterator[str]:
        first: list[Any] = branch.get("prefixItems", [])
        rest = branch.get("items", {})
        for index, item in enumerate(value):
            if index < len(first):
                yield from self.problems(item, first[index], f"{where}{index}: ")
            elif rest is False:
                yield f"{where}item {index} is one too many"
            else:
                yield from self.problems(item, rest, f"{where}{index}: ")


def _same_kind(value: Any, branch: Schema) -> bool:
    wanted = kind_of(branch)
    if wanted is None:
        listed = choices(branch)
        return listed is None or any(type(item) is type(value) for item in listed)
    if isinstance(value, float) and wanted == "integer":
        return value.is_integer()
    return wanted in _kinds(value)


def _out_of_bounds(value: Any, branch: Schema, where: str) -> Iterator[str]:
    kinds = _kinds(value)
    if "number" in kinds:
        for keyword, holds, words in _LIMITS:
            if keyword in branch and not holds(value, branch[keyword]):
                yield f"{where}{value} is not {words} {branch[keyword]}"
    elif kinds and kinds[0] in _SIZES:
        least, most, words = _SIZES[kinds[0]]
        size = len(value)
        if size < branch.get(least, 0):
            yield f"{where}{_shown(value)} has fewer than {branch[least]} {words}"
        if size > branch.get(most, size):
            yield f"{where}{_shown(value)} has more than {branch[most]} {words}"


def _kinds(value: Any) -> tuple[str, ...]:
    """The JSON types that a Python value is of; none when it is not JSON."""
    return _KINDS.get(value.__class__, ())


def _equal(value: Any, item: Any) -> bool:
    return value == item and isinstance(value, bool) == isinstance(item, bool)


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write so long an integer
        text = "a number of thousands of digits"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
