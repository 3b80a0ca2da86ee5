"""Output: what a function or a prompt gives, to JSON and back, held to its declared type."""

from types import NoneType, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from agentorch.core.card import JsonSchema
from agentorch.core.literals import literal_problems
from agentorch.core.values import CERTAINLY_READ, CERTAINLY_SMALL
from agentorch.errors import ConfigurationError, MalformedOutput
from agentorch.signatures.inputs import json_schema_of
from agentorch.signatures.words import error_words, joined
from agentorch.signatures.written_schema import written_schema

_AS_THEY_ARE: Final[tuple[tuple[Any, type], ...]] = (
    (str, str),
    (int, int),
    (bool, bool),
    (None, NoneType),
    (NoneType, NoneType),
)
"""Types whose values are their own JSON; float is not one, for NaN has none."""


class Output:
    """What is given: `schema` says it; `encode` and `revive` go to JSON and back."""

    __slots__ = ("_adapter", "_exact", "schema")

    def __init__(self, schema: JsonSchema, adapter: TypeAdapter[Any] | None, exact: frozenset[type]) -> None:
        self.schema = schema
        """JSON Schema of the output; `{}` is anything."""
        self._adapter = adapter
        self._exact = exact

    def encode(self, value: Any) -> Any:
        """Return the JSON value of an output; MalformedOutput says what it breaks (path, what is wanted, what came)."""
        if type(value) in self._exact:
            return value
        encoded, problems = self.examine(value)
        if problems:
            raise MalformedOutput(joined(problems), text=value if isinstance(value, str) else "")
        return encoded

    def is_plain(self, value: Any) -> bool:
        """Whether a value is its own JSON, of the declared type, and certainly a small one; others may be so too."""
        kind = value.__class__
        if kind not in self._exact:
            return False
        if kind is str:
            return len(value) <= CERTAINLY_SMALL
        return kind is not int or -CERTAINLY_READ < value < CERTAINLY_READ

    def examine(self, value: Any) -> tuple[Any, tuple[str, ...]]:
        """Return the JSON value and no problems, or None and the problems in words."""
        if type(value) in self._exact:
            return value, ()
        try:
            if self._adapter is None:
                encoded = to_jsonable_python(value)
                problems = tuple(literal_problems(encoded, self.schema))
                return (None, problems) if problems else (encoded, ())
            typed = self._adapter.validate_python(value)
            return self._adapter.dump_python(typed, mode="json", warnings=False), ()
        except ValidationError as error:
            return None, error_words(error)
        except (PydanticSerializationError, ValueError) as error:  # bytes that are no text are a UnicodeDecodeError
            return None, (f"holds a value that has no JSON form: {error}",)

    def revive(self, value: Any) -> Any:
        """Return the output in its declared type from its JSON value."""
        if self._adapter is None or type(value) in self._exact:
            return value
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise MalformedOutput(joined(error_words(error))) from None


def output_of_type(annotation: Any, *, what: str, written_by_model: bool = False) -> Output:
    """Return the output that a type describes.

    `written_by_model` chooses the schema of what must be written; else it is the schema of what can be read, which
    holds computed fields too.
    """
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    except PydanticUserError as error:
        raise ConfigurationError(
            f"{what}: its output type {annotation!r} has no JSON form; return a str, a list, a dict or a pydantic model"
        ) from error
    schema = json_schema_of(adapter, what=what, mode="validation" if written_by_model else "serialization")
    if _holds_bytes(schema):
        raise ConfigurationError(
            f"{what}: its output type {annotation!r} holds bytes, which have no JSON form; return text, or what "
            "context.save(path) gives"
        )
    return Output(schema, adapter, _exact(annotation))


def _exact(annotation: Any) -> frozenset[type]:
    """Return the types of which every value is one of `annotation`, and its own JSON."""
    if annotation is Any:
        return frozenset(kind for _, kind in _AS_THEY_ARE)
    members = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    kinds = [next((kind for known, kind in _AS_THEY_ARE if known is member), None) for member in members]
    return frozenset[type]() if None in kinds else frozenset(kind for kind in kinds if kind is not None)


def output_of(declared: Any, *, what: str, written_by_model: bool = False) -> Output:
    """Return the output that a type or a JSON Schema describes."""
    if isinstance(declared, Output):
        return declared
    if isinstance(declared, dict):  # its values are plain JSON
        return Output(written_schema(declared, what=f"{what}: its output schema"), None, frozenset())
    return output_of_type(declared, what=what, written_by_model=written_by_model)


def _holds_bytes(schema: Any) -> bool:
    """Whether a schema that pydantic wrote has plain bytes anywhere in it; those in base64 are text."""
    if isinstance(schema, list):
        return any(map(_holds_bytes, cast("list[Any]", schema)))
    if not isinstance(schema, dict):
        return False
    node = cast("dict[str, Any]", schema)
    return (node.get("type"), node.get("format")) == ("string", "binary") or any(map(_holds_bytes, node.values()))
