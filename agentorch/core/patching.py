"""Re-planning by patch: what it may touch, what it resets, and which outputs stay valid.

1. Work is kept as in an incremental build: a task that the patch resets keeps its output in mind, with the digest of
   its inputs; the output stands if spec and inputs come out equal.
2. What the plan has already, and what has not failed, is left alone, even when the patch names it again.
3. A patch may not touch a succeeded task with effects. Touching a running task withdraws it first.
4. A join is decided once: a task that went on without a need is not reset when that need is patched.
5. A patch that leads to a plan that the run has had before is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentorch.core import events as ev
from agentorch.core.card import money_problem
from agentorch.core.commands import Withdraw
from agentorch.core.crosschecks import look_up, reopen
from agentorch.core.effects import effects_by_task
from agentorch.core.empties import own
from agentorch.core.failures import Code, Problem
from agentorch.core.history import all_ended, all_used
from agentorch.core.identity import digest
from agentorch.core.joins import admit_or_skip, count_needs, drop_requests, enter_dependent, leave_running
from agentorch.core.planned import answer_task, free_name, is_answer_task, plan_of, with_join_settings
from agentorch.core.scheduling import unready
from agentorch.core.special import Ladder, Memo, carried_over
from agentorch.core.speckey import spec_key
from agentorch.core.state import FINAL, RunState, Status, TaskState
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import Verified, verify


@dataclass(frozen=True, slots=True)
class Patch:
    """A verified patch: what really changes."""

    put: tuple[Task, ...]
    drop: tuple[str, ...]
    answer: str | None
    """The new answer reference; None keeps the old one."""

    @property
    def changed(self) -> frozenset[str]:
        """The ids that it touches."""
        return frozenset((*self.drop, *(task.id for task in self.put)))


def plan_digest(tasks: Iterable[Task]) -> str:
    """Return a digest of a whole plan, whatever the order of its tasks."""
    return digest(
        [
            [t.id, t.agent, t.objective, t.inputs, sorted(t.needs), t.policy.model_dump(mode="json")]
            for t in sorted(tasks, key=lambda task: task.id)
        ]
    )


def check_patch(
    state: RunState,
    put: tuple[Task, ...],
    drop: tuple[str, ...],
    answer: str | None,
    *,
    inputs: Mapping[str, Any] | None = None,
) -> tuple[Patch | None, tuple[Problem, ...]]:
    """Verify a patch against the state as it is; the problems are those of the patch and of the plan it leads to.

    `inputs` are as in `inbox.Patched`.
    """
    before = plan_of(state)
    unknown = [name for name in drop if name not in before]
    if unknown:
        message = "the patch drops '{}', which the plan does not have"
        return None, tuple(Problem(Code.UNKNOWN_DEP, message.format(name)) for name in unknown)
    if not put and not drop:
        return None, (Problem(Code.EMPTY, "the patch changes nothing"),)
    named = {task.id for task in put}
    rest = {name: task for name, task in before.items() if name not in drop and name not in named}
    alone = verify(
        Graph(put),
        state.catalog,
        known=rest,
        strict=True,
        whole=False,
        policy=state.policy,
        budget_problem=money_problem(state.budget.max_money),
    )
    if alone.errors:
        return None, alone.errors
    after = rest | {task.id: task for task in with_join_settings(state, alone.tasks)}
    given = state.outputs["inputs"] if inputs is None else inputs
    in_order = {name: after[name] for name in (*before, *after) if name in after}
    verified, last = _verified(state, in_order, answer, named, given)
    if verified.errors:
        return None, verified.errors
    tasks = (*verified.tasks, *last)
    written = named | {task.id for task in last}
    patch = Patch(
        tuple(task for task in tasks if task.id in written and not _stands(state, task)),
        tuple(name for name in before if name not in {task.id for task in tasks}),
        None if verified.answer == state.answer else verified.answer,
    )
    refusals = _refusals(state, patch)
    if not refusals and plan_digest(tasks) in (state.seen | {plan_digest(before.values())}):
        words, remedy = "the patch leads to a plan that this run has had before", "change what has not been tried yet"
        refusals = (Problem(Code.PATCH, words, remedy=remedy),)
    return (None, refusals) if refusals else (patch, ())


def reset_by(state: RunState, changed: Iterable[str]) -> list[TaskState]:
    """Return the tasks that start again because a need that they saw the end of is changed, in plan order."""
    ended = {name for name in changed if name in state.tasks and state.tasks[name].status in FINAL}
    untouched = state.tasks.keys() - set(changed)
    found: list[TaskState] = []
    for name, task in state.tasks.items():
        if name in untouched and task.status is not Status.PENDING and not ended.isdisjoint(task.task.needs):
            found.append(task)
            if task.status in FINAL:
                ended.add(name)
    return found


def apply_patch(state: RunState, event: ev.PlanPatched) -> None:
    """Change the plan: retire, enter, reset what depends on it, and count anew."""
    state.seen |= {plan_digest(plan_of(state).values())}
    state.revision = event.revision
    _reset(state, (*event.drop, *(task.id for task in event.put)))
    for name in event.drop:
        _retire(state, state.tasks.pop(name))
    for task in event.put:
        earlier, special = state.tasks.get(task.id), None
        if earlier is not None:
            memo, ended = memo_of(state, earlier, task), all_ended(earlier, state.updated)
            _retire(state, earlier)
            special = carried_over(memo=memo, ended=ended, before=all_used(earlier))
        enter(state, TaskState(task, state.revision, state.enter(1), task.agent, special=special))
    state.answer = event.answer or state.answer
    state.ranks_stale = True
    recount(state)
    look_up(state)


def redo(state: RunState, task: TaskState, revision: int, ladder: Ladder) -> None:
    """Open a new revision of a succeeded task whose output was rejected; `ladder` is what it goes on with."""
    state.revision = revision
    name, ended = task.task.id, all_ended(task, state.updated)
    _reset(state, (name,))
    _retire(state, task)
    again = TaskState(
        task.task,
        revision,
        task.order,
        task.task.agent,
        attempt=task.attempt,
        started=task.started,
        special=carried_over(spent=task.spent, ended=ended, before=task.before),
    )
    again.climb(ladder)
    state.tasks[name] = again
    state.open += 1
    again.status = Status.WAITING
    state.ranks_stale = True
    recount(state)
    again.status = Status.PENDING  # until the next event of the same append says what follows


def changes_effects(state: RunState, name: str) -> tuple[Problem, ...]:
    """Say what forbids that a task is done again, and what depends on it with it."""
    return _refusals(state, Patch((state.tasks[name].task,), (), None))


def _reset(state: RunState, changed: Iterable[str]) -> None:
    for task in reset_by(state, changed):
        memo, ended = memo_of(state, task, task.task), all_ended(task, state.updated)
        take_out(state, task)
        special = carried_over(memo=memo, spent=task.spent, ended=ended, before=task.before)
        enter(state, TaskState(task.task, state.revision, task.order, task.task.agent, special=special))


def _verified(
    state: RunState,
    after: dict[str, Task],
    answer: str | None,
    named: set[str],
    inputs: Mapping[str, Any],
) -> tuple[Verified, tuple[Task, ...]]:
    """Verify the plan that a patch leads to; where several outputs answer, see to the task that joins them."""
    root = state.answer_root
    joined = answer is None and root in after and root not in named and is_answer_task(after[root])
    if joined and not state.tasks[root].dependents:
        del after[root]
    kept = answer or (state.answer if root in after else None)
    graph = Graph(tuple(after.values()), kept)
    verified = verify(graph, state.catalog, policy=state.policy, inputs=inputs)
    if verified.errors or verified.answer is not None:
        return verified, ()
    name = root if joined else free_name({*after, *state.tasks}, "answer")
    last = with_join_settings(state, (answer_task(name, verified.sinks),))
    return replace(verified, answer=f"${name}"), last


def _stands(state: RunState, task: Task) -> bool:
    """Whether the run has this very task, and it has not failed."""
    known = state.tasks.get(task.id)
    return known is not None and known.task == task and known.status is not Status.FAILED and known.waiting != "replan"


def _refusals(state: RunState, patch: Patch) -> tuple[Problem, ...]:
    """Say which tasks may not start again, nor be replaced, because they have, or may have, changed the world."""
    problems: list[Problem] = []
    touched = [state.tasks[name] for name in state.tasks if name in patch.changed]
    had = effects_by_task(state)
    for task in (*touched, *reset_by(state, patch.changed)):
        name, effects, remedy = task.task.id, state.catalog[task.agent].effects, None
        if task.status is Status.SUCCEEDED and effects != "none":
            message = f"'{name}' has succeeded and its agent '{task.agent}' has effects: it may not be changed"
        elif task.started and state.catalog[task.agent].acts_unseen:
            message = f"'{name}' was begun and its agent '{task.agent}' has effects: it may not be changed"
        elif any(receipt.is_open for receipt in had.get(name, ())):
            message = f"'{name}' has an effect of which nobody knows whether it has happened: it may not be changed"
        elif name in patch.drop and name in had:
            message = f"'{name}' has had an effect: it may not be dropped, since another task would have it again"
            remedy = f"keep it as '{name}', with another agent, objective or inputs"
        else:
            continue
        problems.append(Problem(Code.PATCH, message, name, remedy))
    return tuple(problems)


def memo_of(state: RunState, earlier: TaskState, task: Task) -> Memo | None:
    """What is known of the output of `task` from before the patch, if its spec is the same."""
    if earlier.task is not task and spec_key(earlier.task) != spec_key(task):
        return None
    if earlier.status is not Status.SUCCEEDED:
        return earlier.memo
    return Memo(earlier.inputs, state.outputs[task.id], earlier.sources)


def enter(state: RunState, task: TaskState) -> None:
    """Enter an open task; `recount` says afterwards where it stands."""
    state.tasks[task.task.id] = task
    state.open += 1


def _retire(state: RunState, task: TaskState) -> None:
    take_out(state, task)
    state.retired.append((state.revision, task))


def take_out(state: RunState, task: TaskState) -> None:
    """Take a task out of every count, whatever its state, and what it delegated out of the run."""
    name = task.task.id
    reopen(state, name)
    if task.status is Status.RUNNING:
        key = state.key_of(task)
        leave_running(state, task, key)
        own(state, "unsettled")[key] = None
        state.gained.append(Withdraw(key, name))
    unready(state, task)
    drop_requests(state, name)
    state.outputs.pop(name, None)
    if task.status not in FINAL:
        state.open -= 1
    for child in task.children or ():
        _retire(state, state.tasks.pop(child))


def recount(state: RunState) -> None:
    """Sort the live tasks so that needs stand above, and count the needs of all that are not final."""
    ordered = _ordered(state)
    state.tasks = {task.task.id: task for task in ordered}
    for task in ordered:
        task.dependents = None
    for task in ordered:
        if task.status in FINAL:
            enter_dependent(state, task)
        else:
            count_needs(state, task)
    for task in ordered:
        if task.status is Status.PENDING:
            admit_or_skip(state, task)


def _ordered(state: RunState) -> list[TaskState]:
    """Return the tasks stably sorted: plan tasks after their needs, by depth-first search without recursion."""
    done: dict[str, TaskState] = {}
    for name in state.tasks:
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
