"""Re-planning by patch: what it may touch, what it resets, and which outputs stay valid.

1. Work is kept as in an incremental build: a succeeded task that the patch leaves alone keeps its output unless a need
   of it is reset; then its output is remembered with the digest of its inputs, and stands if they come out equal.
2. A patch may not touch a succeeded task with effects. Touching a running task withdraws it first.
3. A patch that leads to a plan that the run has had before is refused.
"""

from agentorch.core import events as ev
from agentorch.core.commands import Withdraw
from agentorch.core.failures import Code, Problem
from agentorch.core.identity import digest
from agentorch.core.joins import admit_or_skip, count_needs
from agentorch.core.state import FINAL, Memo, RunState, Status, TaskState
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import Verified, verify


def plan_digest(tasks: dict[str, Task]) -> str:
    """Return a digest of a whole plan, whatever the order of its tasks."""
    return digest(
        [
            [t.id, t.agent, t.objective, t.inputs, sorted(t.needs), t.policy.model_dump(mode="json")]
            for _, t in sorted(tasks.items())
        ]
    )


def current_plan(state: RunState) -> dict[str, Task]:
    """Return the live tasks of the plan, delegated ones left out."""
    return {name: task.task for name, task in state.tasks.items() if task.caller is None}


def check_patch(
    state: RunState, put: tuple[Task, ...], drop: tuple[str, ...], answer: str | None
) -> tuple[Verified | None, tuple[Problem, ...]]:
    """Verify a patch against the state as it is; the problems are those of the patch and of the plan it leads to."""
    before = current_plan(state)
    problems = [*_refusals(state, put, drop)]
    unknown = [name for name in drop if name not in before]
    problems += [
        Problem(Code.UNKNOWN_DEP, f"the patch drops '{name}', which the plan does not have") for name in unknown
    ]
    after = {name: task for name, task in before.items() if name not in drop} | {task.id: task for task in put}
    if not put and not drop:
        problems.append(Problem(Code.EMPTY, "the patch changes nothing"))
    if problems:
        return None, tuple(problems)
    root = _root(answer or state.answer)
    kept = answer or (state.answer if root in after else None)
    verified = verify(Graph(tuple(after.values()), kept), state.catalog)
    errors = tuple(problem for problem in verified.problems if problem.is_error)
    if errors:
        return None, errors
    if plan_digest({task.id: task for task in verified.tasks}) in (state.seen | {plan_digest(before)}):
        return None, (Problem(Code.PATCH, "the patch leads to a plan that this run has had before"),)
    return verified, ()


def apply_patch(state: RunState, event: ev.PlanPatched) -> None:
    """Change the plan: retire, enter, reset what depends on it, and count anew."""
    state.seen.add(plan_digest(current_plan(state)))
    state.revision = event.revision
    changed = set(event.drop)
    for name in event.drop:
        _retire(state, name)
    for task in event.put:
        if task.id in state.tasks:
            _retire(state, task.id)
        changed.add(task.id)
        state.tasks[task.id] = TaskState(task, state.revision, len(state.tasks) + len(state.retired))
        state.open += 1
    _reset_dependents(state, changed)
    state.answer = event.answer or state.answer
    state.ranks_stale = True
    _recount(state)


def _refusals(state: RunState, put: tuple[Task, ...], drop: tuple[str, ...]) -> list[Problem]:
    problems: list[Problem] = []
    for name in [*(task.id for task in put), *drop]:
        task = state.tasks.get(name)
        if task is None or task.status is not Status.SUCCEEDED:
            continue
        card = state.catalog.get(task.agent)
        if card is not None and card.effects != "none":
            message = f"'{name}' has succeeded and its agent '{task.agent}' has effects: it may not be changed"
            problems.append(Problem(Code.PATCH, message, task=name))
    return problems


def _root(reference: str | None) -> str | None:
    return reference[1:].split(".", 1)[0] if reference else None


def _retire(state: RunState, name: str) -> None:
    task = state.tasks.pop(name)
    _stop(state, task)
    state.retired.append((state.revision, task))
    state.outputs.pop(name, None)


def _stop(state: RunState, task: TaskState) -> None:
    """Take a task out of every count, whatever its state."""
    if task.status is Status.RUNNING:
        key = state.key_of(task)
        state.pending.pop(key, None)
        state.running -= 1
        state.running_by_agent[task.agent] -= 1
        if task.open_children:
            state.blocked -= 1
        state.gained.append(Withdraw(key, task.task.id))
    elif task.status is Status.READY:
        state.ready_count -= 1
    if task.status not in FINAL:
        state.open -= 1


def _reset_dependents(state: RunState, changed: set[str]) -> None:
    """Everything below a changed task starts again in the new revision, remembering what it had."""
    for name, task in list(state.tasks.items()):
        if task.caller is not None or name in changed:
            continue
        if not changed.intersection(task.task.needs):
            continue
        changed.add(name)
        memo = task.memo
        if task.status is Status.SUCCEEDED:
            memo = Memo(task.inputs, state.outputs.pop(name, None), task.sources)
        _stop(state, task)
        fresh = TaskState(task.task, state.revision, task.order, memo=memo, spent=task.spent)
        state.tasks[name] = fresh
        state.open += 1


def _recount(state: RunState) -> None:
    """Sort the live tasks so that needs stand above, and count the needs of all that have not started."""
    ordered = _ordered(state)
    state.tasks = {task.task.id: task for task in ordered}
    for task in ordered:
        task.dependents = None
    for task in ordered:
        fresh = task.status is Status.PENDING
        if fresh or task.status not in FINAL:
            count_needs(state, task)
        else:
            _enter_dependent(state, task)
    for task in ordered:
        if task.status is Status.PENDING:
            admit_or_skip(state, task)


def _enter_dependent(state: RunState, task: TaskState) -> None:
    for need in task.task.needs:
        other = state.tasks[need]
        other.dependents = [*(other.dependents or ()), task.task.id]


def _ordered(state: RunState) -> list[TaskState]:
    """Return the tasks stably sorted: plan tasks after their needs, by depth-first search without recursion."""
    done: dict[str, TaskState] = {}
    for name in list(state.tasks):
        stack = [name]
        while stack:
            current = stack[-1]
            if current in done:
                stack.pop()
                continue
            missing = [need for need in state.tasks[current].task.needs if need not in done]
            if missing:
                stack.extend(reversed(missing))
            else:
                done[current] = state.tasks[stack.pop()]
    return list(done.values())
