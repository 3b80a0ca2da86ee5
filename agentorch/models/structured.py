"""An answer's schema in the forms that servers accept.

1. A strict schema only ever asks for more than the given one: what it allows, the given one allows too, but for the
   lengths and defaults that strict servers do not know; the output is checked against the given one afterwards.
2. Servers want an object at the root. Any other schema is wrapped as `{"value": ...}` and the answer unwrapped.
"""

import json
from typing import Any, Final, cast

_FORBIDDEN: Final = frozenset({
    "allOf", "contains", "dependentRequired", "dependentSchemas", "else", "if", "maxProperties", "minProperties",
    "not", "oneOf", "patternProperties", "prefixItems", "propertyNames", "then", "unevaluatedItems",
    "unevaluatedProperties", "uniqueItems",
})  # fmt: skip
_DROPPED: Final = frozenset({"default", "deprecated", "discriminator", "examples", "maxLength", "minLength", "title"})
_SAYS_WHAT: Final = ("type", "anyOf", "$ref", "enum", "const")
_WRAPPER: Final = "value"


class _CannotBeStrictError(Exception):
    """The schema says something that strict servers refuse."""


def object_rooted(schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return a schema with an object at its root, and whether it wraps the given one."""
    root = _resolved_root(schema)
    if root.get("type") == "object":
        return root, False
    inner = {key: value for key, value in root.items() if key != "$defs"}
    wrapper: dict[str, Any] = {
        "type": "object",
        "properties": {_WRAPPER: inner},
        "required": [_WRAPPER],
        "additionalProperties": False,
    }
    return (wrapper | {"$defs": root["$defs"]} if "$defs" in root else wrapper), True


def unwrapped(text: str) -> str:
    """Return the JSON text of what `object_rooted` wrapped, or `text` when it is not so wrapped."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(value, dict) or set(cast("dict[str, Any]", value)) != {_WRAPPER}:
        return text
    return json.dumps(value[_WRAPPER], ensure_ascii=False)


def strict(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the strict form of an object-rooted schema, or None when it has none."""
    try:
        return _strict(schema)
    except _CannotBeStrictError:
        return None


def _resolved_root(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    definitions: dict[str, Any] = schema.get("$defs", {})
    target = definitions.get(reference.removeprefix("#/$defs/")) if reference.startswith("#/$defs/") else None
    return {**target, "$defs": definitions} if target else schema


def _strict(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict):
        raise _CannotBeStrictError
    node = _tagged_union_as_plain(cast("dict[str, Any]", schema))
    if not node.keys().isdisjoint(_FORBIDDEN) or not any(key in node for key in _SAYS_WHAT):
        raise _CannotBeStrictError
    if "$ref" in node:  # a reference may have no neighbours
        kept: dict[str, Any] = {"$ref": node["$ref"]}
    else:
        kept = {key: value for key, value in node.items() if key not in _DROPPED}
        _close(kept)
    if "$defs" in node:
        kept["$defs"] = {name: _strict(inner) for name, inner in node["$defs"].items()}
    return kept


def _close(node: dict[str, Any]) -> None:
    if "anyOf" in node:
        node["anyOf"] = [_strict(inner) for inner in node["anyOf"]]
    kinds = node["type"] if isinstance(node.get("type"), list) else [node.get("type")]
    if "array" in kinds:
        node["items"] = _strict(node.get("items"))
    if "object" in kinds:
        if node.get("additionalProperties", False) is not False or not isinstance(node.get("properties"), dict):
            raise _CannotBeStrictError
        node["properties"] = {name: _strict(inner) for name, inner in node["properties"].items()}
        node["required"] = list(node["properties"])
        node["additionalProperties"] = False


def _tagged_union_as_plain(node: dict[str, Any]) -> dict[str, Any]:
    # With a tag only one branch can hold, so `anyOf` says the same as `oneOf`.
    if "oneOf" not in node or "discriminator" not in node:
        return node
    return {**{key: value for key, value in node.items() if key != "oneOf"}, "anyOf": node["oneOf"]}
