"""The verifier's checks of one task's inputs against the card of its agent and the outputs that it refers to.

What depends only on agents and paths is looked up once and remembered: a plan of ten thousand tasks over ten agents
compares a few dozen pairs of schemas.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from agentorch.core.card import AgentCard, JsonSchema
from agentorch.core.failures import Code, Problem
from agentorch.core.nearest import did_you_mean, nearest
from agentorch.core.policy import Join, Policy
from agentorch.core.references import (
    PROVIDED,
    BrokenReference,
    Found,
    Reference,
    found,
    look,
    mentioned,
    parse,
)
from agentorch.core.schema import accepts_null, assignable, at, described, literal_problems
from agentorch.core.task import UNSET, Task

_TEXT: Final[JsonSchema] = {"type": "string"}
_BARE: Final = frozenset({"type", "title", "description", "default", "examples", "$defs"})
"""Keywords of a schema that narrow nothing beyond its type."""
_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The input schema of an agent, taken apart."""

    schemas: Mapping[str, JsonSchema]
    required: tuple[str, ...]
    rest: JsonSchema | None
    """Schema of parameters that are not listed; None refuses them."""
    plain: frozenset[tuple[str, type]]
    """Parameters with a type of which every value fits."""

    @classmethod
    def of(cls, schema: JsonSchema) -> "Parameters":
        """Take an agent's input schema apart; `$defs` go along with each part."""
        defs = {"$defs": schema["$defs"]} if "$defs" in schema else {}
        schemas: dict[str, JsonSchema] = {
            name: {**part, **defs} if isinstance(part, dict) else {}
            for name, part in schema.get("properties", {}).items()
        }
        more = schema.get("additionalProperties", True)
        rest: JsonSchema | None = None if more is False else {**more, **defs} if isinstance(more, dict) else {}
        plain = frozenset((name, kind) for name, part in schemas.items() for kind in _plain_types(part))
        return cls(schemas, tuple(schema.get("required", ())), rest, plain)


def _plain_types(schema: JsonSchema) -> tuple[type, ...]:
    kind = schema.get("type")
    return _TYPES.get(kind, ()) if isinstance(kind, str) and schema.keys() <= _BARE else ()


class InputChecks:
    """Checks inputs; keeps what it learns of agents for the next task."""

    def __init__(
        self,
        cards: Mapping[str, AgentCard],
        tasks: Mapping[str, Task],
        *,
        inputs: Mapping[str, Any] | None,
        policy: Policy,
        strict: bool,
    ) -> None:
        self._cards = cards
        self._tasks = tasks
        self._inputs = inputs
        self._policy = policy
        self._strict = strict
        self._parameters: dict[str, Parameters] = {}
        self._fine: set[tuple[str, tuple[str, ...], str, tuple[str, ...], bool]] = set()
        self._alike: dict[tuple[str, str], bool] = {}
        """Whether the first agent's output can stand where the second's is expected."""

    def problems(self, task: Task, card: AgentCard, references: Iterable[Found]) -> Iterator[Problem]:
        """Yield what is wrong with the join, the inputs and the objective of `task`.

        `references` are those in its inputs.
        """
        join = self._join(task, card)
        count = len(task.needs)
        if isinstance(join, int) and not 1 <= join <= count:
            yield Problem(
                Code.SCHEMA,
                f"join={join} of {count} needs",
                task.id,
                f"k of n takes k from 1 to {count}" if count else "a task without needs takes no number as its join",
            )
        yield from self._inputs_of(task, card, references, unsure=self._is_unsure(join, count))
        for reference in mentioned(task.objective) if "${" in task.objective else ():
            if self._refers(task, reference) and self._given(reference) is None:
                yield self._no_part(task, "objective", reference)

    def fallback_problems(self, task: Task, card: AgentCard, references: Iterable[Found]) -> Iterator[Problem]:
        """Yield why an agent that is declared to take the place of `card` could not do `task`.

        Those that the task or its agent declares; the run's take what they fit. An agent's fallback need not take every
        optional input: where one is given, it is passed over.
        """
        own = task.policy.fallback
        names = dict.fromkeys((*own, *card.policy.fallback, *card.fallback))
        others = [self._cards[name] for name in names if name in self._cards and name != card.name]
        unsure = self._is_unsure(self._join(task, card), len(task.needs))
        for other in others:
            given = task if other.name in own else self._as_far_as_taken(task, other)
            shared = [item for item in references if item.where[0] in given.inputs]
            for problem in self._inputs_of(given, other, shared, unsure=unsure):
                yield replace(problem, message=f"its fallback {other.name!r}: {problem.message}")
            if not self._is_alike(other, card):
                gives = f"its fallback {other.name!r} gives {described(other.output)}"
                remedy = f"fall back on an agent that gives {described(card.output)}"
                yield Problem(Code.TYPE, f"{gives}, but {card.name!r} gives {described(card.output)}", task.id, remedy)

    def _as_far_as_taken(self, task: Task, card: AgentCard) -> Task:
        parameters = self._parameters_of(card)
        takes_all = parameters.rest is not None
        return replace(
            task, inputs={name: value for name, value in task.inputs.items() if takes_all or name in parameters.schemas}
        )

    def _is_alike(self, other: AgentCard, card: AgentCard) -> bool:
        pair = (other.name, card.name)
        if pair not in self._alike:
            self._alike[pair] = assignable(other.output, card.output) is not False
        return self._alike[pair]

    def _is_unsure(self, join: Join, count: int) -> bool:
        """Whether a need may be without a value when the task starts."""
        return join not in ("all", count) and not (join == "any" and count == 1)

    def _inputs_of(
        self, task: Task, card: AgentCard, references: Iterable[Found], *, unsure: bool
    ) -> Iterator[Problem]:
        if not self._strict:
            given = tuple(references)
            yield from (self._as_text(task, item) for item in given if not self._is_known(item.reference))
            references = [item for item in given if self._refers(task, item.reference)]
        yield from self._arguments(task, card, references)
        for item in references:
            if problem := self._reference(task, card, item, unsure=unsure):
                yield problem

    def _join(self, task: Task, card: AgentCard) -> Join:
        for policy in (task.policy, card.policy):
            if policy is not UNSET and "join" in policy.model_fields_set:
                return policy.join
        return self._policy.join

    def _refers(self, task: Task, reference: Reference) -> bool:
        return self._strict or reference.id in task.needs or reference.id in PROVIDED

    def _is_known(self, reference: Reference) -> bool:
        return reference.id in self._tasks or reference.id in PROVIDED

    def _as_text(self, task: Task, item: Found) -> Problem:
        """Warn of a string that looks like a reference and is none: it is itself."""
        words = f"input {'.'.join(item.where)!r}: {item.reference} names no task, so it is passed on as text"
        return Problem(Code.UNKNOWN_REF, words, task.id, self._meant(task, item.reference))

    def _meant(self, task: Task, reference: Reference) -> str | None:
        close = nearest(reference.id, self._tasks.keys() - {task.id} | PROVIDED)
        return f"did you mean '${close}'?" if close else None

    def _arguments(self, task: Task, card: AgentCard, references: Iterable[Found]) -> Iterator[Problem]:
        parameters = self._parameters_of(card)
        for name in parameters.required:
            if name not in task.inputs:
                wanted = described(parameters.schemas.get(name, {}))
                yield Problem(
                    Code.ARGS,
                    f"input {name!r} of agent {card.name!r} is missing",
                    task.id,
                    f"give {name!r} a value or a reference ({wanted})",
                )
        whole = {item.where[0] for item in references if len(item.where) == 1}
        for name, value in task.inputs.items():
            schema = parameters.schemas.get(name, parameters.rest)
            if schema is None:
                yield Problem(
                    Code.ARGS,
                    f"agent {card.name!r} takes no input {name!r}",
                    task.id,
                    did_you_mean(name, parameters.schemas) or "leave it out",
                )
            elif name not in whole and (name, value.__class__) not in parameters.plain:
                yield from self._literal(task, name, value, schema)

    def _literal(self, task: Task, name: str, value: Any, schema: JsonSchema) -> Iterator[Problem]:
        def passes(text: str) -> bool:
            reference = parse(text)
            return reference is not None and self._refers(task, reference)

        for words in literal_problems(value, schema, passes=passes):
            meant = self._meant_in(words, task, name) or f"{name!r} takes {described(schema)}"
            yield Problem(Code.ARGS, f"input {name!r}: {words}", task.id, meant)

    def _meant_in(self, words: str, task: Task, name: str) -> str | None:
        """Return what was meant by a reference to nothing, where that is the text that does not fit."""
        unknown = (item.reference for item in found({name: task.inputs[name]}) if not self._is_known(item.reference))
        return next((self._meant(task, reference) for reference in unknown if f"'{reference}'" in words), None)

    def _reference(self, task: Task, card: AgentCard, item: Found, *, unsure: bool) -> Problem | None:
        where, reference = item
        producer = self._tasks.get(reference.id)
        missing = unsure and producer is not None
        key = (producer.agent if producer else reference.id, reference.path, card.name, where, missing)
        if key in self._fine:
            return None
        problem = self._reference_problem(task, card, item, missing=missing)
        if problem is None:
            self._fine.add(key)
        return problem

    def _reference_problem(self, task: Task, card: AgentCard, item: Found, *, missing: bool) -> Problem | None:
        (name, *rest), reference = item
        given = self._given(reference)
        if given is None:
            return self._no_part(task, f"input {name!r}", reference)
        parameters = self._parameters_of(card)
        schema = parameters.schemas.get(name, parameters.rest)
        wanted = at(schema, tuple(rest)) if schema is not None else None
        if wanted is None:
            return None  # an unknown parameter, or a part that the schema does not speak of: reported elsewhere
        label = ".".join(item.where)
        if missing and not accepts_null(wanted):
            return Problem(
                Code.ARGS,
                f"input {label!r}: {reference} may be null, because the task does not wait for all its needs to hold",
                task.id,
                f"{label!r} takes {described(wanted)}: use join 'all', or an agent that accepts null there",
            )
        if reference.id == "inputs" and self._inputs is not None:
            problems = literal_problems(look(reference, self._inputs), wanted)
            return Problem(Code.TYPE, f"input {label!r}: {reference}: {problems[0]}", task.id) if problems else None
        if assignable(given, wanted) is not False:
            return None
        return Problem(
            Code.TYPE,
            f"input {label!r} of agent {card.name!r} takes {described(wanted)}, but {reference} is {described(given)}",
            task.id,
            "refer to a part of it that fits, or put a task between them",
        )

    def _given(self, reference: Reference) -> JsonSchema | None:
        """The schema of what `reference` stands for: `{}` when unknown, None when there is no such part."""
        if reference.id == "goal":
            return None if reference.path else _TEXT
        if reference.id == "inputs":
            return {} if self._has_input(reference) else None
        producer = self._tasks.get(reference.id)
        card = self._cards.get(producer.agent) if producer else None
        return at(card.output, reference.path) if card else {}

    def _has_input(self, reference: Reference) -> bool:
        if self._inputs is None:
            return True
        try:
            look(reference, dict(self._inputs))
        except BrokenReference:
            return False
        return True

    def _no_part(self, task: Task, label: str, reference: Reference) -> Problem:
        producer = self._tasks.get(reference.id)
        card = self._cards.get(producer.agent) if producer else None
        if reference.id == "inputs":
            return Problem(
                Code.REF_PATH,
                f"{label}: {reference} names no input of the run",
                task.id,
                did_you_mean(".".join(reference.path), self._inputs or ())
                or f"give it with inputs={{{reference.path[0]!r}: ...}}",
            )
        remedy = f"{card.name!r} gives {described(card.output)}" if card else "the goal is a string without parts"
        keys = sorted(card.output.get("properties", ())) if card else []
        return Problem(
            Code.REF_PATH,
            f"{label}: {reference} names a part that the output does not have",
            task.id,
            f"{remedy} with {', '.join(keys)}" if keys else remedy,
        )

    def _parameters_of(self, card: AgentCard) -> Parameters:
        if card.name not in self._parameters:
            self._parameters[card.name] = Parameters.of(card.input)
        return self._parameters[card.name]
