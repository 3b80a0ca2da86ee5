"""References: how a task's inputs and objective name the values of other tasks.

1. A string anywhere in `inputs` that is wholly `$id` or `$id.path` *is* that value; every other string is itself.
2. Inside `objective` only, `${id.path}` is filled in: strings as they are, everything else as compact JSON.
3. One pass: what was put in is never scanned again, so that no output can smuggle in a reference.
4. `goal` and `inputs` are ids that every run provides; they are no tasks, and nobody's need.
5. Null has parts, all of them null: a path into a need that did not hold is null, like the need itself.
6. A large value is not here: a path into it makes a reference to that part, which is followed where the value is read.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, cast

from agentorch.core.task import Task
from agentorch.core.values import blob_part, is_blob_ref, may_hold_blobs

PROVIDED: Final = frozenset({"goal", "inputs"})
"""Ids that stand for the run's own values; no task may bear them."""

_NESTED: Final = (dict, list, tuple)
_NAME: Final = r"([a-z][a-z0-9_-]*)((?:\.[^.\s{}$]+)*)"
_LONGEST: Final = 1000
"""Characters beyond which a string is no reference, so that a long text is never searched."""
_WHOLE: Final = re.compile(r"\$" + _NAME)
_WITHIN: Final = re.compile(r"\$\{" + _NAME + r"\}")


class BrokenReference(ValueError):
    """A reference names a part that the value does not have."""


class Reference(NamedTuple):
    """A reference, taken apart: the id, and the keys and indices that lead into its value."""

    id: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "$" + ".".join((self.id, *self.path))


class Found(NamedTuple):
    """A reference and where in `inputs` it stands: the parameter's name, then keys and indices."""

    where: tuple[str, ...]
    reference: Reference


def parse(text: str) -> Reference | None:
    """Return the reference that `text` wholly is, or None when it is an ordinary string."""
    return _parsed(text) if text[:1] == "$" and len(text) <= _LONGEST else None


def resolve(
    inputs: dict[str, Any], outputs: Mapping[str, Any], *, needs: Container[str] | None = None
) -> dict[str, Any]:
    """Return `inputs` with every reference replaced by its value.

    A need without an output gives None. With `needs` given (a task's own), a reference to an id outside them that has
    no output is an ordinary string, as it was for the verifier; otherwise it gives None. Returns the same object when
    nothing can be a reference. Raises BrokenReference for a path that a value does not have.
    """
    if not any(_may_hold(value) for value in inputs.values()):
        return inputs
    return {name: _resolved(value, outputs, needs) for name, value in inputs.items()}


def fill(objective: str, outputs: Mapping[str, Any]) -> str | list[Any]:
    """Return `objective` with each `${id.path}` of a known id filled in; unknown ones stay as they are.

    Where it names large values, its pieces are returned: text, and `{"id.path": <blob reference>}` for each of them.
    """
    if "${" not in objective:
        return objective
    pieces: list[Any] = []
    end = 0
    for match in _WITHIN.finditer(objective):
        pieces += (objective[end : match.start()], _filling(match, outputs))
        end = match.end()
    pieces.append(objective[end:])
    return pieces if any(isinstance(piece, dict) for piece in pieces) else "".join(pieces)


def as_text(value: Any) -> str:
    """Return a value as it stands in an objective."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def follow(reference: Reference, value: Any) -> Any:
    """Return the part of `value` that `reference` names; raises BrokenReference when there is none."""
    for index, step in enumerate(reference.path):
        if value is None:
            return None
        if is_blob_ref(value):
            return blob_part(value, reference.path[index:])
        value = part(reference, step, value)
    return value


def look(reference: Reference, value: Any) -> Any:
    """Return what `follow` does, when no part of `value` stands for a blob, whatever it looks like."""
    for step in reference.path:
        if value is None:
            return None
        value = part(reference, step, value)
    return value


def found(inputs: Mapping[str, Any]) -> list[Found]:
    """Return every reference in `inputs`, in order, the pseudo-ids included."""
    result: list[Found] = []
    for name, value in inputs.items():
        if type(value) is str:
            if value[:1] == "$" and (reference := parse(value)):
                result.append(Found((name,), reference))
        elif _may_hold(value):
            result.extend(_found_within((name,), value))
    return result


def mentioned(objective: str) -> list[Reference]:
    """Return every `${id.path}` in `objective`, in order, the pseudo-ids included."""
    return [_reference(match) for match in _WITHIN.finditer(objective)] if "${" in objective else []


def targets(task: Task) -> tuple[str, ...]:
    """Return the task ids that `task` refers to, inputs before objective, in first-seen order, each once."""
    return targets_of(task, found(task.inputs))


def targets_of(task: Task, references: Iterable[Found]) -> tuple[str, ...]:
    """Return what `targets` does, when the references in the inputs are at hand."""
    ids = {item[1][0]: None for item in references}
    if "${" in task.objective:
        ids.update((reference.id, None) for reference in mentioned(task.objective))
    return tuple([id for id in ids if id not in PROVIDED])


def with_needs(task: Task, known: Container[str], *, strict: bool = False) -> Task:
    """Return `task` with the ids that it refers to added to its needs.

    Only ids in `known` count: `$x` with an unknown x is an ordinary string. `strict` counts them all, so that the
    verifier reports the unknown ones; that is for plans that a planner wrote.
    """
    return adding(task, targets(task), known, strict=strict)


def adding(task: Task, ids: Sequence[str], known: Container[str], *, strict: bool) -> Task:
    """Return `task` with `ids` (those known, or all when `strict`) added to its needs."""
    if not ids and type(task.needs) is tuple and len(set(task.needs)) == len(task.needs):
        return task
    more = ids if strict else [id for id in ids if id in known]
    needs = tuple(dict.fromkeys((*task.needs, *more)))
    if needs == task.needs:
        return task
    return Task(task.id, task.agent, task.objective, task.inputs, needs, task.policy, task.seconds)


def _reference(match: re.Match[str]) -> Reference:
    id, path = match.groups()
    return Reference(id, tuple(path[1:].split(".")) if path else ())


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Reference | None:
    # A plan names the same values over and over; the verifier and the resolver ask again.
    match = _WHOLE.fullmatch(text)
    return _reference(match) if match else None


def _filling(match: re.Match[str], outputs: Mapping[str, Any]) -> str | dict[str, Any]:
    reference = _reference(match)
    if reference.id not in outputs:
        return match.group()
    value = follow(reference, outputs[reference.id])
    return {str(reference)[1:]: value} if may_hold_blobs(value) else as_text(value)


def _may_hold(value: Any) -> bool:
    return value[:1] == "$" if isinstance(value, str) else isinstance(value, _NESTED)


def _resolved(value: Any, outputs: Mapping[str, Any], needs: Container[str] | None) -> Any:
    if isinstance(value, str):
        reference = parse(value)
        if reference is None:
            return value
        if reference.id in outputs:
            return follow(reference, outputs[reference.id])
        return None if needs is None or reference.id in needs else value
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {key: _resolved(item, outputs, needs) for key, item in items.items()}
    if isinstance(value, list | tuple):
        return [_resolved(item, outputs, needs) for item in cast("list[Any]", value)]
    return value


def _found_within(where: tuple[str, ...], value: Any) -> Iterator[Found]:
    if isinstance(value, str):
        if reference := parse(value):
            yield Found(where, reference)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield from _found_within((*where, key), item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _found_within((*where, str(index)), item)


def part(reference: Reference | str, step: str, value: Any) -> Any:
    """Return the part of a list or an object that one step of `reference` names; BrokenReference when it has none."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        if step in items:
            return items[step]
        raise BrokenReference(f"{reference}: no key {step!r}; the keys are {_listed(list(items))}")
    if isinstance(value, list | tuple):
        array = cast("list[Any]", value)
        if is_index(step) and int(step) < len(array):
            return array[int(step)]
        raise BrokenReference(f"{reference}: no item {step!r}; the list has {len(array)} items, counted from 0")
    whole = str(reference).partition(".")[0]
    raise BrokenReference(f"{reference}: no part {step!r}; the value is {value!r:.60}; refer to {whole} itself")


def is_index(step: str) -> bool:
    """Whether a step of a path can be a position in a list."""
    return step.isascii() and step.isdigit()


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown + (", ..." if len(names) > len(names[:8]) else "") if names else "none"
