"""Running time of a task that has seconds of its own: the run's running time, as far as the task could go on in it.

1. It begins with the task's first start, and goes on over attempts, back-offs and waits for a slot or a limit.
2. It stands still while the task waits for nothing but a person, or for a new plan: in its own body, and in what it
   delegated. While the run's stands still, so does this one.
3. Only runs with such a task count it; an event costs O(what the task has delegated).
"""

from agentorch.core.accounts import Account
from agentorch.core.empties import own
from agentorch.core.running_time import running_time
from agentorch.core.state import FINAL, RunState, Status, TaskState

_FOR_OTHERS = frozenset({"approval", "person", "effect", "replan"})
"""What a task waits for that is no time of its own."""


def begin_time(state: RunState, account: Account) -> None:
    """Begin to count: the task of the account is started for the first time."""
    if account.task is not None and account.budget.max_seconds is not None:
        own(state, "timed")[account.task] = None
        state.clocked = True
        account.mark = state.ran


def turn_clocks(state: RunState, name: str) -> None:
    """Stop or start the clocks that an event about a task may concern: its own, and those of whom it works for."""
    task = state.tasks.get(name)
    while task is not None:
        account = task.account
        if account is not None and task.task.id in state.timed and account.task == task.task.id:
            _turn(state, account, stands=waits_for_others(state, task))
        task = state.tasks.get(task.caller.split("/", 2)[1]) if task.caller is not None else None


def _turn(state: RunState, account: Account, *, stands: bool) -> None:
    assert account.task is not None
    if not stands:
        own(state, "turned")[account.task] = None
    if stands and not account.stands:
        account.ran += state.ran - account.mark
    if account.stands and not stands:
        account.mark = state.ran
    account.stands = stands


def waits_for_others(state: RunState, task: TaskState) -> bool:
    """Whether nothing of a task can go on until a person acts, or a new plan is there."""
    if task.status is Status.WAITING:
        return task.waiting in _FOR_OTHERS
    if task.status is not Status.RUNNING or task.works:
        return False
    if not task.open_children:
        return task.blocked
    children = [state.tasks[name] for name in reversed(task.children or ())]
    return all(waits_for_others(state, child) for child in children if child.status not in FINAL)


def task_time(state: RunState, account: Account, now: float) -> float:
    """Return the seconds of its task's running time by now."""
    return account.ran if account.stands else account.ran + running_time(state, now) - account.mark


def end_of_time(state: RunState, account: Account) -> float | None:
    """Return when the seconds of an account's task are up if it goes on from now on; None is never."""
    seconds = account.budget.max_seconds
    if seconds is None or account.task not in state.timed:
        return None
    return state.updated + seconds - task_time(state, account, state.updated)
