"""Plan files: YAML or JSON that people and programs write.

    goal: An ode to message buses
    answer: $ode
    tasks:
      - id: facts
        agent: researcher
        inputs: {topic: message buses}
      - id: ode
        agent: poet
        inputs: {facts: $facts}
        timeout: 60

`tasks` may also be a mapping from id to task. Keys of a task are those of `Plan.add`, with `-` or `_`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from pydantic import ValidationError

from agentorch.agents import policy_of
from agentorch.core.nearest import did_you_mean
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.core.usage import Budget
from agentorch.documents import Document, DocumentError, read_document
from agentorch.errors import ConfigurationError, PlanFileError
from agentorch.signatures import error_words, joined

_PLAN_KEYS: Final = ("goal", "answer", "tasks")
_TASK_KEYS: Final = ("id", "agent", "objective", "inputs", "needs", "seconds", "budget")
_ALL_TASK_KEYS: Final = (*_TASK_KEYS, *Policy.model_fields)


@dataclass(frozen=True, slots=True)
class PlanData:
    """What a plan file holds."""

    goal: str
    answer: str | None
    tasks: tuple[Task, ...]


def read_plan_file(path: Path) -> PlanData:
    """Read a plan file; PlanFileError begins with the path and says line and column."""
    try:
        return _Reading(read_document(path)).plan()
    except (DocumentError, _WrongPlan) as error:
        raise PlanFileError(f"{path}: {error}") from None


def read_plan_data(value: Mapping[str, Any]) -> PlanData:
    """Read a plan from JSON; PlanFileError says what is wrong."""
    try:
        return _Reading(Document(dict(value), {})).plan()
    except _WrongPlan as error:
        raise PlanFileError(f"plan: {error}") from None


class _WrongPlan(Exception):
    """What is wrong, with its place."""


class _Reading:
    """One document on its way to a plan."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def plan(self) -> PlanData:
        value = self._document.value
        if isinstance(value, list) and value:
            return PlanData("", None, tuple(self._tasks(value, ())))
        if not isinstance(value, dict | list):
            raise self._wrong("a plan is a mapping with the key 'tasks'")
        plan = cast("dict[str, Any]", value or {})
        self._known_keys(plan, _PLAN_KEYS, ())
        if not plan.get("tasks"):
            raise self._wrong("there are no tasks; list them under 'tasks'")
        goal = self._text(plan.get("goal") or "", "goal")
        answer = plan.get("answer")
        reference = None if answer is None else "$" + self._text(answer, "answer").removeprefix("$")
        return PlanData(goal, reference, tuple(self._tasks(plan["tasks"], ("tasks",))))

    def _tasks(self, given: Any, where: tuple[str | int, ...]) -> Iterator[Task]:
        if isinstance(given, dict):
            for id, task in cast("dict[str, Any]", given).items():
                yield self._task(task, (*where, id), id=id)
        elif isinstance(given, list):
            for index, task in enumerate(cast("list[Any]", given)):
                yield self._task(task, (*where, index), id=None)
        else:
            raise self._wrong("'tasks' is a list of tasks", *where)

    def _task(self, given: Any, where: tuple[str | int, ...], *, id: str | None) -> Task:
        if not isinstance(given, dict):
            raise self._wrong(f"a task is a mapping with 'id' and 'agent'; got {given!r:.60}", *where)
        written = cast("dict[str, Any]", given)
        task = {key.replace("-", "_"): value for key, value in written.items()}
        self._known_keys(written, _ALL_TASK_KEYS, where)
        if id is not None:
            task.setdefault("id", id)
        for key in ("id", "agent"):
            if not task.get(key):
                raise self._wrong(f"a task has no {key!r}", *where)
        name = self._text(task["id"], *where, "id")
        policies = {key: value for key, value in task.items() if key not in _TASK_KEYS}
        return Task(
            name,
            self._text(task["agent"], *where, "agent"),
            self._text(task.get("objective") or "", *where, "objective"),
            self._mapping(task.get("inputs"), *where, "inputs"),
            self._needs(task.get("needs"), *where, "needs"),
            self._policy(policies, name, where),
            self._seconds(task.get("seconds"), *where, "seconds"),
            self._budget(task.get("budget"), *where, "budget"),
        )

    def _policy(self, policies: dict[str, Any], id: str, where: tuple[str | int, ...]) -> Policy:
        if isinstance(policies.get("fallback"), str):
            policies["fallback"] = [policies["fallback"]]
        try:
            return policy_of(policies, what=f"task {id!r}")
        except ConfigurationError as error:
            raise self._wrong(str(error), *where, next(iter(policies))) from None

    def _text(self, value: Any, *where: str | int) -> str:
        if not isinstance(value, str):
            raise self._wrong(f"{where[-1]!r} is text; got {value!r:.60}; put it in quotes", *where)
        return value

    def _mapping(self, value: Any, *where: str | int) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(f"{where[-1]!r} is a mapping from parameter to value; got {value!r:.60}", *where)
        return cast("dict[str, Any]", value)

    def _needs(self, value: Any, *where: str | int) -> tuple[str, ...]:
        listed = cast("list[Any]", [value] if isinstance(value, str) else [] if value is None else value)
        if not isinstance(cast("Any", listed), list) or any(not isinstance(id, str) for id in listed):
            raise self._wrong(f"'needs' is a list of task ids; got {value!r:.60}", *where)
        return tuple(dict.fromkeys(id.removeprefix("$") for id in listed))

    def _seconds(self, value: Any, *where: str | int) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise self._wrong(f"'seconds' is a number; got {value!r:.60}", *where)
        return float(value)

    def _budget(self, value: Any, *where: str | int) -> Budget | None:
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(f"'budget' is a mapping such as {{max_calls: 2}}; got {value!r:.60}", *where)
        limits = cast("dict[str, Any]", value)
        self._known_keys(limits, tuple(Budget.model_fields), where)
        try:
            return Budget.model_validate({name.replace("-", "_"): limit for name, limit in limits.items()})
        except ValidationError as error:
            raise self._wrong(f"'budget': {joined(error_words(error))}", *where) from None

    def _known_keys(self, mapping: Mapping[str, Any], known: tuple[str, ...], where: tuple[str | int, ...]) -> None:
        for key in mapping:
            if key.replace("-", "_") not in known:
                hint = did_you_mean(key.replace("-", "_"), known) or f"the keys are {', '.join(known)}"
                raise self._wrong(f"unknown key {key!r}; {hint}", *where, key)

    def _wrong(self, message: str, *where: str | int) -> _WrongPlan:
        return _WrongPlan(self._document.at(*where) + message)
