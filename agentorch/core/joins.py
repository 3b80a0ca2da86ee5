"""Counting consequences: what a finished task means for those that need it.

1. A need holds when it succeeded, and is lost when it is final in any other way.
2. A join is decided once; what settles later never re-opens it.
3. A task whose join cannot be met any more is skipped, and so on down: each skip names the need that caused it.
"""

from agentorch.core.policy import Join
from agentorch.core.scheduling import make_ready, unready
from agentorch.core.state import ANSWERER, FINAL, RunState, Status, TaskState


def count_needs(state: RunState, task: TaskState) -> None:
    """Set the counters of a pending task from its needs, and enter it as their dependent."""
    task.open = task.held = task.lost = 0
    for need in task.task.needs:
        other = state.tasks[need]
        if other.dependents is None:
            other.dependents = [task.task.id]
        else:
            other.dependents.append(task.task.id)
        if other.status is Status.SUCCEEDED:
            task.held += 1
        elif other.status in FINAL:
            task.lost += 1
            task.cause = task.cause or need
        else:
            task.open += 1


def admit_or_skip(state: RunState, task: TaskState) -> None:
    """Move a pending task on if its join is decided."""
    decided = _decide(state, task)
    if decided is None:
        return
    if decided:
        make_ready(state, task)
        if task.open and state.settings_of(task.task).cancel_rest:
            _release_needs(state, task)
    else:
        settle(state, task, Status.SKIPPED)


def settle(state: RunState, task: TaskState, status: Status) -> None:
    """Make `task` final, and follow the consequences to the end, without recursion."""
    queue = [(task, status)]
    while queue:
        current, outcome = queue.pop()
        _close(state, current, outcome)
        held = outcome is Status.SUCCEEDED
        for name in current.dependents or ():
            dependent = state.tasks[name]
            dependent.open -= 1
            if held:
                dependent.held += 1
            else:
                dependent.lost += 1
            if dependent.status is not Status.PENDING:
                continue
            decided = _decide(state, dependent)
            if decided:
                admit_or_skip(state, dependent)
            elif decided is False:
                dependent.cause = current.task.id
                queue.append((dependent, Status.SKIPPED))


def _release_needs(state: RunState, task: TaskState) -> None:
    """Mark the open needs that nobody else waits for."""
    for name in task.task.needs:
        need = state.tasks[name]
        wanted = any(state.tasks[other].status is Status.PENDING for other in need.dependents or ())
        if need.status not in FINAL and not wanted:
            state.surplus[name] = None


def _close(state: RunState, task: TaskState, status: Status) -> None:
    unready(state, task)
    task.status = status
    task.waiting = None
    task.due = None
    task.finished = state.updated
    state.open -= 1
    state.surplus.pop(task.task.id, None)
    if task.caller is not None:
        _release_caller(state, task)


def _release_caller(state: RunState, task: TaskState) -> None:
    caller = state.tasks.get(str(task.caller).split("/", 2)[1])
    if caller is None:
        return
    caller.open_children -= 1
    if not caller.open_children and caller.status is Status.RUNNING:
        state.blocked -= 1


def _decide(state: RunState, task: TaskState) -> bool | None:
    """Whether the join is met (True), cannot be met (False), or is open (None)."""
    if not task.open and not task.lost:
        return True
    join: Join = state.settings_of(task.task).join
    if join == "all":
        return False if task.lost else None
    if join == "settled":
        if task.open:
            return None
        return bool(task.held) or task.task.agent != ANSWERER
    wanted = 1 if join == "any" else int(join)
    if task.held >= wanted:
        return True
    return False if task.held + task.open < wanted else None
