"""A model that knows nothing of the notebooks: it says one sentence to everybody, or fills the schema it is given."""

import json
from collections.abc import Mapping
from typing import Any, cast

PROSE = "An answer in *other* words than the script has."
Schema = Mapping[str, Any]


def answer(body: Mapping[str, Any], *, number: int = 2) -> str:
    """Return what is said to a Chat Completions request; `number` stands wherever one is wanted."""
    match body:
        case {"response_format": {"json_schema": {"schema": schema}}}:
            return json.dumps(_filled(schema, schema.get("$defs", {}), number))
        case _:
            return PROSE


def _filled(schema: Schema, definitions: Mapping[str, Schema], number: int) -> Any:
    match schema:
        case {"$ref": str(reference)}:
            return _filled(definitions[reference.rpartition("/")[2]], definitions, number)
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [first, *_]}:
            return _filled(first, definitions, number)
        case {"type": "object"}:
            properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
            return {name: _filled(each, definitions, number) for name, each in properties.items()}
        case {"type": "array"}:
            return [_filled(schema["items"], definitions, number)]
        case _:
            return {"string": PROSE, "integer": number, "number": number + 0.5, "boolean": True}.get(schema["type"])
