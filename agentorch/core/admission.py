"""Admission: a ready task becomes a running one. Inputs are frozen and the budget is reserved here and nowhere else."""

from typing import Any, Final

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.accounts import Account, Amount
from agentorch.core.children import cancel_children
from agentorch.core.effects import new_effect
from agentorch.core.failing import give_up
from agentorch.core.failures import Code, FailureKind, Problem
from agentorch.core.identity import digest
from agentorch.core.ladder import step_without_model
from agentorch.core.references import BrokenReference, as_text, fill, resolve
from agentorch.core.reservations import Queued, chain, reserve
from agentorch.core.stamping import Stamp, trusted
from agentorch.core.state import FINAL, READY, RunState, TaskState
from agentorch.core.task import UNSET
from agentorch.core.task_count import is_beyond, tasks_counted
from agentorch.core.task_time import task_time
from agentorch.core.values import clipped

NO_INPUTS: Final = digest([{}, ""])
"""The digest of a task without inputs and objective."""

_SHOWN: Final = 2000
"""Characters of the inputs that a request for approval shows."""

SLACK: Final = 1e-6
"""Seconds by which a timer may come too early."""


def inputs_of(state: RunState, task: TaskState) -> tuple[dict[str, Any], str | list[Any]]:
    """Return the input values and the filled-in objective of a task; raise BrokenReference.

    What a delegated task was given are values, whatever they look like; see `fill` for an objective in pieces.
    """
    spec = task.task
    if task.caller is not None:
        return spec.inputs, spec.objective
    inputs = resolve(spec.inputs, state.outputs, needs=spec.needs) if spec.inputs else {}
    objective = fill(spec.objective, state.outputs) if "${" in spec.objective else spec.objective
    return inputs, objective


def admit(state: RunState, message: msg.Admit, stamp: Stamp) -> list[ev.Event]:
    """Start a task if it is ready and may start; see `started`."""
    task = state.tasks.get(message.task)
    if task is None or task.status is not READY or state.stopped is not None or state.unsigned:
        return []
    if not state.complete and task.agent in state.with_effects:
        return []
    return started(state, task, stamp)


def started(state: RunState, task: TaskState, stamp: Stamp) -> list[ev.Event]:
    """Start a ready task, keep its earlier output, or fail it for want of budget or of an input."""
    defaults = state.defaults.get(task.agent) or state.defaults_of(task.agent)
    spec, frozen = task.task, NO_INPUTS
    name = spec.id
    if task.special is not None or state.budget.max_tasks is not None:
        lack = _lack(state, task, stamp.at)
        if lack is not None:
            return [over_budget(name, lack, stamp)]
    if spec.inputs or spec.objective:
        try:
            frozen = digest(inputs_of(state, task))
        except BrokenReference as broken:
            problem = Problem(Code.REF_PATH, str(broken), name, "mend the reference or the agent that gave the value")
            return give_up(state, task, problem, stamp)
    if task.memo is not None and task.memo.inputs == frozen:
        return [stamp(ev.TaskKept, task=name, inputs=frozen)]
    if defaults.plain and spec.policy is UNSET and not state.no_new_effects:
        return [_started(state, task, frozen, None, stamp)]
    return _started_if_allowed(state, task, frozen, stamp)


def _started_if_allowed(state: RunState, task: TaskState, inputs: str, stamp: Stamp) -> list[ev.Event]:
    """Start a task for which something is to be set aside, or somebody is to be asked, perhaps."""
    name = task.task.id
    if state.no_new_effects and state.catalog[task.agent].acts_unseen:
        return [stamp(ev.TaskFailed, task=name, problem=new_effect(state, name, f"agent '{task.agent}'"))]
    reserved = reserve(state, task)
    if isinstance(reserved, Problem):
        return without_model(state, task, reserved, stamp)
    if isinstance(reserved, Queued):
        return [stamp(ev.TaskQueued, task=name, reason=reserved.reason, account=reserved.account)]
    if not task.approved and state.policy_of(task.task, task.agent).approval == "before":
        return [_approval(state, task, stamp)]
    return [_started(state, task, inputs, reserved, stamp)]


def _started(state: RunState, task: TaskState, inputs: str, reserved: Amount | None, stamp: Stamp) -> ev.TaskStarted:
    stamp.seq += 1
    values = {  # as `Stamp.trusted` fills them in: at once, for each task has such an event
        "seq": stamp.seq,
        "at": stamp.at,
        "run_id": stamp.run_id,
        "type": "TaskStarted",
        "task": task.task.id,
        "key": state.key_of(task),
        "inputs": inputs,
        "reserved": None if reserved is None else reserved.as_usage(),
    }
    return trusted(ev.TaskStarted, values)


def over_budget(name: str, lack: str, stamp: Stamp) -> ev.Event:
    """Fail a task for want of budget."""
    problem = Problem(FailureKind.BUDGET, lack, name, "raise the budget and start again")
    return stamp(ev.TaskFailed, task=name, problem=problem)


def without_model(state: RunState, task: TaskState, problem: Problem, stamp: Stamp) -> list[ev.Event]:
    """The budget has nothing left for a task: an agent that needs no model may stand in, else it fails."""
    step = step_without_model(state, task)
    if step is None:
        return [stamp(ev.TaskFailed, task=task.task.id, problem=problem)]
    return [
        stamp(
            ev.TaskRetried,
            task=task.task.id,
            rung=step.rung,
            agent=step.agent,
            model=step.model,
            attempt=step.attempt,
            dispatch=step.dispatch,
            reason=problem.message,
        )
    ]


def lack_of_tasks(caller: TaskState) -> str | None:
    """Say which task may delegate no more: the caller, or one that it works for."""
    for account in chain(caller.account):
        most = account.budget.max_tasks
        if account.task is not None and most is not None and account.tasks >= most:
            return f"'{account.task}' has delegated {account.tasks} tasks, max_tasks={most}"
    return None


def _lack(state: RunState, task: TaskState, at: float) -> str | None:
    budget = state.budget
    if budget.max_depth is not None and task.depth > budget.max_depth:
        return f"delegation is {task.depth} levels deep, max_depth={budget.max_depth}"
    if budget.max_tasks is not None and is_beyond(state, task, budget.max_tasks):
        return f"the run has {tasks_counted(state)} tasks, max_tasks={budget.max_tasks}"
    caller = state.tasks[task.caller.split("/", 2)[1]] if task.caller is not None else task
    return _lack_within(state, task, caller.account, at) if caller.account is not None else None


def _lack_within(state: RunState, task: TaskState, account: Account, at: float) -> str | None:
    """Say which limit of its own budget, or of those that it works for, a task is beyond."""
    own = account.task == task.task.id
    for level, one in enumerate(chain(account), 0 if own else 1):
        budget = one.budget
        if one.task is None:
            return None
        if budget.max_depth is not None and level > budget.max_depth:
            return f"delegation is {level} levels below '{one.task}', max_depth={budget.max_depth}"
        if is_up(state, one, at):
            return time_is_up(one)
    return None


def is_up(state: RunState, account: Account, at: float) -> bool:
    """Whether the seconds of an account's task are used up."""
    seconds = account.budget.max_seconds
    return seconds is not None and account.task in state.timed and task_time(state, account, at) + SLACK >= seconds


def time_is_up(account: Account) -> str:
    """Say whose seconds are used up."""
    return f"the {account.budget.max_seconds:g} seconds of '{account.task}' are up"


def end_task(state: RunState, message: msg.TimeUp, stamp: Stamp) -> list[ev.Event]:
    """End a task whose own seconds are used up, and what it has delegated."""
    task = state.tasks.get(message.task)
    account = task.account if task is not None else None
    if task is None or account is None or task.status in FINAL or not is_up(state, account, message.at):
        return []
    if account.stands:
        return []
    return [*cancel_children(state, [task], stamp), over_budget(message.task, time_is_up(account), stamp)]


def _approval(state: RunState, task: TaskState, stamp: Stamp) -> ev.Event:
    """Ask whether a task may start, with the values that it would work on."""
    name = task.task.id
    inputs, objective = inputs_of(state, task)
    question = f"Start '{name}' with agent '{task.agent}'?"
    if objective:
        question += f" Its objective: {objective if isinstance(objective, str) else task.task.objective}"
    if inputs:
        question += f" Its inputs: {clipped(as_text(inputs), _SHOWN)}"
    return stamp(
        ev.RequestOpened,
        task=name,
        # Another agent, and another call of the same one, asks anew: no answer may land on what was not asked about.
        request_id=f"approve:{name}:{task.revision}:{task.attempt}:{task.agent}",
        kind="approval",
        question=question,
        answer_schema={"type": "boolean"},
    )
