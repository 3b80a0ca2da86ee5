"""What holds of a run's state between any two messages, in words; tests ask after every append.

`check` looks at everything and costs O(plan); `check_near` looks at one task, its needs and its dependents.
"""

from collections import Counter

from agentorch.core.account_invariants import contradictions
from agentorch.core.commands import AskPerson, AskPlanner, CheckOutputs, Dispatch
from agentorch.core.state import FINAL, RunState, Status, TaskState


class InvariantError(AssertionError):
    """The state contradicts itself: a bug in the core. The message names the run, the thing and the values."""


Ended = dict[tuple[str, int, int], Status]
"""How tasks ended, by id, revision and order: what `check` returns, to be given to the next one."""


def check(state: RunState, before: Ended | None = None) -> Ended:
    """Raise InvariantError unless all of `state` is sound; `before` are tasks known to be final."""
    for task in state.tasks.values():
        _check_task(state, task)
    _check_totals(state)
    _check_pending(state)
    _check_outputs(state)
    _check_run(state)
    for words in contradictions(state):
        _sound(state, False, words)
    if not state.ranks_stale:
        _check_heaps(state)
    return _check_final(state, before or {})


def check_near(state: RunState, name: str) -> None:
    """Raise InvariantError unless a task and those next to it are sound."""
    task = state.tasks[name]
    for other in (name, *task.task.needs, *(task.dependents or ())):
        _check_task(state, state.tasks[other])


def _sound(state: RunState, holds: bool, words: str) -> None:
    if not holds:
        raise InvariantError(f"run {state.run_id}, event {state.seq}: {words}")


def _same(state: RunState, name: str, counted: object, actual: object) -> None:
    _sound(state, counted == actual, f"{name} is {counted!r}, but it should be {actual!r}")


def _check_task(state: RunState, task: TaskState) -> None:
    name = task.task.id
    needs = [state.tasks[need].status for need in task.task.needs]
    held = needs.count(Status.SUCCEEDED)
    open_needs = sum(status not in FINAL for status in needs)
    counted = (task.open, task.held, task.lost)
    _same(state, f"(open, held, lost) of '{name}'", counted, (open_needs, held, len(needs) - held - open_needs))
    for need in set(task.task.needs):
        entered = (state.tasks[need].dependents or []).count(name)
        _same(state, f"entries of '{name}' at '{need}'", entered, task.task.needs.count(need))
    _same(state, f"'{name}' waits for something", task.waiting is not None, task.status is Status.WAITING)
    _sound(state, task.status is not Status.SKIPPED or task.cause is not None, f"'{name}' was skipped for no cause")
    children = [state.tasks[child] for child in task.children or ()]
    open_children = sum(child.status not in FINAL for child in children)
    _same(state, f"open children of '{name}'", task.open_children, open_children)
    _sound(state, not open_children or task.status is Status.RUNNING, f"'{name}' ended before what it delegated")


def _check_totals(state: RunState) -> None:
    tasks = state.tasks.values()
    running = [task for task in tasks if task.status is Status.RUNNING]
    _same(state, "open", state.open, sum(task.status not in FINAL for task in tasks))
    _same(state, "ready_count", state.ready_count, sum(task.status is Status.READY for task in tasks))
    _same(state, "running", state.running, len(running))
    blocked = [task for task in running if task.blocked]
    _same(state, "blocked", state.blocked, len(blocked))
    _same(state, "working", state.working, sum(task.works for task in running))
    _same(state, "timers", state.timers, sum(task.waiting == "timer" for task in tasks))
    _same(state, "running_by_agent", _nonzero(state.running_by_agent), dict(Counter(task.agent for task in running)))
    _same(state, "blocked_by_agent", _nonzero(state.blocked_by_agent), dict(Counter(task.agent for task in blocked)))
    orders = [task.order for task in tasks]
    _same(state, "distinct orders", len(set(orders)), len(orders))


def _nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


def _check_pending(state: RunState) -> None:
    running = {state.key_of(task): name for name, task in state.tasks.items() if task.status is Status.RUNNING}
    if state.finished:
        running = {}
    pending: dict[str, dict[str, object]] = {"keys": {}, "requests": {}, "plan": {}, "checks": {}}
    for name, command in state.pending.items():
        match command:
            case Dispatch():
                pending["keys"][name] = command.task
            case AskPerson():
                pending["requests"][name] = command.request_id
            case AskPlanner():
                pending["plan"][name] = command.number
            case CheckOutputs():
                pending["checks"][command.check] = (command.number, command.tasks)
            case _:
                raise InvariantError(f"run {state.run_id}: {command} waits for no answer, yet it is pending")
    _same(state, "pending keys", pending["keys"], running)
    _same(state, "pending requests", pending["requests"], {name: name for name in state.requests})
    checks = {name: (check.number, check.tasks) for name, check in state.checks.items() if check.status == "asked"}
    _same(state, "pending checks", pending["checks"], {} if state.finished else checks)
    asked = None if state.finished else _planner_is_asked(state)
    _same(state, "pending plan", pending["plan"], {"plan": asked} if asked is not None else {})
    waiting = {name for name, task in state.tasks.items() if task.waiting in {"approval", "person", "effect"}}
    asking = {request.task for request in state.requests.values() if request.key is None and request.task is not None}
    _same(state, "tasks that wait for a person", asking, waiting)
    questions = {state.key_of(task): task.questions for task in state.tasks.values() if task.questions}
    asked_by = Counter(request.key for request in state.requests.values() if request.key in state.pending)
    _same(state, "questions of dispatches", questions, dict(asked_by))


def _planner_is_asked(state: RunState) -> int | None:
    if state.replan is not None:
        return state.replan.number
    return 0 if state.planner is not None and not state.complete else None


def _check_outputs(state: RunState) -> None:
    succeeded = {name for name, task in state.tasks.items() if task.status is Status.SUCCEEDED}
    _same(state, "ids with an output", state.outputs.keys() - {"goal", "inputs"}, succeeded)
    judged = {name for check in state.checks.values() if check.status != "open" for name in check.tasks}
    _same(state, "judged ids without an output", judged - succeeded, set[str]())


def _check_run(state: RunState) -> None:
    _sound(state, not state.finished or not state.open, "it is finished while tasks are open")
    _sound(state, state.finished or state.cancelling is None, "it is being cancelled and not at its end")
    _sound(state, state.finished or not state.aborted or state.last_words, "it was aborted and is not at its end")
    _sound(state, not (state.complete and state.surplus), f"nobody cancelled {[*state.surplus]}")
    _sound(state, state.finished or state.status == _phase(state), f"its status is {state.status!r}")
    gave_up = {name for name, task in state.tasks.items() if task.waiting == "replan"}
    if state.complete:
        asked = set(state.replan.tasks) if state.replan is not None else set[str]()
        _sound(state, gave_up <= asked, f"nobody re-plans {sorted(gave_up - asked)}")
    for name in state.surplus:
        _sound(state, state.tasks[name].status not in FINAL, f"'{name}' is final and in the surplus")


def _phase(state: RunState) -> str:
    if state.stopped is not None:
        return "stopped"
    if state.replan is not None:
        return "replanning"
    if state.closing:
        return "answering"
    return "running" if state.complete else "planning"


def _check_heaps(state: RunState) -> None:
    for name, task in state.tasks.items():
        if task.status is Status.READY:
            entries = [entry[1:] for entry in state.ready.get(task.agent, ())]
            _sound(state, (task.order, name) in entries, f"'{name}' is ready and not in the heap of '{task.agent}'")


def _check_final(state: RunState, before: Ended) -> Ended:
    everyone = (*state.tasks.values(), *(task for _, task in state.retired))
    now = {(task.task.id, task.revision, task.order): task.status for task in everyone}
    for key, status in before.items():
        _sound(state, now.get(key, status) is status, f"{key[0]} was {status} and is {now.get(key)}")
    return {key: status for key, status in now.items() if status in FINAL}
