"""What events do to accounts: part of `apply`, and under its rules."""

from agentorch.core import events as ev
from agentorch.core.accounts import ZERO, Account, Amount, OpenCall
from agentorch.core.empties import own
from agentorch.core.failures import Code, Problem
from agentorch.core.reservations import account_of
from agentorch.core.scheduling import call_within
from agentorch.core.state import RunState, TaskState
from agentorch.core.task_time import begin_time
from agentorch.core.usage import Usage


def charge(state: RunState, task: TaskState, usage: Usage | None) -> None:
    """Charge a task, and all that it works for, with what it used."""
    if usage is not None:
        _charge(state, usage, task)
        _sum_up(task, usage)


def outcome_late(state: RunState, event: ev.OutcomeLate) -> None:
    """Charge what a late outcome used, or a late step; keep what is to be said of its body."""
    state.unsettled.pop(event.key, None)
    if event.problem:
        remedy = "a function with isolate=True is certain to end"
        state.problems += (Problem(Code.RUNS_ON, event.problem, event.task, remedy),)
    if event.usage is None:
        return
    if event.call is not None:
        _settle(state, event.call, event.usage)
    else:
        _charge(state, event.usage, state.tasks.get(event.task))


def charge_step(state: RunState, task: TaskState, event: ev.StepFinished) -> None:
    """Charge what a step used."""
    if event.usage is None:
        return
    if event.call is not None:
        _settle(state, event.call, event.usage)
        _sum_up(task, event.usage)
    else:
        charge(state, task, event.usage)


def usage_added(state: RunState, event: ev.UsageAdded) -> None:
    """Charge what was used outside the outcome of a task; in the place of a call's estimate, if it settles one."""
    if event.call is None:
        _charge(state, event.usage, None)
        return
    _settle(state, event.call, event.usage)
    task = state.tasks.get(event.task or "")
    if task is not None:
        _sum_up(task, event.usage)


def model_called(state: RunState, event: ev.ModelCalled) -> None:
    """Count a call in."""
    account = state.account if event.task is None else _account(state, state.tasks[event.task])
    assert account is not None
    estimate = Amount.of(event.reserved)
    account.open(estimate)
    own(state, "calls")[event.call] = OpenCall(account, estimate, event.expected, event.purpose)


def set_aside(state: RunState, task: TaskState, event: ev.TaskStarted) -> None:
    """Begin a dispatch under a limit."""
    account = _account(state, task)
    if account is None:
        return
    if account.since is None:
        account.since = event.at
        begin_time(state, account)
    if event.reserved is not None:
        account.set_aside(Amount.of(event.reserved))
        state.admitted += 1
        call_within(state, account)


def learn(state: RunState, task: TaskState) -> None:
    """Take note of what a dispatch used that has succeeded."""
    if task.account is not None and task.account.admitted:
        times, used = state.usual.get(task.agent, (0, ZERO))
        own(state, "usual")[task.agent] = (times + 1, used + task.account.used)


def _charge(state: RunState, usage: Usage, task: TaskState | None) -> None:
    state.spent += usage
    account = state.account if task is None else _account(state, task)
    if account is not None:
        account.settle(ZERO, Amount.of(usage))


def _settle(state: RunState, name: str, usage: Usage) -> None:
    """Charge an open call with what it used."""
    call = state.calls.pop(name)
    call.account.settle(call.estimate, Amount.of(usage))
    state.spent += usage
    state.room = True
    call_within(state, call.account)


def _account(state: RunState, task: TaskState) -> Account | None:
    """Return the account of a task, made if need be."""
    if task.account is None and (state.account is not None or task.caller is not None or task.task.budget is not None):
        task.account = account_of(state, task)
    return task.account


def _sum_up(task: TaskState, usage: Usage) -> None:
    task.spent = usage if task.spent is None else task.spent + usage
