"""The inputs that a model wrote for a task, fitted to the parameters of its agent.

1. Only what can be meant in one way is changed, and each change is noted in one line; the rest is the verifier's.
2. A parameter's name is mended when exactly one is close, or when one is missing and one unknown.
3. The sole missing required string is filled with the objective: agents without structured inputs work on words.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, Final, cast

from pydantic_core import from_json

from agentorch.core.card import AgentCard
from agentorch.core.references import parse
from agentorch.core.schema import accepts_null
from agentorch.core.values import whole_characters
from agentorch.core.verify_inputs import Parameters

Note = Callable[[str], None]
"""Takes one line on a change."""

_CLOSE: Final = 0.75


def fitted_inputs(written: Any, objective: str, card: AgentCard, note: Note) -> dict[str, Any]:
    """Return `written` as inputs of `card`'s agent, as far as that is certain."""
    parameters = Parameters.of(card.input)
    inputs = _without_nulls(_by_name(written, parameters, note), parameters, note)
    inputs = _renamed(inputs, parameters, note)
    missing = [name for name in parameters.required if name not in inputs]
    if len(missing) == 1 and objective and _takes(parameters, missing[0], "string"):
        inputs[missing[0]] = objective
        note(f"filled input {missing[0]!r} with the objective")
    return {name: _converted(name, value, parameters, note) for name, value in inputs.items()}


def _by_name(written: Any, parameters: Parameters, note: Note) -> dict[str, Any]:
    if isinstance(written, str) and written.lstrip().startswith("{"):
        with suppress(ValueError):
            written = from_json(whole_characters(written))
    if written is None or written in ("", [], {}):
        return {}
    if isinstance(written, dict):
        return {str(name): value for name, value in cast("dict[Any, Any]", written).items()}
    values = cast("list[Any]", written) if isinstance(written, list) else [written]
    if (pairs := _pairs(values)) is not None:
        return pairs
    names = list(dict.fromkeys((*parameters.required, *parameters.schemas)))
    if len(values) > len(names):
        note(f"dropped {len(values) - len(names)} of {len(values)} inputs without a name: there are fewer parameters")
    elif values:
        note(f"gave inputs without a name to {', '.join(names[: len(values)])}")
    return dict(zip(names, values, strict=False))


def _pairs(values: list[Any]) -> dict[str, Any] | None:
    """Read a list of `{name, value}`, or of single-key objects."""
    pairs: dict[str, Any] = {}
    for value in values:
        if not isinstance(value, dict):
            return None
        item = cast("dict[str, Any]", value)
        name = next((item[key] for key in ("name", "key", "parameter") if isinstance(item.get(key), str)), None)
        if name is not None and "value" in item:
            pairs[name] = item["value"]
        elif len(item) == 1:
            pairs.update(item)
        else:
            return None
    return pairs


def _renamed(inputs: dict[str, Any], parameters: Parameters, note: Note) -> dict[str, Any]:
    if parameters.rest is not None:
        return inputs
    free = [name for name in parameters.schemas if name not in inputs]
    unknown = [name for name in inputs if name not in parameters.schemas]
    names: dict[str, str] = {}
    for name in unknown:
        meant = _meant(name, free)
        lone = [one for one in parameters.required if one in free]
        if meant is None and len(unknown) == 1 and len(lone) == 1:
            meant = lone[0]
        if meant is not None:
            free.remove(meant)
            names[name] = meant
            note(f"read input {name!r} as {meant!r}")
    return {names.get(name, name): value for name, value in inputs.items()}


def _meant(name: str, free: list[str]) -> str | None:
    plain = {one.lower().replace("_", "").replace("-", ""): one for one in free}
    bare = name.lower().replace("_", "").replace("-", "").replace(" ", "")
    if bare in plain:
        return plain[bare]
    close = get_close_matches(bare, plain, n=2, cutoff=_CLOSE)
    return plain[close[0]] if len(close) == 1 else None


def _without_nulls(inputs: dict[str, Any], parameters: Parameters, note: Note) -> dict[str, Any]:
    """Strict modes make a model write every parameter: null where it has nothing to say."""
    kept: dict[str, Any] = {}
    for name, value in inputs.items():
        schema = parameters.schemas.get(name, parameters.rest)
        empty = value is None or (schema is None and value in ("", [], {}))
        if empty and name not in parameters.required and (schema is None or not accepts_null(schema)):
            note(f"left out input {name!r}: it is empty")
        else:
            kept[name] = value
    return kept


def _takes(parameters: Parameters, name: str, kind: str) -> bool:
    return parameters.schemas.get(name, {}).get("type") == kind


def _converted(name: str, value: Any, parameters: Parameters, note: Note) -> Any:
    """Read "5" as 5, 5 as "5" and "x" as ["x"] where the parameter takes nothing else."""
    schema = parameters.schemas.get(name, {})
    kind: Any = schema.get("type")
    if isinstance(value, str) and parse(value) is not None:
        return value
    meant = value
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        meant = str(value)
    elif isinstance(kind, str) and kind in _READERS and isinstance(value, str):
        meant = _READERS[kind](value)
    elif kind == "array" and isinstance(value, str) and _items_are_text(schema):
        meant = [value]
    if meant is not value:
        note(f"read input {name!r} {value!r:.40} as {meant!r:.40}")
    return meant


def _items_are_text(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return isinstance(items, dict) and cast("dict[str, Any]", items).get("type") == "string"


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _integer(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return text


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text.strip().lower(), text)


_READERS: Final[Mapping[str, Callable[[str], Any]]] = {"number": _number, "integer": _integer, "boolean": _boolean}
