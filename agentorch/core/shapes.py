"""JSON Schemas as pydantic writes them: their alternatives, their parts, and their names in words.

1. An object schema with `properties` and no `additionalProperties` is closed: a pydantic model writes its own fields
   and no others, and a path into a field that nobody declared is a mistake.
2. `$ref` leads into the root's `$defs`; every schema that is returned carries them along.
"""

from typing import Any, Final, cast

from agentorch.core.references import is_index

Schema = dict[str, Any]
"""A JSON Schema; one that is not an object (`true`) is read as `{}`."""

NULL: Final[Schema] = {"type": "null"}
"""The schema of null."""

_VALUE: Final = frozenset({"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "properties", "items"})
"""Keywords without which a schema says nothing about the kind of value."""


def is_anything(schema: Any) -> bool:
    """Whether `schema` says nothing about the kind of value."""
    return not isinstance(schema, dict) or _VALUE.isdisjoint(cast("Schema", schema))


def branches(schema: Any, root: Schema) -> list[Schema]:
    """Return the alternatives that `schema` is made of, each without `$ref`, union or list of types at its top."""
    return _branches(schema, root, set()) or [{}]


def kind_of(branch: Schema) -> str | None:
    """Return the JSON type of a branch, as far as it says one."""
    if "type" in branch:
        return branch["type"]
    return "object" if "properties" in branch else "array" if "items" in branch else None


def choices(branch: Schema) -> list[Any] | None:
    """Return the values that a branch lists (`enum`, `const`), or None when it lists none."""
    if "const" in branch:
        return [branch["const"]]
    return branch.get("enum")


def accepts_null(schema: Schema, root: Schema | None = None) -> bool:
    """Whether null may be a value of `schema`."""
    return any(_may_be_null(branch) for branch in branches(schema, schema if root is None else root))


def at(schema: Schema, path: tuple[str, ...]) -> Schema | None:
    """Return the schema of what `path` leads to in a value of `schema`; None when no value has such a part."""
    here: list[Schema] = [schema]
    for step in path:
        here = [part for option in here for branch in branches(option, schema) for part in _part(branch, step)]
        if all(part is NULL for part in here):
            return None
    found = here[0] if len(here) == 1 else {"anyOf": here}
    defs = schema.get("$defs")
    return {**found, "$defs": defs} if defs and found is not schema else found


def described(schema: Schema, root: Schema | None = None) -> str:
    """Return `schema` in a few words: "string", "list of integer", "Report or null"."""
    top = schema if root is None else root
    return " or ".join(dict.fromkeys(_name(branch, top) for branch in branches(schema, top)))


def _branches(schema: Any, root: Schema, followed: set[str]) -> list[Schema]:
    plain = cast("Schema", schema) if isinstance(schema, dict) else {}
    if isinstance(reference := plain.get("$ref"), str):
        if reference in followed:  # a union that holds itself adds nothing
            return []
        followed.add(reference)
        return _branches(root.get("$defs", {}).get(reference.removeprefix("#/$defs/")), root, followed)
    if len(plain.get("allOf", ())) == 1:
        return _branches(plain["allOf"][0], root, followed)
    for keyword in ("anyOf", "oneOf"):
        if options := plain.get(keyword):
            return [branch for option in options for branch in _branches(option, root, followed)]
    if isinstance(plain.get("type"), list):
        return [{**plain, "type": name} for name in plain["type"]]
    return [plain]


def _may_be_null(branch: Schema) -> bool:
    listed = choices(branch)
    if listed is not None:
        return None in listed
    return kind_of(branch) in {None, "null"}


def _part(branch: Schema, step: str) -> list[Schema]:
    """What `step` leads to within one branch: one schema, or none."""
    match kind_of(branch):
        case None:
            return [{}]
        case "null":
            return [NULL]
        case "array":
            return _item(branch, int(step)) if is_index(step) else []
        case "object":
            return _property(branch, step)
        case _:
            return []


def _item(branch: Schema, index: int) -> list[Schema]:
    first: list[Schema] = branch.get("prefixItems", [])
    if index < len(first):
        return [first[index]]
    if index >= branch.get("maxItems", index + 1) or branch.get("items") is False:
        return []
    return [_as_schema(branch.get("items"))]


def _property(branch: Schema, name: str) -> list[Schema]:
    properties: Schema = branch.get("properties", {})
    if name in properties:
        return [_as_schema(properties[name])]
    if "patternProperties" in branch:
        return [{}]
    more = branch.get("additionalProperties", not properties)
    return [] if more is False else [_as_schema(more)]


def _as_schema(schema: Any) -> Schema:
    return cast("Schema", schema) if isinstance(schema, dict) else {}


def _name(branch: Schema, root: Schema) -> str:
    listed = choices(branch)
    if listed is not None:
        return "one of " + ", ".join(repr(item) for item in listed)
    kind = kind_of(branch)
    if kind == "array":
        items = branch.get("items")
        return "list" if is_anything(items) else f"list of {_nested(cast('Schema', items), root)}"
    if kind == "object":
        return str(branch.get("title", "object"))
    return kind or "anything"


def _nested(items: Schema, root: Schema) -> str:
    # One level of lists in words is enough, and a list that holds itself would have no end of them.
    inner = [
        _name({"type": "array"} if kind_of(branch) == "array" else branch, root) for branch in branches(items, root)
    ]
    return " or ".join(dict.fromkeys(inner))
