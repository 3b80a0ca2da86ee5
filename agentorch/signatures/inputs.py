"""Inputs: what a function, a prompt or a tool takes, as one prebuilt validator and its JSON Schema."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NotRequired, cast

from pydantic import (
    BaseModel,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from typing_extensions import TypedDict

from agentorch.core.card import JsonSchema
from agentorch.core.literals import literal_problems
from agentorch.errors import ConfigurationError
from agentorch.signatures.reading import Parameter
from agentorch.signatures.words import MalformedInput, error_words, joined, unknown_name
from agentorch.signatures.written_schema import written_inputs

OPEN: Final[JsonSchema] = {"type": "object", "additionalProperties": True}
"""Any names, any values."""


class Inputs:
    """What is taken: `schema` says it, `validate` holds values to it."""

    __slots__ = ("empty", "schema", "validate")

    def __init__(self, schema: JsonSchema, validate: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        self.schema = schema
        """JSON Schema of an object."""
        self.validate = validate
        """Returns the values in their declared types; raises MalformedInput in words."""
        self.empty = not schema.get("properties") and schema.get("additionalProperties", True) is False
        """Whether nothing is taken."""


class _WithoutFieldTitles(GenerateJsonSchema):
    """A title made from a parameter's own name says nothing; titles of models stay."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def json_schema_of(adapter: TypeAdapter[Any], *, what: str, mode: JsonSchemaMode = "validation") -> JsonSchema:
    """Return the JSON Schema of a type; ConfigurationError when it has none."""
    try:
        return adapter.json_schema(mode=mode, schema_generator=_WithoutFieldTitles)
    except PydanticUserError as error:
        raise ConfigurationError(f"{what}: a type has no JSON form: {error.message.splitlines()[0]}") from error


def has_json_form(annotation: Any) -> bool:
    """Whether pydantic can read values of this type from JSON; a database connection, say, cannot be."""
    try:
        TypeAdapter(annotation)
    except PydanticSchemaGenerationError:
        return False
    except PydanticUserError:
        return True
    return True


def inputs_of_parameters(parameters: Iterable[Parameter], *, is_open: bool, what: str) -> Inputs:
    """Return the inputs that are the parameters of a function; names that are left out keep their defaults."""
    fields: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for parameter in parameters:
        fields[parameter.name] = parameter.annotation if parameter.required else NotRequired[parameter.annotation]
        if not parameter.required:
            defaults[parameter.name] = parameter.default
    # Unknown names are looked for by hand: a config that forbids them would reach into nested dataclasses as well.
    adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", TypedDict)("Inputs", fields))
    schema = json_schema_of(adapter, what=what)
    schema.pop("title", None)
    schema["additionalProperties"] = is_open
    _show_defaults(schema, defaults)
    return Inputs(schema, _validator(adapter, frozenset(fields), is_open=is_open))


def inputs_of_model(model: type[BaseModel], *, what: str) -> Inputs:
    """Return the inputs that are the fields of a pydantic model; the values come out as JSON."""
    adapter = TypeAdapter(model)

    def validate(values: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return adapter.validate_python(dict(values)).model_dump(mode="json", by_alias=True)
        except ValidationError as error:
            raise MalformedInput(joined(error_words(error, known=tuple(model.model_fields)))) from None

    return Inputs(json_schema_of(adapter, what=what), validate)


def inputs_of_schema(written: Any, *, what: str) -> Inputs:
    """Return the inputs that a written JSON Schema describes; None takes any names."""
    if written is None:
        return Inputs(dict(OPEN), dict)
    schema = written_inputs(written, what=what)

    def validate(values: Mapping[str, Any]) -> dict[str, Any]:
        problems = literal_problems(dict(values), schema)
        if problems:
            raise MalformedInput(joined(problems))
        return dict(values)

    return Inputs(schema, validate)


def _validator(
    adapter: TypeAdapter[Any], names: frozenset[str], *, is_open: bool
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    run = adapter.validator.validate_python

    def validate(values: Mapping[str, Any]) -> dict[str, Any]:
        unknown: Iterable[str] = () if values.keys() <= names else [name for name in values if name not in names]
        problems = () if is_open else tuple(unknown_name(name, names) for name in unknown)
        try:
            typed: dict[str, Any] = run(values)
        except ValidationError as error:
            raise MalformedInput(joined((*error_words(error), *problems))) from None
        if problems:
            raise MalformedInput(joined(problems))
        for name in unknown:
            typed[name] = values[name]
        return typed

    return validate


def _show_defaults(schema: JsonSchema, defaults: Mapping[str, Any]) -> None:
    properties = cast("dict[str, JsonSchema]", schema.get("properties", {}))
    for name, default in defaults.items():
        if default is None or isinstance(default, str | int | float | bool):
            properties[name].setdefault("default", default)
