"""What must be true of a journal at its end, and of the world that its run has acted on."""

from collections import Counter

from agentorch.core import events as ev
from agentorch.core.apply import apply
from agentorch.core.state import FINAL, RunState, Status
from agentorch.core.usage import NOTHING
from tests.simulation.scenario import scenario
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
        _judge_run(world, record.run_id, events)
    for key, times in world.paid.items():
        if times > 1 + world.allowed[key]:
            world.wrong(f"effect {key} happened {times} times, a person allowed {1 + world.allowed[key]}")


def _judge_run(world: World, run_id: str, events: list[ev.Event]) -> None:
    state = RunState(run_id)
    for event in events:
        if isinstance(event, ev.TaskStarted):
            _may_start(world, state, event)
        apply(state, event)
    if not state.finished:
        world.wrong(f"the run stands at {state.status}, waiting for {list(state.requests)}")
    for name, task in state.tasks.items():
        if task.status not in FINAL:
            world.wrong(f"{name} is {task.status} at the end")
    _committed_once(world, events)
    _paid_for(world, state, events)
    _outputs(world, state)
    _steps_of_its_own(world, events)


def _may_start(world: World, state: RunState, event: ev.TaskStarted) -> None:
    """A task starts when its join holds, and not before."""
    task = state.tasks[event.task]
    needs = [state.tasks[need].status for need in task.task.needs]
    held = sum(status is Status.SUCCEEDED for status in needs)
    match state.settings_of(task.task).join:
        case "settled":
            fits = all(status in FINAL for status in needs)
        case "any":
            fits = held > 0
        case _:
            fits = held == len(needs)
    if not fits:
        world.wrong(f"{event.task} started while its needs were {[str(status) for status in needs]}")


def _steps_of_its_own(world: World, events: list[ev.Event]) -> None:
    """A task of two steps succeeds with both of them made in its own attempt."""
    made = {(event.key.rpartition("/")[0], event.name) for event in events if isinstance(event, ev.StepFinished)}
    todo = {task.id for task in scenario(world.seed).plan.tasks if task.agent == "stepper"}
    for event in events:
        if isinstance(event, ev.TaskSucceeded) and event.task in todo:
            attempt = event.key.rpartition("/")[0]
            if attempt.split("/")[2] != "1":
                continue  # a patch may have given it to another agent
            missing = [name for name in ("look1", "look2") if (attempt, name) not in made]
            if missing:
                world.wrong(f"{attempt} succeeded without {missing} of its own")


def _committed_once(world: World, events: list[ev.Event]) -> None:
    keys = Counter(event.key.rsplit("/", 2)[0] for event in events if isinstance(event, ev.TaskSucceeded))
    for key, times in keys.items():
        if times > 1:
            world.wrong(f"{key} was committed {times} times")
    started = Counter(event.key for event in events if isinstance(event, ev.TaskStarted))
    for key, times in started.items():
        if times > 1:
            world.wrong(f"{key} was started {times} times")


def _paid_for(world: World, state: RunState, events: list[ev.Event]) -> None:
    told = NOTHING
    for event in events:
        usage = getattr(event, "usage", None)
        if usage is not None:
            told += usage
    if told.calls > state.spent.calls:
        world.wrong(f"{told.calls} calls are told, {state.spent.calls} are charged")


def _outputs(world: World, state: RunState) -> None:
    """Each task gives what its inputs say, whatever happened on the way."""
    todo = scenario(world.seed)
    for task in todo.plan.tasks:
        if task.id not in state.outputs or state.tasks[task.id].agent == "counter":
            continue
        before = [state.outputs.get(need) for need in task.needs] if task.inputs["before"] else []
        if state.outputs[task.id] != world.value(task.id, before):
            world.wrong(f"{task.id} gave {state.outputs[task.id]!r}")
