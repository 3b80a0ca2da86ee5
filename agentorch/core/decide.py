"""What a message makes happen: events, decided and not yet applied.

1. `decide` reads the state and changes nothing. It may change between releases; `apply` may not.
2. An outcome whose key is not pending changes no task: it is recorded as late.
3. Every choice (admission, rung, patch, giving up, closing) is an event.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.admission import admit, end_task, lack_of_tasks, over_budget
from agentorch.core.adopting import adopt
from agentorch.core.calling import call_model, spend
from agentorch.core.children import cancel_children, circle_of
from agentorch.core.closing import conclude, is_due
from agentorch.core.commands import Dispatch
from agentorch.core.completing import complete
from agentorch.core.effects import confirm, intend, settle_effect, void
from agentorch.core.failing import fail, give_up_without_patch
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.forking import fork
from agentorch.core.identity import Key
from agentorch.core.patching import check_patch, reset_by
from agentorch.core.planned import begin, begin_as, cut_short, propose
from agentorch.core.rejecting import checked
from agentorch.core.signing import signed
from agentorch.core.stamping import Stamp, trusted
from agentorch.core.state import RunState, Status, TaskState
from agentorch.core.steps import finish_step
from agentorch.core.task import Task


def decide(state: RunState, message: msg.Message) -> list[ev.Event]:
    """Return the events that `message` leads to, in order; none when it changes nothing."""
    decision = _after_the_end if state.finished else DECISIONS[type(message)]
    return decision(state, message, Stamp(state, message.at))


def _after_the_end(state: RunState, message: Any, stamp: Stamp) -> list[ev.Event]:
    """Nothing follows the last word but what late outcomes used, and what became of effects."""
    match message:
        case msg.Succeed() | msg.Fail():
            return _late(state, message, stamp)
        case msg.FinishStep():
            return finish_step(state, message, stamp)
        case msg.Confirm():
            return confirm(state, message, stamp)
        case msg.Void():
            return void(state, message, stamp)
        case msg.Abandon():
            return [stamp(ev.CallAbandoned, problem=message.problem)]
        case _:
            return []


def _note(_state: RunState, message: msg.Note, stamp: Stamp) -> list[ev.Event]:
    return [stamp(ev.PlanNoted, notes=message.notes, source=message.source)]


def _reject(_state: RunState, message: msg.Reject, stamp: Stamp) -> list[ev.Event]:
    return [stamp(ev.PlanRejected, problems=message.problems, source=message.source)]


def _cancel(_state: RunState, message: msg.Cancel, stamp: Stamp) -> list[ev.Event]:
    return [stamp(ev.RunCancelling, by=message.by, reason=message.reason)]


def _abort(_state: RunState, message: msg.Abort, stamp: Stamp) -> list[ev.Event]:
    return [stamp(ev.RunAborted, problem=message.problem)]


def _stop(state: RunState, message: msg.Stop, stamp: Stamp) -> list[ev.Event]:
    return [] if state.stopped is not None else [stamp(ev.RunStopped, problem=message.problem)]


def _abandon(_state: RunState, _message: msg.Abandon, _stamp: Stamp) -> list[ev.Event]:
    return []  # it is waited for as long as the run goes on


def _conclude(state: RunState, _message: msg.Conclude, stamp: Stamp) -> list[ev.Event]:
    return conclude(state, stamp) if is_due(state) else []


def _of_running(state: RunState, key: str, make: Callable[[TaskState], ev.Event]) -> list[ev.Event]:
    task = state.of_key(key)
    return [make(task)] if task is not None else []


def _report(state: RunState, message: msg.Report, stamp: Stamp) -> list[ev.Event]:
    def report(task: TaskState) -> ev.Event:
        return stamp(ev.TaskReported, task=task.task.id, key=message.key, text=message.text)

    return _of_running(state, message.key, report)


def _go_on(state: RunState, message: msg.GoOn, stamp: Stamp) -> list[ev.Event]:
    """Only where it makes a difference: a body that waits for nobody goes on as a matter of course."""
    task = state.of_key(message.key)
    if task is None or task.works is not message.waits or not (task.questions or task.open_children):
        return []
    return [stamp(ev.TaskWentOn, task=task.task.id, key=message.key, waits=message.waits)]


def _trim(state: RunState, message: msg.Trim, stamp: Stamp) -> list[ev.Event]:
    def trim(task: TaskState) -> ev.Event:
        return stamp(
            ev.InputTrimmed,
            task=task.task.id,
            key=message.key,
            input=message.input,
            tokens=message.tokens,
            kept=message.kept,
            blob=message.blob,
        )

    return _of_running(state, message.key, trim)


def _late(state: RunState, message: msg.Succeed | msg.Fail, stamp: Stamp) -> list[ev.Event]:
    """Record it; what it used counts only if nobody has told yet.

    After the last word only use is worth a word, and a body that did not end.
    """
    usage = message.usage if message.key in state.unsettled else None
    problem = "; ".join(message.problems) if isinstance(message, msg.Fail) and message.runs_on else ""
    if state.finished and usage is None and not problem:
        return []
    task = Key.parse(message.key).task
    return [stamp(ev.OutcomeLate, task=task, key=message.key, usage=usage, problem=problem)]


def _succeed(state: RunState, message: msg.Succeed, stamp: Stamp) -> list[ev.Event]:
    key = message.key
    dispatch = state.pending.get(key)
    if not isinstance(dispatch, Dispatch):
        return _late(state, message, stamp)
    name = dispatch.task
    task = state.tasks[name]
    events = cancel_children(state, [task], stamp) if task.open_children else []
    stamp.seq += 1
    values = {  # as in `admission`
        "seq": stamp.seq,
        "at": stamp.at,
        "run_id": stamp.run_id,
        "type": "TaskSucceeded",
        "task": name,
        "key": key,
        "output": message.output,
        "usage": message.usage,
        "sources": message.sources,
    }
    events.append(trusted(ev.TaskSucceeded, values))
    return events


def _fail(state: RunState, message: msg.Fail, stamp: Stamp) -> list[ev.Event]:
    task = state.of_key(message.key)
    if task is None:
        return _late(state, message, stamp)
    return [*cancel_children(state, [task], stamp), *fail(state, task, message, stamp)]


def _planning_failed(state: RunState, message: msg.PlanningFailed, stamp: Stamp) -> list[ev.Event]:
    if state.complete or "plan" not in state.pending:
        return []
    rejected = stamp(ev.PlanRejected, problems=message.problems, source=message.source)
    if state.tasks:
        cut = cut_short(state, message.problems, message.source, stamp)
        return [rejected, *cut, *give_up_without_patch(state, list(state.tasks), stamp)]
    return [rejected, stamp(ev.RunAborted, problem=message.problems[0])]


def _patched(state: RunState, message: msg.Patched, stamp: Stamp) -> list[ev.Event]:
    if state.replan is None or message.asked != state.replan.asked:
        return []
    joined = tuple(name for name in state.replan.tasks if name not in message.asked)
    if joined and not state.replan.again:
        number, tasks = state.replan.number, tuple(state.replan.tasks)
        return [stamp(ev.ReplanRequested, number=number, tasks=tasks, again=True)]
    patch, problems = check_patch(state, message.put, message.drop, message.answer, inputs=message.inputs)
    if patch is None:
        return [stamp(ev.PlanRejected, problems=problems, source=message.source)]
    changed = patch.changed
    again = reset_by(state, changed)
    touched = [state.tasks[name] for name in state.tasks if name in changed]
    events = cancel_children(state, [*touched, *again], stamp)
    patched = stamp(
        ev.PlanPatched,
        revision=state.revision + 1,
        put=patch.put,
        drop=patch.drop,
        answer=patch.answer,
        source=message.source,
    )
    dealt_with = changed | {task.task.id for task in again}
    left = [name for name in state.replan.tasks if name not in dealt_with]
    return [*events, patched, *_left_by_patch(state, left, message.asked, stamp)]


def _left_by_patch(state: RunState, names: list[str], asked: tuple[str, ...], stamp: Stamp) -> list[ev.Event]:
    """What the planner was asked about and did not deal with goes on down the ladder; the rest is asked about anew."""
    new = tuple(name for name in names if name not in asked and state.replans < state.policy.replans)
    events = give_up_without_patch(state, [name for name in names if name not in new], stamp)
    return [*events, stamp(ev.ReplanRequested, number=state.replans + 1, tasks=new)] if new else events


def _patch_failed(state: RunState, message: msg.PatchFailed, stamp: Stamp) -> list[ev.Event]:
    if state.replan is None:
        return []
    failed = stamp(ev.ReplanFailed, problems=message.problems, source=message.source)
    return [failed, *give_up_without_patch(state, state.replan.tasks, stamp)]


def _delegate(state: RunState, message: msg.Delegate, stamp: Stamp) -> list[ev.Event]:
    caller, known = state.of_key(message.key), state.tasks.get(message.task)
    if caller is None or (known is not None and not _may_call_anew(known, message.key)):
        return []
    spec = Task(message.task, message.agent, inputs=dict(message.inputs))
    depth = caller.depth + 1
    cut_off = known is not None and known.status is Status.CANCELLED and known.task == spec
    delegated = stamp(
        ev.TaskDelegated, task=message.task, spec=spec, caller=message.key, depth=depth, continues=cut_off
    )
    lack = lack_of_tasks(caller) if known is None else None
    if lack is not None:
        return [delegated, over_budget(message.task, lack, stamp)]
    circle = circle_of(state, caller, spec)
    if not circle:
        return [delegated]
    problem = Problem("stalled", circle, task=message.task, remedy="call it with other inputs, or not at all")
    return [delegated, stamp(ev.TaskFailed, task=message.task, problem=problem)]


def _may_call_anew(known: TaskState, caller: str) -> bool:
    """Whether a child brought nothing to an earlier dispatch of its caller: it is then no answer to this one."""
    return known.status in {Status.CANCELLED, Status.FAILED} and known.caller != caller


def _ask(state: RunState, message: msg.Ask, stamp: Stamp) -> list[ev.Event]:
    known = state.requests.get(message.request_id)  # of an earlier dispatch, or of this one
    if message.request_id in state.answers or (known is not None and known.key in state.pending):
        return []
    return _of_running(
        state,
        message.key,
        lambda t: stamp(
            ev.RequestOpened,
            task=t.task.id,
            key=message.key,
            request_id=message.request_id,
            kind=message.kind,
            question=message.question,
            answer_schema=message.answer_schema,
        ),
    )


def _answer(state: RunState, message: msg.Answer, stamp: Stamp) -> list[ev.Event]:
    request = state.requests.get(message.request_id)
    if request is None:
        return []
    if request.kind == "plan":
        return signed(state, message, stamp)
    answered = stamp(
        ev.RequestAnswered, task=request.task, request_id=message.request_id, value=message.value, by=message.by
    )
    if request.task is None or request.key is not None:
        return [answered]
    task = state.tasks[request.task]
    if request.kind == "effect":
        return [answered, *settle_effect(state, task, request.effect, message.value, message.by, stamp)]
    return [answered, *_consequence(state, task, request.kind, message.value, message.by, stamp)]


def _consequence(state: RunState, task: TaskState, kind: str, value: Any, by: str, stamp: Stamp) -> list[ev.Event]:
    name = task.task.id
    if kind == "approval":
        if value is True:
            return []
        problem = Problem("refused", f"{by} did not approve '{name}'", task=name)
        return [stamp(ev.TaskFailed, task=name, problem=problem)]
    if value == "retry":
        attempt, model = task.attempt + 1, task.ladder.model if task.ladder is not None else 0
        return [
            stamp(ev.TaskRetried, task=name, rung="person", agent=task.agent, model=model, attempt=attempt, dispatch=1)
        ]
    if isinstance(value, dict) and "output" in value:
        return [stamp(ev.TaskSucceeded, task=name, key=state.key_of(task), output=value["output"])]  # pyright: ignore[reportUnknownArgumentType]
    failed = task.problem or Problem(str(FailureKind.PERMANENT), f"{by} gave '{name}' up", task=name)
    return [stamp(ev.TaskFailed, task=name, problem=failed)]


DECISIONS: Final[Mapping[type[msg.Message], Callable[[RunState, Any, Stamp], list[ev.Event]]]] = {
    msg.Succeed: _succeed,
    msg.Admit: admit,
    msg.Fail: _fail,
    msg.Begin: begin,
    msg.BeginAs: begin_as,
    msg.Fork: fork,
    msg.Adopt: adopt,
    msg.Propose: propose,
    msg.Complete: complete,
    msg.Note: _note,
    msg.Reject: _reject,
    msg.PlanningFailed: _planning_failed,
    msg.Patched: _patched,
    msg.PatchFailed: _patch_failed,
    msg.Delegate: _delegate,
    msg.Ask: _ask,
    msg.Answer: _answer,
    msg.Report: _report,
    msg.GoOn: _go_on,
    msg.Trim: _trim,
    msg.FinishStep: finish_step,
    msg.Intend: intend,
    msg.Confirm: confirm,
    msg.Void: void,
    msg.CallModel: call_model,
    msg.Spend: spend,
    msg.Checked: checked,
    msg.Cancel: _cancel,
    msg.TimeUp: end_task,
    msg.Abort: _abort,
    msg.Stop: _stop,
    msg.Abandon: _abandon,
    msg.Conclude: _conclude,
}
"""What each message leads to while the run goes on, by its class: `match` would look at thirty before the last one."""
