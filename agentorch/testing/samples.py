"""Events to test with: every type, bare and with every field set."""

import types
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin

from agentorch.core.crosscheck import CrossCheck
from agentorch.core.events import AnyEvent, Event
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.core.usage import Budget, Usage

_TASKS: Final = (
    Task("a", "writer", "Write of ${b.title}", {"x": "$b", "y": [1, {"z": None}]}, ("b",), Policy(attempts=2), 1.5),
    Task("b", "reader", policy=Policy(timeout=None, join=1, fallback=("c", "d"))),
)
_NAMED: Final[Mapping[str, Any]] = {
    "status": "partial",
    "spec": _TASKS[0],
    "tags": {"team": "blau", "empty": ""},
    "value": {"nested": [True, None, 1.25]},
    "output": ["ö", {"k": 1e-9}],
    "inputs": {"x": [1, 2]},
}
"""Values by the name of the field, where the type alone says too little."""
_TYPED: Final[Mapping[Any, Any]] = {
    str: 'text with "quotes", \n and ☃',
    int: 3,
    float: 1234.5678,
    bool: True,
    Any: {"any": [1, "two", None]},
    FailureKind: FailureKind.TRANSIENT,
    Problem: Problem("E_TYPE", "it is wrong", task="a", remedy="mend it"),
    Policy: Policy(repairs=2, parallel=4),
    Budget: Budget(max_calls=3, max_money=0.5),
    Usage: Usage(10, 20, 5, 1, 0.125, approximate=True, unpriced=1),
    Task: _TASKS[1],
    CrossCheck: CrossCheck("agree", ("a", "b"), "b"),
    dict[str, str]: {"name": "värde"},
    dict[str, Any]: {"type": "object", "n": [1.5]},
}


def sample_events(run_id: str) -> list[Event]:
    """Return two events of every type, the first with all fields set and the second with only those required,
    numbered from 1.
    """
    return list(_numbered(run_id))


def _numbered(run_id: str) -> Iterator[Event]:
    seq = 0
    for model in get_args(get_args(AnyEvent)[0]):
        for whole in (True, False):
            seq += 1
            yield model(seq=seq, at=1000.1 * seq, run_id=run_id, **_fields(model, whole=whole))


def _fields(model: type[Event], *, whole: bool) -> dict[str, Any]:
    own = {name: each for name, each in model.model_fields.items() if name not in {"seq", "at", "run_id", "type"}}
    return {name: _value(name, each.annotation) for name, each in own.items() if whole or each.is_required()}


def _value(name: str, annotation: Any) -> Any:
    if annotation is str:
        return _TYPED[str]
    if name in _NAMED:
        return _NAMED[name]
    if annotation in _TYPED:
        return _TYPED[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return arguments[0]
    if origin in {Union, types.UnionType}:
        return _value(name, arguments[0])
    if origin is tuple:
        return (_value(name, arguments[0]),) * 2
    raise TypeError(f"no sample for the field {name}: {annotation}")
