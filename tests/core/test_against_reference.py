"""The engine against the reference interpreter: any DAG, any failures, any interleaving, one to eight slots."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.events import Event, TaskStarted
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.references import resolve
from agentorch.core.scheduling import next_ready
from agentorch.core.state import Status
from agentorch.core.task import Task
from tests.core.bench import Bench
from tests.core.reference_interpreter import Script, interpret, output_of

CARDS = (
    AgentCard(name="worker"),
    AgentCard(name="mender", repairable=True, models=2, fallback=("worker",)),
    AgentCard(name="writer", repairable=True, fallback=("mender", "worker")),
)
KINDS = ("transient", "invalid", "refused", "permanent", "crash")


@st.composite
def plans(draw: st.DrawFn) -> tuple[list[Task], Script]:
    """Return a DAG with joins and references, and a script of failures."""
    tasks: list[Task] = []
    for number in range(draw(st.integers(1, 8))):
        above = [task.id for task in tasks]
        needs = tuple(draw(st.lists(st.sampled_from(above), unique=True, max_size=4))) if above else ()
        joins: list[Any] = ["all", "all", "any", "settled", *range(1, len(needs) + 1)]
        inputs = {f"i{place}": f"${need}" for place, need in enumerate(needs)}
        policy = Policy(join=draw(st.sampled_from(joins))) if needs else Policy()
        agent = draw(st.sampled_from([card.name for card in CARDS]))
        tasks.append(Task(f"t{number}", agent, inputs=inputs, needs=needs, policy=policy))
    outcomes = st.lists(st.sampled_from(KINDS), max_size=9)
    return tasks, {task.id: draw(outcomes) for task in tasks}


def _outcome(bench: Bench, key: str, script: dict[str, list[str]]) -> msg.Message:
    task = bench.state.tasks[key.split("/")[1]]
    if task.task.agent == "answer-writer":
        return msg.Succeed(bench.now, key, "answer")
    if script[task.task.id]:
        kind = FailureKind(script[task.task.id].pop(0))
        return msg.Fail(bench.now, key, kind, ("no",), key if kind == "invalid" else None)
    inputs = resolve(task.task.inputs, bench.state.outputs, needs=task.task.needs)
    return msg.Succeed(bench.now, key, output_of(task.task, task.agent, inputs))


def _carry_out(bench: Bench, script: dict[str, list[str]], slots: int, draw: Any) -> None:
    said: list[msg.Message] = []
    while not bench.state.finished:
        running = bench.of(Status.RUNNING)
        timed = [task.task.id for task in bench.of(Status.WAITING)]
        choices = ["outcome"] * bool(running) + ["timer"] * bool(timed) + ["again"] * bool(said)
        if len(running) < slots and next_ready(bench.state) is not None:
            bench.admit()
            continue
        match draw(st.sampled_from(choices)):
            case "outcome":
                key = bench.state.key_of(draw(st.sampled_from(running)))
                said.append(_outcome(bench, key, script))
                bench.send(said[-1])
            case "timer":
                assert bench.ripe(draw(st.sampled_from(timed)))
            case _:
                late: list[Event] = bench.send(said.pop(draw(st.integers(0, len(said) - 1))))
                assert [event.type for event in late] == ["OutcomeLate"]


@settings(deadline=None, max_examples=120)
@given(plan=plans(), slots=st.integers(1, 8), data=st.data())
def test_statuses_and_outputs_do_not_depend_on_slots_or_on_who_is_first(
    plan: tuple[list[Task], Script], slots: int, data: st.DataObject
) -> None:
    """Whatever comes first, late or twice, each task ends as the interpreter says, by the same agent."""
    tasks, script = plan
    bench = Bench(*CARDS).begin(*tasks)
    wanted = interpret(tasks, bench.state.catalog, script, bench.state.policy)

    _carry_out(bench, {name: list(kinds) for name, kinds in script.items()}, slots, data.draw)

    ids = [task.id for task in tasks]
    done = {name: bench.state.tasks[name] for name in ids}
    dispatched = [event.task for event in bench.events if isinstance(event, TaskStarted)]
    assert {
        "status": {name: str(task.status) for name, task in done.items()},
        "outputs": {name: bench.state.outputs[name] for name in ids if name in bench.state.outputs},
        "agents": {name: task.agent for name, task in done.items() if task.status is Status.SUCCEEDED},
        "dispatches": {name: dispatched.count(name) for name in ids if name in dispatched},
    } == vars(wanted)
