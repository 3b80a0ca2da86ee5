"""Does what one agent gives fit what another takes? Decided from the two schemas alone."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from agentorch.core.literals import literal_problems
from agentorch.core.shapes import Schema, branches, choices, is_anything, kind_of

_BOUNDS: Final = (
    "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
"""Keywords that narrow a type; a producer that does not say the same may or may not comply."""


def assignable(producer: Schema, consumer: Schema) -> bool | None:
    """Whether every value of `producer` is one of `consumer`; None when the schemas do not say."""
    return _Comparison(producer, consumer).fits(producer, consumer)


class _Comparison:
    """One comparison of two schemas, each with its own `$defs`; recursive ones meet themselves again and fit."""

    def __init__(self, producer: Schema, consumer: Schema) -> None:
        self._producer = producer
        self._consumer = consumer
        self._known: dict[tuple[int, int], bool | None] = {}

    def fits(self, producer: Any, consumer: Any) -> bool | None:
        pair = (id(producer), id(consumer))
        if pair not in self._known:
            self._known[pair] = True
            wanted = branches(consumer, self._consumer)
            given = branches(producer, self._producer)
            self._known[pair] = _every(_some(self._branch_fits(one, other) for other in wanted) for one in given)
        return self._known[pair]

    def _branch_fits(self, producer: Schema, consumer: Schema) -> bool | None:
        if is_anything(consumer):
            return True
        if is_anything(producer) or "allOf" in producer or "allOf" in consumer:
            return None
        if (values := choices(producer)) is not None:
            return not any(literal_problems(value, {**consumer, **_defs(self._consumer)}) for value in values)
        if (values := choices(consumer)) is not None:
            possible = any(not literal_problems(value, {**producer, **_defs(self._producer)}) for value in values)
            return None if possible else False
        return self._kinds_fit(producer, consumer)

    def _kinds_fit(self, producer: Schema, consumer: Schema) -> bool | None:
        given, wanted = kind_of(producer), kind_of(consumer)
        if given is None or wanted is None:
            return None
        if {given, wanted} == {"integer", "number"}:
            inner = True if given == "integer" else None
        elif given != wanted:
            return False
        elif given == "object":
            inner = _every(self._fields(producer, consumer))
        else:
            inner = _every(self._items(producer, consumer)) if given == "array" else True
        narrower = any(consumer.get(bound) not in (None, producer.get(bound)) for bound in _BOUNDS)
        return _every((inner, None if narrower else True))

    def _items(self, producer: Schema, consumer: Schema) -> Iterator[bool | None]:
        sizes = producer.get("minItems", 0), consumer.get("minItems", 0)
        if sizes[0] > consumer.get("maxItems", sizes[0]) or sizes[1] > producer.get("maxItems", sizes[1]):
            yield False
        given: list[Any] = producer.get("prefixItems", [])
        wanted: list[Any] = consumer.get("prefixItems", [])
        rest_given, rest_wanted = producer.get("items", {}), consumer.get("items", {})
        for index in range(max(len(given), len(wanted))):
            one = given[index] if index < len(given) else rest_given
            other = wanted[index] if index < len(wanted) else rest_wanted
            yield False if other is False and one is not False else self.fits(one, other)
        if rest_given is not False and not (given and "items" not in producer):
            yield self.fits(rest_given, rest_wanted)

    def _fields(self, producer: Schema, consumer: Schema) -> Iterator[bool | None]:
        given: Schema = producer.get("properties", {})
        wanted: Schema = consumer.get("properties", {})
        more_given = producer.get("additionalProperties", not given)
        more_wanted = consumer.get("additionalProperties", True)
        always = producer.get("required", ())
        for name in consumer.get("required", ()):
            if name not in always:
                yield None if name in given or more_given is not False else False
        for name, field in given.items():
            if name in wanted:
                yield self.fits(field, wanted[name])
            else:
                yield False if more_wanted is False else self.fits(field, more_wanted)
        if more_given is not False:
            for field in wanted.values():
                yield self.fits(more_given, field) and None
            yield None if more_wanted is False else self.fits(more_given, more_wanted)


def _defs(root: Schema) -> Schema:
    return {"$defs": root["$defs"]} if "$defs" in root else {}


def _every(answers: Iterable[bool | None]) -> bool | None:
    """No beats cannot-tell beats yes."""
    found = set(answers)
    return False if False in found else None if None in found else True


def _some(answers: Iterable[bool | None]) -> bool | None:
    """Yes beats cannot-tell beats no."""
    found = set(answers)
    return True if True in found else None if None in found else False
