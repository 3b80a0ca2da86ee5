"""The plain case: a task that nothing limits or asks about starts, or succeeds. Decided and applied in one step.

1. Nearly every message leads to one of these two events. Each costs half of what `decide` and `apply` take for it.
2. What is decided, and what becomes of the state, is what `decide` and `apply` say: tests hold the two equal. Whatever
   is not plain is left to them, and a journal is applied by `apply` alone.
"""

from agentorch.core import events as ev
from agentorch.core.admission import NO_INPUTS, inputs_of
from agentorch.core.commands import Dispatch
from agentorch.core.identity import digest
from agentorch.core.inbox import Succeed
from agentorch.core.joins import admit_or_skip
from agentorch.core.references import BrokenReference
from agentorch.core.scheduling import make_ready
from agentorch.core.stamping import trusted
from agentorch.core.state import NONE_ENDED, PENDING, RUNNING, SUCCEEDED, RunState, TaskState
from agentorch.core.task import UNSET


def start(state: RunState, task: TaskState, at: float) -> ev.TaskStarted | None:
    """Start a ready task, if there is nothing else to it: see `admission.started` and `apply`."""
    spec, agent = task.task, task.agent
    defaults = state.defaults.get(agent) or state.defaults_of(agent)
    if not defaults.plain or spec.policy is not UNSET or spec.budget is not None:
        return None
    if state.clocked or state.account is not None or state.called_up is not None or state.queued:
        return None
    if task.special is not None or state.no_new_effects or state.budget.max_tasks is not None:
        return None
    inputs = NO_INPUTS
    if spec.inputs or spec.objective:
        try:
            inputs = digest(inputs_of(state, task))
        except BrokenReference:
            return None
    seq = state.seq = state.seq + 1
    state.updated = at
    name, key = spec.id, state.key_of(task)
    state.ready_count -= 1
    task.status = RUNNING
    task.waiting = task.due = None
    task.inputs = inputs
    task.started = at
    state.running += 1
    state.running_by_agent[agent] = state.running_by_agent.get(agent, 0) + 1
    state.moved[agent] = None
    state.pending[key] = dispatch = Dispatch(key, name)
    state.gained.append(dispatch)
    values = {
        "seq": seq,
        "at": at,
        "run_id": state.run_id,
        "type": "TaskStarted",
        "task": name,
        "key": key,
        "inputs": inputs,
        "reserved": None,
    }
    return trusted(ev.TaskStarted, values)


def succeed(state: RunState, message: Succeed) -> ev.TaskSucceeded | None:
    """Accept the output of a running task, if there is nothing else to it: see `decide` and `apply`."""
    key, at = message.key, message.at
    dispatch = state.pending.get(key)
    if type(dispatch) is not Dispatch or message.usage is not None:
        return None
    if state.clocked or state.queued or state.requests or state.surplus:
        return None
    name = dispatch.task
    task = state.tasks[name]
    if task.special is not None:
        return None
    seq = state.seq = state.seq + 1
    state.updated = at
    del state.pending[key]
    agent = task.agent
    state.running -= 1
    state.running_by_agent[agent] -= 1
    state.moved[agent] = None
    count, total = state.means.get(agent, NONE_ENDED)
    state.means[agent] = (count + 1, total + at - task.started)
    task.status = SUCCEEDED
    task.finished = at
    if message.sources:
        task.sources = message.sources
    state.outputs[name] = message.output
    state.open -= 1
    state.room = True
    for each in task.dependents or ():
        other = state.tasks[each]
        other.open -= 1
        other.held += 1
        if other.status is not PENDING:
            continue
        if other.join != "all":
            admit_or_skip(state, other)
        elif not other.open:
            make_ready(state, other)
    values = {
        "seq": seq,
        "at": at,
        "run_id": state.run_id,
        "type": "TaskSucceeded",
        "task": name,
        "key": key,
        "output": message.output,
        "usage": None,
        "sources": message.sources,
    }
    return trusted(ev.TaskSucceeded, values)
