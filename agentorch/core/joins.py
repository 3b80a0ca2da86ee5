"""Counting consequences: what a finished task means for those that need it.

1. A need holds when it succeeded, and is lost when it is final in any other way.
2. A join is decided once; what settles later never re-opens it.
3. A task whose join cannot be met any more is skipped, and so on down: each skip names the need that caused it.
"""

from typing import Final

from agentorch.core.children import drop_steps
from agentorch.core.empties import own
from agentorch.core.reservations import account_of
from agentorch.core.scheduling import call_within, make_ready, unready
from agentorch.core.state import ANSWERER, FINAL, PENDING, RUNNING, SUCCEEDED, RunState, Status, TaskState
from agentorch.core.task import UNSET

_LOST: Final = FINAL - {SUCCEEDED}


def count_needs(state: RunState, task: TaskState) -> None:
    """Set the counters of a task from its needs, and enter it as their dependent."""
    spec, tasks = task.task, state.tasks
    task.join = state.policy.join if spec.policy is UNSET else state.settings_of(spec).join
    opened = held = lost = 0
    for need in spec.needs:
        other = tasks[need]
        _add_dependent(other, spec.id)
        if other.status not in FINAL:
            opened += 1
        elif other.status is SUCCEEDED:
            held += 1
        else:
            lost += 1
        if state.surplus:
            want(state, need)
    task.open, task.held, task.lost = opened, held, lost


def enter_dependent(state: RunState, task: TaskState) -> None:
    """Enter a task as a dependent of each of its needs."""
    for need in task.task.needs:
        _add_dependent(state.tasks[need], task.task.id)


def _add_dependent(task: TaskState, name: str) -> None:
    known = task.dependents
    if isinstance(known, list):
        known.append(name)
    else:
        task.dependents = [*(known or ()), name]


def admit_or_skip(state: RunState, task: TaskState) -> None:
    """Move a pending task on if its join is decided."""
    decided = _decide(task)
    if decided is None:
        return
    if decided:
        _admit(state, task)
    else:
        task.cause = next(name for name in task.task.needs if state.tasks[name].status in _LOST)
        settle(state, task, Status.SKIPPED)


def undecided(task: TaskState) -> bool:
    """Whether a task's join is still open."""
    return _decide(task) is None


def _admit(state: RunState, task: TaskState) -> None:
    make_ready(state, task)
    if task.open and state.settings_of(task.task).cancel_rest:
        _release_needs(state, task)


def settle(state: RunState, task: TaskState, status: Status) -> None:
    """Make `task` final, and follow the consequences to the end, without recursion."""
    _close(state, task, status)
    if task.dependents is None:
        return
    skipped: list[TaskState] = []
    _tell(state, task, status, skipped)
    while skipped:
        current = skipped.pop()
        _close(state, current, Status.SKIPPED)
        _tell(state, current, Status.SKIPPED, skipped)


def _tell(state: RunState, task: TaskState, status: Status, skipped: list[TaskState]) -> None:
    """Count a task with its final status for those that need it; add those of them that are to be skipped for that."""
    tasks = state.tasks
    for name in task.dependents or ():
        dependent = tasks[name]
        dependent.open -= 1
        if status is SUCCEEDED:
            dependent.held += 1
        else:
            dependent.lost += 1
        if dependent.status is not PENDING:
            continue
        if not dependent.lost:
            if not dependent.open:
                make_ready(state, dependent)
                continue
            if dependent.join == "all":
                continue
        decided = _decide(dependent)
        if decided:
            _admit(state, dependent)
        elif decided is False:
            dependent.cause = task.task.id
            skipped.append(dependent)


def want(state: RunState, name: str) -> None:
    """Take a task, and what it needs, out of the surplus: somebody waits for it after all."""
    queue = [name]
    while queue:
        wanted = queue.pop()
        if wanted in state.surplus:
            del state.surplus[wanted]
            queue.extend(state.tasks[wanted].task.needs)


def leave_running(state: RunState, task: TaskState, key: str) -> None:
    """Take a running task out of the counts and its key out of what is pending."""
    if task.special is not None:
        _let_go(state, task)
    del state.pending[key]
    state.running -= 1
    agent = task.agent
    state.running_by_agent[agent] -= 1
    state.moved[agent] = None


def _let_go(state: RunState, task: TaskState) -> None:
    """Wait no more for what its dispatch has asked, and give back what was set aside for it."""
    if task.questions or task.works:
        wait_for(state, task, questions=-task.questions)
        go_on(state, task, works=False)
    account = task.account
    if account is not None and account.admitted:
        account.give_back()
        state.admitted -= not task.open_children
        state.room = True
        call_within(state, account)


def drop_requests(state: RunState, name: str) -> None:
    """Withdraw every question that stands open about a task."""
    for request_id in [request.request_id for request in state.requests.values() if request.task == name]:
        del state.requests[request_id]
        state.pending.pop(request_id, None)


def _release_needs(state: RunState, task: TaskState) -> None:
    """Mark the open needs that nobody else waits for, and in turn what only they need."""
    queue = [task]
    while queue:
        for name in queue.pop().task.needs:
            need = state.tasks[name]
            if need.status not in FINAL and name not in state.surplus and not _is_wanted(state, need):
                own(state, "surplus")[name] = None
                queue.append(need)


def _is_wanted(state: RunState, task: TaskState) -> bool:
    if task.task.id == state.answer_root:
        return True
    return any(state.tasks[name].status is PENDING and name not in state.surplus for name in task.dependents or ())


def _close(state: RunState, task: TaskState, status: Status) -> None:
    has_run = task.status is RUNNING
    if not has_run:
        unready(state, task)
    task.status = status
    task.waiting = None
    task.due = None
    task.finished = state.updated
    state.open -= 1
    state.room = True  # what was kept for it, if it was to write the answer
    if task.special is not None or state.requests or state.queued_within or state.surplus:
        _give_back(state, task, status, has_run=has_run)


def _give_back(state: RunState, task: TaskState, status: Status, *, has_run: bool) -> None:
    """Let go of what few tasks hold, and few runs: steps, questions, a place in a line, a caller that waits."""
    if state.requests:
        drop_requests(state, task.task.id)
    # A cancelled child's caller may go on, and call for it again.
    if (task.steps or task.children) and (task.caller is None or status is not Status.CANCELLED):
        drop_steps(state, task)
    if state.queued_within and not has_run:
        call_within(state, account_of(state, task))
    if state.surplus:
        state.surplus.pop(task.task.id, None)
    if task.caller is not None:
        wait_for(state, state.tasks[task.caller.split("/", 2)[1]], children=-1)


def wait_for(state: RunState, task: TaskState, *, children: int = 0, questions: int = 0) -> None:
    """Count up or down what a running task waits for before it goes on."""
    before = task.blocked
    if children and task.account is not None and task.account.admitted:
        state.admitted += (not task.open_children + children) - (not task.open_children)
    task.open_children += children
    task.questions += questions
    _count_blocked(state, task, before)
    if not (task.questions or task.open_children):
        go_on(state, task, works=False)


def go_on(state: RunState, task: TaskState, *, works: bool) -> None:
    """Enter whether the body of a running task goes on beside what it has asked or called."""
    if task.works is works:
        return
    before = task.blocked
    task.works = works
    state.working += 1 if works else -1
    _count_blocked(state, task, before)


def _count_blocked(state: RunState, task: TaskState, before: bool) -> None:
    turn = task.blocked - before
    if turn:
        state.blocked += turn
        blocked = own(state, "blocked_by_agent")
        blocked[task.agent] = blocked.get(task.agent, 0) + turn
        state.moved[task.agent] = None


def _decide(task: TaskState) -> bool | None:
    """Whether the join is met (True), cannot be met (False), or is open (None)."""
    if not task.open and not task.lost:
        return True
    join = task.join
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
