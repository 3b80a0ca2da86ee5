"""The end of a run: what is cancelled, whether a partial answer is tried, and the last word."""

from agentorch.core import events as ev
from agentorch.core.failures import Problem
from agentorch.core.planned import answer_task, free_name
from agentorch.core.stamping import Stamp
from agentorch.core.state import ANSWERER, FINAL, RunState, Status, TaskState


def is_due(state: RunState) -> bool:
    """Whether `Conclude` would decide something: cheap enough to ask after every event."""
    if state.finished:
        return False
    if state.surplus:
        return True
    ending = state.cancelling is not None or state.aborted
    if state.open:
        return ending
    return ending or (state.complete and state.replan is None)


def conclude(state: RunState, stamp: Stamp) -> list[ev.Event]:
    """Cancel what a join or the run's end no longer wants; close the run when nothing is open."""
    if state.surplus:
        return _cancel_surplus(state, stamp)
    if state.open:
        reason = state.cancelling or str(state.problems[-1].message)
        return [_cancelled(task, reason, stamp) for task in reversed(_open(state))]
    if _wants_partial_answer(state):
        return _partial_answer(state, stamp)
    status, problems = _verdict(state)
    return [stamp(ev.RunFinished, status=status, problems=problems)]


def _open(state: RunState) -> list[TaskState]:
    return [task for task in state.tasks.values() if task.status not in FINAL]


def _cancelled(task: TaskState, reason: str, stamp: Stamp) -> ev.Event:
    return stamp(ev.TaskCancelled, task=task.task.id, reason=reason)


def _cancel_surplus(state: RunState, stamp: Stamp) -> list[ev.Event]:
    unwanted = sorted((state.tasks[name] for name in state.surplus), key=lambda task: task.order, reverse=True)
    return [_cancelled(task, "its join no longer waits for it", stamp) for task in unwanted]


def _root(reference: str | None) -> str:
    return (reference or "$")[1:].split(".", 1)[0]


def _wants_partial_answer(state: RunState) -> bool:
    if state.closing or state.aborted or state.cancelling is not None or ANSWERER not in state.catalog:
        return False
    return _root(state.answer) not in state.outputs and any(
        task.status is Status.SUCCEEDED and task.caller is None for task in state.tasks.values()
    )


def _partial_answer(state: RunState, stamp: Stamp) -> list[ev.Event]:
    """Write an answer over the last outputs that there are, and say what is missing."""
    held = {name for name, task in state.tasks.items() if task.status is Status.SUCCEEDED and task.caller is None}
    used = {need for name in held for need in state.tasks[name].task.needs}
    name = free_name(set(state.tasks), "partial-answer")
    frontier = tuple(task for task in state.tasks if task in held and task not in used)
    missing = tuple(str(problem.message) for problem in _problems(state))
    task = answer_task(name, frontier, missing)
    return [
        stamp(ev.TasksAccepted, tasks=(task,), source="closing"),
        stamp(ev.PlanCompleted, answer=f"${name}", source="closing"),
    ]


def _problems(state: RunState) -> tuple[Problem, ...]:
    """Say what befell each task that brought no output, in plan order, and the run as a whole."""
    found = list(state.problems)
    for name, task in state.tasks.items():
        if task.caller is not None or task.status is Status.SUCCEEDED or _absorbed(state, task):
            continue
        if task.status is Status.SKIPPED:
            found.append(Problem("skipped", f"'{name}' was skipped because '{task.cause}' brought nothing", name))
        elif task.status is Status.CANCELLED:
            found.append(Problem("cancelled", f"'{name}' was cancelled", name))
        elif task.problem is not None:
            found.append(task.problem)
    return tuple(found)


def _absorbed(state: RunState, task: TaskState) -> bool:
    """Whether every dependent went on without it by its own join."""
    if not task.dependents:
        return False
    others = [state.tasks[name] for name in task.dependents]
    return all(
        other.status is Status.SUCCEEDED and state.settings_of(other.task).join not in {"all", "settled"}
        for other in others
    )


def _verdict(state: RunState) -> tuple[ev.RunStatus, tuple[Problem, ...]]:
    problems = _problems(state)
    if state.cancelling is not None:
        return ("failed" if state.failing else "cancelled"), problems
    serious = [problem for problem in problems if problem.is_error]
    answered = _root(state.answer) in state.outputs
    if answered and not serious:
        return "succeeded", problems
    some = any(task.status is Status.SUCCEEDED for task in state.tasks.values())
    return ("partial" if some else "failed"), problems
