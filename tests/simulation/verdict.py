"""What must be true of a journal at its end, and of the world that its run has acted on.

The reference is an interpreter without time: given which tasks were given up or cancelled, the plan alone says how
every other task ended, and with which output.
"""

from collections import Counter
from typing import Any

from agentorch.core import events as ev
from agentorch.core.apply import apply
from agentorch.core.policy import Join
from agentorch.core.state import ANSWERER, FINAL, RunState, Status, TaskState
from agentorch.core.usage import NOTHING
from tests.simulation.world import World


async def judge(world: World) -> None:
    """Add to `violations` whatever does not hold."""
    records = [record async for record in world.disk.runs()]
    if len(records) != 1:
        world.wrong(f"{len(records)} runs on the disk")
    for record in records:
        events: list[ev.Event] = []
        while page := await world.disk.read(record.run_id, after=len(events)):
            events += page
        try:
            _judge_run(world, record.run_id, events)
        except Exception as error:  # noqa: BLE001  # a journal that cannot be read back is a finding
            world.wrong(f"the journal does not replay: {type(error).__name__}: {error}")


def _judge_run(world: World, run_id: str, events: list[ev.Event]) -> None:
    state = RunState(run_id)
    for event in events:
        if isinstance(event, ev.TaskStarted):
            _may_start(world, state, event)
        apply(state, event)
    if not state.finished:
        world.wrong(f"the run stands at {state.status}, waiting for {list(state.requests)}")
    _committed_once(world, events)
    _steps_of_its_own(world, events)
    _effects(world, state, events)
    _paid_for(world, state, events)
    _as_the_reference(world, state, events)
    _last_word(world, state, events)


def _holds(join: Join, needs: list[Status]) -> bool | None:
    """Whether a join is met by what its needs have come to; None when it is not decided yet."""
    held = sum(status is Status.SUCCEEDED for status in needs)
    unsettled = sum(status not in FINAL for status in needs)
    if join == "settled":
        return None if unsettled else True
    wanted = {"all": len(needs), "any": min(1, len(needs))}.get(join, join) if isinstance(join, str) else join
    if held >= int(wanted):
        return True
    return None if held + unsettled >= int(wanted) and join != "all" else False


def _needs_of(state: RunState, task: TaskState) -> list[Status]:
    return [state.tasks[need].status for need in task.task.needs]


def _may_start(world: World, state: RunState, event: ev.TaskStarted) -> None:
    """A task starts when its join holds, and not before."""
    task = state.tasks[event.task]
    needs = _needs_of(state, task)
    if not _holds(state.settings_of(task.task).join, needs):
        world.wrong(f"{event.task} started while its needs were {[str(status) for status in needs]}")


def _steps_of_its_own(world: World, events: list[ev.Event]) -> None:
    """A task of two steps succeeds with both of them made in its own attempt."""
    made = {(event.key.rpartition("/")[0], event.name) for event in events if isinstance(event, ev.StepFinished)}
    todo: set[str] = set()
    for event in events:
        if isinstance(event, ev.TasksAccepted | ev.PlanPatched):
            tasks = event.tasks if isinstance(event, ev.TasksAccepted) else event.put
            todo.difference_update(task.id for task in tasks)
            todo.update(task.id for task in tasks if task.agent == "stepper" and not task.policy.fallback)
        if isinstance(event, ev.TaskSucceeded) and event.task in todo and event.task not in world.by_hand:
            attempt = event.key.rpartition("/")[0]
            missing = [name for name in ("look1", "look2") if (attempt, name) not in made]
            if missing:
                world.wrong(f"{attempt} succeeded without {missing} of its own")


def _committed_once(world: World, events: list[ev.Event]) -> None:
    keys = Counter(event.key.rsplit("/", 2)[0] for event in events if isinstance(event, ev.TaskSucceeded))
    for key, times in keys.items():
        if times > 1:
            world.wrong(f"{key} was committed {times} times")


def _effects(world: World, state: RunState, events: list[ev.Event]) -> None:
    """No effect happens more often than a person allowed, and none is taken for done that has not happened."""
    for key, times in world.paid.items():
        if times > 1 + world.allowed[key]:
            world.wrong(f"effect {key} happened {times} times, a person allowed {1 + world.allowed[key]}")
    for event in events:
        if isinstance(event, ev.EffectDone) and event.by in {"tool", "probe"} and not world.paid[event.effect]:
            world.wrong(f"effect {event.effect} is told to be done, and has not happened")
    done = {receipt.task for receipt in state.receipts.values() if receipt.done}
    for name, task in state.tasks.items():
        paid = task.agent == "payer" and task.status is Status.SUCCEEDED
        if paid and name not in done and name not in world.by_hand:
            world.wrong(f"{name} succeeded without its effect")


def _paid_for(world: World, state: RunState, events: list[ev.Event]) -> None:
    """What was used is charged, once; no more calls are made than the budget has."""
    told = NOTHING
    for event in events:
        usage = getattr(event, "usage", None)
        if usage is not None:
            told += usage
    if told != state.spent:
        world.wrong(f"{told} is told, {state.spent} is charged")
    most = state.budget.max_calls
    if most is not None and world.asked > most:
        world.wrong(f"{world.asked} model calls were made, {most} were allowed")
    if most is not None and world.asked > state.spent.calls:
        world.wrong(f"{world.asked} model calls were made, {state.spent.calls} are charged")


def _as_the_reference(world: World, state: RunState, events: list[ev.Event]) -> None:
    """Each task ended as the plan says, whatever happened on the way."""
    given_up = {
        event.task: Status.FAILED if isinstance(event, ev.TaskFailed) else Status.CANCELLED
        for event in events
        if isinstance(event, ev.TaskFailed | ev.TaskCancelled)
    }
    for name, task in state.tasks.items():
        if task.caller is not None:
            if task.status not in FINAL:
                world.wrong(f"{name} is {task.status} at the end")
            continue
        held = _holds(state.settings_of(task.task).join, _needs_of(state, task))
        wanted = Status.SUCCEEDED if held else Status.SKIPPED
        if task.task.agent == ANSWERER and task.status is Status.SKIPPED:
            continue
        if task.status is not wanted and task.status is not given_up.get(name):
            world.wrong(f"{name} is {task.status} at the end, the plan makes it {wanted}")
        elif task.status is Status.SUCCEEDED and name not in world.by_hand:
            _output(world, state, task)


def _output(world: World, state: RunState, task: TaskState) -> None:
    name = task.task.id
    if task.agent == ANSWERER:
        return
    before: list[Any] = [state.outputs.get(reference[1:]) for reference in task.task.inputs["before"]]
    agents = {task.agent, *task.task.policy.fallback}  # an output that a patch has kept may be of either
    wanted = ["count: 3" if agent == "counter" else world.value(name, before) for agent in sorted(agents)]
    if state.outputs[name] not in wanted:
        world.wrong(f"{name} gave {state.outputs[name]!r}, the plan makes it {' or '.join(wanted)}")


def _last_word(world: World, state: RunState, events: list[ev.Event]) -> None:
    """The run's own status fits what its tasks have come to; with an effect that nobody knew of then, it is partial."""
    said = [problem for event in events if isinstance(event, ev.RunFinished) for problem in event.problems]
    whole = "partial" if any(problem.code == "unknown" for problem in said) else "succeeded"
    planned = [task.status for task in state.tasks.values() if task.caller is None]
    answered = state.answer_root in state.outputs
    if state.status == "succeeded" and not answered:
        world.wrong("the run succeeded without an answer")
    if state.cancelling is not None:
        if state.status != ("failed" if state.failing else "cancelled"):
            world.wrong(f"the run was stopped and is {state.status}")
    elif set(planned) == {Status.SUCCEEDED} and state.status != whole:
        world.wrong(f"every task succeeded, and the run is {state.status}")
    elif Status.SUCCEEDED not in planned and state.status != "failed":
        world.wrong(f"no task succeeded, and the run is {state.status}")
