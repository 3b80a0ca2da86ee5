"""What an event means for one task, in words."""

from typing import Final

from agentorch.core import events as ev
from agentorch.core.references import as_text
from agentorch.core.state import FINAL, RunState, TaskState
from agentorch.core.task import Task
from agentorch.runtime.why_standing import attempt_words, in_quotes, shortened

_SOURCES: Final = {
    "user": "in the plan that was given",
    "model": "planned by the model",
    "rules": "planned by the rules",
    "closing": "added to answer with what there is",
}


def words_of(state: RunState, event: ev.Event, name: str) -> str | None:
    """Return what `event`, which comes next after `state`, means for the task `name`; None for nothing."""
    if isinstance(event, ev.TaskEvent):
        return _of_task(state, event) if event.task == name else _of_other(state, event, name)
    return _of_plan(state, event, name) or _of_run(state, event, name)


def _of_task(state: RunState, event: ev.TaskEvent) -> str | None:  # noqa: C901, PLR0912  # a table
    match event:
        case ev.TaskStarted():
            return f"started: {_key_words(event.key)} with '{state.tasks[event.task].agent}'"
        case ev.TaskQueued():
            return f"waits for budget: {shortened(event.reason)}"
        case ev.AttemptFailed():
            said = shortened("; ".join(event.problems) or "no words")
            by = f", rejected by {in_quotes(event.rejected_by)}" if event.rejected_by else ""
            return f"{_key_words(event.key)} failed ({event.kind}){by}: {said}"
        case ev.TaskRetried():
            return _retried(state, event)
        case ev.TaskSucceeded():
            return "succeeded"
        case ev.TaskKept():
            return "kept: its spec and its inputs came out as before, so its output stands"
        case ev.TaskGaveUp():
            return f"gave up: {shortened(event.problem.message)}"
        case ev.TaskFailed():
            return f"failed: {shortened(event.problem.message)}"
        case ev.TaskCancelled():
            return f"cancelled: {shortened(event.reason)}"
        case ev.TaskDelegated():
            return f"called by '{event.caller.split('/')[1]}': agent '{event.spec.agent}'"
        case ev.EffectIntended() | ev.EffectDone() | ev.EffectVoided():
            return _effect(event)
        case ev.OutcomeLate():
            return f"an outcome of {_key_words(event.key)} came late: its use counts, nothing else changes"
        case ev.InputTrimmed():
            return f"input '{event.input}' was shown as a preview: {event.kept} of {event.tokens} tokens"
        case _:
            return None


def _effect(event: ev.EffectIntended | ev.EffectDone | ev.EffectVoided) -> str:
    match event:
        case ev.EffectIntended():
            return f"'{event.tool}' is about to be called, once ({event.effect})"
        case ev.EffectDone():
            return f"'{event.tool}' has happened{'' if event.by == 'tool' else f', says {event.by}'} ({event.effect})"
        case ev.EffectVoided():
            return f"it has not happened, or is to be done again, says {event.by} ({event.effect})"


def _of_other(state: RunState, event: ev.TaskEvent, name: str) -> str | None:
    """Say so when another task's failure takes the run with it."""
    if not isinstance(event, ev.TaskFailed) or not _is_open(state, name):
        return None
    if state.settings_of(state.tasks[event.task].task).on_failure != "fail_run":
        return None
    return f"'{event.task}' failed and takes the run with it: {shortened(event.problem.message)}"


def _of_plan(state: RunState, event: ev.Event, name: str) -> str | None:
    match event:
        case ev.TasksAccepted():
            task = next((task for task in event.tasks if task.id == name), None)
            source = _SOURCES.get(event.source, f"planned by {event.source}")
            return None if task is None else f"{source}{_spec(task)}"
        case ev.ReplanRequested() if name in event.tasks:
            return f"the planner was asked for a patch (re-plan {event.number}{', again' if event.again else ''})"
        case ev.ReplanFailed() if state.replan is not None and name in state.replan.tasks:
            return f"no patch was found: {shortened('; '.join(problem.message for problem in event.problems))}"
        case ev.PlanPatched():
            return _patched(state, event, name)
        case _:
            return None


def _of_run(state: RunState, event: ev.Event, name: str) -> str | None:  # noqa: C901  # a table
    match event:
        case ev.RequestOpened() if event.task == name:
            return f"a person was asked ({event.request_id}): {shortened(event.question)}"
        case ev.CheckEnded() if name in state.checks[event.check].tasks:
            return _checked(event, name)
        case ev.RequestAnswered() if event.task == name:
            return f"{event.by} answered {event.request_id}: {shortened(as_text(event.value))}"
        case ev.RunForked() if name in event.outputs:
            given = shortened(as_text(event.outputs[name]))
            return f"its output was set when the run was forked from {event.parent} at {event.place}: {given}"
        case _ if not _is_open(state, name):
            return None
        case ev.RunStopped():
            return f"the run stopped, to be resumed: {shortened(event.problem.message)}"
        case ev.RunAdopted():
            return f"the run was taken up by {event.owner}" if event.owner else "the run was let go by its process"
        case ev.RunForked():
            return f"the run was forked from {event.parent} at {event.place}"
        case ev.RunAborted():
            return f"the run was brought to its end: {shortened(event.problem.message)}"
        case ev.RunCancelling():
            return f"{event.by} cancelled the run" + (f": {shortened(event.reason)}" if event.reason else "")
        case _:
            return None


def _checked(event: ev.CheckEnded, name: str) -> str:
    if not event.problems:
        return f"check '{event.check}' accepted it"
    said = shortened("; ".join(event.problems))
    if event.standing is not None:
        return shortened(event.standing.message)
    what = "rejected it, and it is done again" if event.task == name else f"rejected '{event.task}' beside it"
    return f"check '{event.check}' {what}: {said}"


def _key_words(key: str) -> str:
    attempt, dispatch = key.split("/")[-2:]
    return attempt_words(int(attempt), int(dispatch))


def _retried(state: RunState, event: ev.TaskRetried) -> str:
    rungs: dict[ev.Rung, str] = {
        "redispatch": _redispatched(event),
        "repair": f"repair: '{event.agent}' gets the output, its schema and the problems",
        "retry": f"retry: '{event.agent}' starts afresh",
        "model": f"next model: number {event.model + 1} of '{event.agent}'",
        "agent": f"fallback: '{event.agent}' in the place of '{state.tasks[event.task].agent}'{_reason(event)}",
        "person": "a person said: again",
    }
    stalled = f" (stalled: it brought what attempt {event.repeats} had brought)" if event.repeats is not None else ""
    return rungs[event.rung] + stalled + (f", {event.due - event.at:.1f} s later" if event.due is not None else "")


def _redispatched(event: ev.TaskRetried) -> str:
    """A dispatch without a time is the one that a stopped run begins with when it is taken up."""
    if event.dispatch == 1:
        return "its attempt begins afresh: the agent, or a template, has changed"
    if event.due is None and not event.reason:
        return "the same attempt goes on when the run is resumed"
    return f"the same attempt is dispatched again{_reason(event)}"


def _reason(event: ev.TaskRetried) -> str:
    return f": {shortened(event.reason)}" if event.reason else ""


def _spec(task: Task) -> str:
    needs = f"; it needs {in_quotes(task.needs)}" if task.needs else ""
    return f": agent '{task.agent}'{needs}"


def _patched(state: RunState, event: ev.PlanPatched, name: str) -> str | None:
    gave_up = state.replan.tasks if state.replan is not None else []
    why = f" because {in_quotes(gave_up)} gave up" if gave_up else ""
    by = f"revision {event.revision}, by {'the ' if event.source in _SOURCES else ''}{event.source}"
    task = next((task for task in event.put if task.id == name), None)
    if task is not None:
        return f"{'replaced' if name in state.tasks else 'put in'} by a patch ({by}){why}{_spec(task)}"
    if name in event.drop:
        return f"dropped by a patch ({by}){why}"
    known = state.tasks.get(name)
    if known is not None and _is_below(state, known, {task.id for task in event.put} | set(event.drop)):
        return f"to be looked at again: a patch ({by}) changed what it needs"
    return None


def _is_below(state: RunState, task: TaskState, changed: set[str]) -> bool:
    seen: set[str] = set()
    queue = list(task.task.needs)
    while queue:
        need = queue.pop()
        if need in changed:
            return True
        if need not in seen and need in state.tasks:
            seen.add(need)
            queue += state.tasks[need].task.needs
    return False


def _is_open(state: RunState, name: str) -> bool:
    task = state.tasks.get(name)
    return task is not None and task.status not in FINAL
