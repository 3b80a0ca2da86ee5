"""What a planner returned, held to the form of the port: a planner may be anybody's, and types are only promises.

1. What is wrong is said in words, with `E_SCHEMA`, as of any other plan that cannot be read.
2. Only the form is looked at. Whether the plan is any good is the verifier's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeGuard, cast

from pydantic_core import from_json, to_json

from agentorch.core.failures import Code, Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Graph, Task
from agentorch.core.usage import Usage
from agentorch.ports.planner import Patch, PlanReport

_MOST: Final = 10
"""Problems of one report that are told."""
_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "id": (str,),
    "agent": (str,),
    "objective": (str,),
    "inputs": (dict,),
    "needs": (tuple, list),
    "policy": (Policy,),
    "seconds": (float, int, type(None)),
}
"""What the fields of a task are made of."""


def report_problems(report: Any) -> tuple[Problem, ...]:
    """Return why `report` is no PlanReport that a run can read; none when it is one."""
    if isinstance(report, PlanReport):
        return tuple(islice(_of_report(report), _MOST))
    remedy = "return PlanReport(graph=Graph(tasks, answer)); for a Plan, PlanReport(graph=plan.graph())"
    return (_problem(f"the planner returned {_kind(report)}, not a PlanReport", remedy),)


def task_problems(tasks: Any) -> tuple[Problem, ...]:
    """Return why `tasks` are no sequence of tasks that a run can read; none when they are."""
    return tuple(islice(_of_tasks("the offer", tasks), _MOST))


def _of_report(report: PlanReport) -> Iterator[Problem]:
    graph, patch = cast("Any", report.graph), cast("Any", report.patch)
    if isinstance(graph, Graph):
        yield from _of_tasks("graph.tasks", graph.tasks)
        yield from _of_answer("graph.answer", graph.answer)
    else:
        yield _problem(f"graph is {_kind(graph)}, not a Graph", "write Graph(tasks, answer)")
    if isinstance(patch, Patch):
        yield from _of_tasks("patch.put", patch.put)
        yield from _all("patch.drop", patch.drop, str)
        yield from _of_answer("patch.answer", patch.answer)
    else:
        yield _problem(f"patch is {_kind(patch)}, not a Patch", "write Patch(put, drop, answer)")
    yield from _all("notes", report.notes, str)
    yield from _all("rejected", report.rejected, tuple)
    for problems in report.rejected if _is_sequence(report.rejected) else ():
        yield from _all("rejected", problems, Problem)
    if not isinstance(cast("Any", report.usage), Usage):
        yield _problem(f"usage is {_kind(report.usage)}, not a Usage", "leave it out")


def _of_tasks(place: str, tasks: Any) -> Iterator[Problem]:
    yield from _all(place, tasks, Task)
    for task in tasks if _is_sequence(tasks) else ():
        if isinstance(task, Task):
            yield from _of_task(task)


def _of_task(task: Task) -> Iterator[Problem]:
    wrong = [name for name, kinds in _FIELDS.items() if not isinstance(getattr(task, name), kinds)]
    for name in wrong:
        remedy = f"give a {_FIELDS[name][0].__name__}"
        yield _problem(f"{name} of task {task.id!r:.60} is {_kind(getattr(task, name))}", remedy)
    if wrong:
        return
    yield from _all(f"needs of task {task.id!r}", task.needs, str)
    if not _is_json([task.id, task.agent, task.objective, task.inputs, task.seconds]):
        yield _problem(f"task {task.id!r} holds what is not JSON", "give strings, finite numbers, lists and objects")


def _of_answer(place: str, answer: Any) -> Iterator[Problem]:
    if answer is not None and not isinstance(answer, str):
        yield _problem(f"{place} is {_kind(answer)}, not a reference", "write '$id', or None")


def _all(place: str, values: Any, kind: type) -> Iterator[Problem]:
    """Yield a problem unless `values` is a sequence of `kind` and of nothing else."""
    if not _is_sequence(values):
        yield _problem(f"{place} is {_kind(values)}", f"give a sequence of {kind.__name__}")
        return
    strange = [value for value in values if not isinstance(value, kind)]
    if strange:
        yield _problem(f"{place} holds {_kind(strange[0])}", f"give a sequence of {kind.__name__}")


def _is_sequence(values: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(values, list | tuple)


def _is_json(value: Any) -> bool:
    """Whether a journal gives back what it is given."""
    try:
        return from_json(to_json(value)) == value
    except (ValueError, RecursionError):
        return False


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _problem(message: str, remedy: str) -> Problem:
    return Problem(Code.SCHEMA, message, None, remedy)
