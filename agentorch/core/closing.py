"""The end of a run: what is cancelled, whether a partial answer is tried, and the last word."""

from agentorch.core import events as ev
from agentorch.core.calling import lost_calls
from agentorch.core.children import cancel_children
from agentorch.core.crosschecks import due_check, is_checking, unchecked
from agentorch.core.effects import unknown_effects
from agentorch.core.failures import Code, Problem
from agentorch.core.ordering import ordered
from agentorch.core.planned import answer_task, free_name
from agentorch.core.references import BrokenReference, follow, parse
from agentorch.core.stamping import Stamp
from agentorch.core.state import ANSWERER, FINAL, SUCCEEDED, RunState, Status, TaskState


def is_due(state: RunState) -> bool:
    """Whether `Conclude` would decide something: cheap enough to ask after every event."""
    if state.finished:
        return False
    if state.surplus and state.complete:
        return True
    if state.cancelling is not None or (state.aborted and not state.last_words):
        return True
    if state.checks and due_check(state) is not None and not state.last_words:
        return True
    return not state.open and state.complete and (state.last_words or not is_checking(state))


def conclude(state: RunState, stamp: Stamp) -> list[ev.Event]:
    """Cancel what a join or the run's end no longer wants; close the run when nothing is open."""
    if state.surplus and state.complete:
        return _cancel_surplus(state, stamp)
    check = None if state.aborted or state.cancelling is not None else due_check(state)
    if check is not None:
        return [stamp(ev.CheckStarted, check=check.spec.name, number=check.number + 1, tasks=check.tasks)]
    if state.open:
        reason = state.cancelling or str(state.problems[-1].message)
        return [_cancelled(task, reason, stamp) for task in reversed(_open(state))]
    if _wants_partial_answer(state):
        return _partial_answer(state, stamp)
    status, problems = _verdict(state)
    values = {"type": "RunFinished", "task": None, "status": status, "problems": problems}
    return [*lost_calls(state, stamp), stamp.trusted(ev.RunFinished, values)]


def _open(state: RunState) -> list[TaskState]:
    return [task for task in state.tasks.values() if task.status not in FINAL]


def _cancelled(task: TaskState, reason: str, stamp: Stamp) -> ev.Event:
    return stamp(ev.TaskCancelled, task=task.task.id, reason=reason)


def _cancel_surplus(state: RunState, stamp: Stamp) -> list[ev.Event]:
    # Whoever needs another goes first, or it would be skipped before it is cancelled; a patch may have changed `order`.
    entered = sorted((state.tasks[name] for name in state.surplus), key=lambda task: task.order)
    unwanted = [state.tasks[task.id] for task in reversed(ordered([one.task for one in entered]).tasks)]
    children = cancel_children(state, unwanted, stamp)
    return [*children, *(_cancelled(task, "its join no longer waits for it", stamp) for task in unwanted)]


def _wants_partial_answer(state: RunState) -> bool:
    if state.closing or state.cancelling is not None or ANSWERER not in state.catalog:
        return False
    return state.answer_root not in state.outputs and _some_succeeded(state)


def _partial_answer(state: RunState, stamp: Stamp) -> list[ev.Event]:
    """Write an answer over the last outputs that there are, and say what is missing."""
    held = {name for name, task in state.tasks.items() if task.status is SUCCEEDED and task.caller is None}
    used = {need for name in held for need in state.tasks[name].task.needs}
    name = free_name(set(state.tasks), "partial-answer")
    frontier = tuple(task for task in state.tasks if task in held and task not in used)
    missing = tuple(problem.line for problem in _problems(state) if problem.is_error)
    task = answer_task(name, frontier, missing)
    return [
        stamp(ev.TasksAccepted, tasks=(task,), source="closing"),
        stamp(ev.PlanCompleted, answer=f"${name}", source="closing"),
    ]


def _problems(state: RunState) -> tuple[Problem, ...]:
    """Say what befell each task that brought no output, in plan order, and the run as a whole."""
    found = list(state.problems)
    missing = [(name, task) for name, task in state.tasks.items() if task.status is not SUCCEEDED]
    absorbed = _absorbed(state) if missing else set[str]()
    for name, task in missing:
        if task.caller is not None or name in absorbed:
            continue
        if task.status is Status.SKIPPED:
            found.append(Problem("skipped", f"'{name}' was skipped because '{task.cause}' brought nothing", name))
        else:
            found.append(task.problem or Problem("cancelled", f"'{name}' was cancelled", name))
    return (*found, *_broken_answer(state), *unchecked(state), *unknown_effects(state))


def _broken_answer(state: RunState) -> list[Problem]:
    """Say that the answer is a part of an output, and that the output has no such part."""
    answer = parse(state.answer or "") if state.answer != f"${state.answer_root}" else None
    if answer is None:  # a whole output is not broken
        return []
    try:
        follow(answer, state.outputs.get(answer.id))
    except BrokenReference as error:
        return [Problem(Code.REF_PATH, f"the answer is {error}")]
    return []


def _absorbed(state: RunState) -> set[str]:
    """Return the tasks without output that nobody misses: each dependent went on by its own join, or is one of them."""
    absorbed: set[str] = set()
    for name, task in reversed(state.tasks.items()):
        if task.status is SUCCEEDED or not task.dependents:
            continue
        if all(other in absorbed or _went_on(state, state.tasks[other]) for other in task.dependents):
            absorbed.add(name)
    return absorbed


def _went_on(state: RunState, task: TaskState) -> bool:
    return task.status is SUCCEEDED and state.settings_of(task.task).join not in {"all", "settled"}


def _verdict(state: RunState) -> tuple[ev.RunStatus, tuple[Problem, ...]]:
    problems = _problems(state)
    if state.cancelling is not None and not state.failing:
        return "cancelled", (Problem("cancelled", f"the run was cancelled: {state.cancelling}"), *problems)
    if state.cancelling is not None:
        return "failed", problems
    serious = [problem for problem in problems if problem.is_error]
    answered = state.answer_root in state.outputs
    if answered and not serious:
        return "succeeded", problems
    return ("partial" if _some_succeeded(state) else "failed"), problems


def _some_succeeded(state: RunState) -> bool:
    return any(task.status is SUCCEEDED and task.caller is None for task in state.tasks.values())
