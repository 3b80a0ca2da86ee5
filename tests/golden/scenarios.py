"""Runs in which every type of event happens, decided by the core from messages at fixed times."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from agentorch.core import inbox as msg
from agentorch.core.advance import advance
from agentorch.core.card import AgentCard
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.events import Event, RunForked
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.state import RunState
from agentorch.core.task import Graph, Task
from agentorch.core.usage import Budget, Usage
from agentorch.core.verifier import verify

WHATEVER = {"type": "object"}
TRIMMED = b'"the whole of an input that was trimmed"'
CARDS: dict[str, AgentCard] = {
    card.name: card
    for card in (
        AgentCard(name="writer", input=WHATEVER),
        AgentCard(name="asker", input=WHATEVER),
        AgentCard(name="checked", input=WHATEVER, policy=Policy(approval="before")),
        AgentCard(name="spare", input=WHATEVER),
        AgentCard(name="thinker", input=WHATEVER, needs_model=True, asks_model=True),
    )
}
USED = Usage(10, 5, calls=1, money=0.25)


class Told:
    """A run that is told messages; its events are kept."""

    def __init__(self, name: str) -> None:
        self.state = RunState(name, CARDS)
        self.events: list[Event] = []
        self._clock = 1_000.0

    @property
    def at(self) -> float:
        """The next time."""
        self._clock += 1.0
        return self._clock

    def tell(self, make: Callable[[float], msg.Message]) -> None:
        """Decide on a message."""
        self.events += advance(self.state, make(self.at))

    def begin(self, *tasks: Task, **options: Any) -> None:
        """Start with a plan made by hand."""
        verified = verify(Graph(tasks), CARDS, inputs=options.get("inputs", {}))
        assert not verified.errors, verified.errors
        self.tell(lambda at: msg.Begin(at, "a goal", plan=verified, owner="one", release="0", **options))

    def admit(self, task: str) -> str:
        """Start a task; return its key."""
        self.tell(lambda at: msg.Admit(at, task))
        return self.state.key_of(self.state.tasks[task])

    def succeed(self, task: str, output: Any = "done") -> None:
        """Start a task and finish it."""
        key = self.admit(task)
        self.tell(lambda at: msg.Succeed(at, key, output, USED, ("a:1",)))

    def fail(self, task: str, kind: FailureKind = FailureKind.CRASH) -> None:
        """Start a task that fails."""
        key = self.admit(task)
        self.tell(lambda at: msg.Fail(at, key, kind, ("it broke",), output={"half": 1}))


def steps_and_effects() -> Told:
    """Steps, reports, a trimmed input, effects done and voided, a delegated task, a question, use that came late."""
    run = Told("golden-steps")
    run.begin(Task("a", "asker"), Task("b", "writer", inputs={"x": "$a"}), tags={"t": "v"}, person=True)
    key = run.admit("a")
    run.tell(lambda at: msg.Report(at, key, "half-way"))
    run.tell(lambda at: msg.Trim(at, key, "x", 100, 10, sha256(TRIMMED).hexdigest()))
    run.tell(lambda at: msg.FinishStep(at, key, "model:1:1", "model", {"text": "x"}, USED))
    run.tell(lambda at: msg.Intend(at, key, f"{run.state.run_id}/a/send/digest-1", "send", "digest"))
    run.tell(lambda at: msg.Confirm(at, f"{run.state.run_id}/a/send/digest-1", "sent", "tool"))
    run.tell(lambda at: msg.Intend(at, key, f"{run.state.run_id}/a/send/2", "send", "digest"))
    run.tell(lambda at: msg.Void(at, f"{run.state.run_id}/a/send/2", "probe"))
    run.tell(lambda at: msg.Ask(at, key, "question:1", "go on?", {"type": "string"}))
    run.tell(lambda at: msg.GoOn(at, key))
    run.tell(lambda at: msg.Answer(at, "question:1", "yes", "somebody"))
    run.tell(lambda at: msg.Delegate(at, key, "a.1.writer-1", "writer", {"x": 1}))
    run.succeed("a.1.writer-1")
    run.tell(lambda at: msg.Succeed(at, key, {"k": [1, None]}, USED))
    run.tell(lambda at: msg.Succeed(at, key, "again", USED))
    run.tell(lambda at: msg.Stop(at, Problem("stopped", "a wrong key")))
    run.tell(lambda at: msg.Adopt(at, "two"))
    run.tell(lambda at: msg.Spend(at, "left behind", USED))
    run.succeed("b")
    return run


def ladder_and_patch() -> Told:
    """A plan that is written bit by bit, retries, giving up, a patch that keeps work, a patch that cannot be made."""
    run = Told("golden-patch")
    policy = Policy(attempts=2, replans=2)
    run.tell(lambda at: msg.Begin(at, "a goal", planner="model", policy=policy, owner="one", release="0"))
    first, second, third = (
        Task("a", "writer"),
        Task("b", "writer", inputs={"x": "$a"}),
        Task("c", "writer", needs=("a",)),
    )
    run.tell(lambda at: msg.Note(at, ("a note",), "model"))
    run.tell(lambda at: msg.Propose(at, (Task("z", "nobody"),), "model"))
    run.tell(lambda at: msg.Propose(at, (first,), "model"))
    run.tell(lambda at: msg.Complete(at, (first, second, third), "$b", "model"))
    run.succeed("a", {"k": 1})
    run.succeed("c")
    run.fail("b")
    run.fail("b")
    put = (Task("a", "spare"), Task("b", "spare", inputs={"x": "$a.k"}))
    run.tell(lambda at: msg.Patched(at, put, (), None, "model", ("b",)))
    run.succeed("a", {"k": 1})
    run.admit("c")
    run.fail("b")
    run.fail("b")
    run.tell(lambda at: msg.PatchFailed(at, (Problem("x", "no idea"),), "model"))
    return run


def approval_and_cancel() -> Told:
    """Somebody agrees to a task, and stops the run while it runs."""
    run = Told("golden-cancel")
    run.begin(Task("a", "checked"), Task("b", "writer"), person=True)
    run.tell(lambda at: msg.Admit(at, "a"))
    run.tell(lambda at: msg.Answer(at, "approve:a:1:1:checked", True, "somebody"))
    run.admit("a")
    run.admit("b")
    run.tell(lambda at: msg.Cancel(at, "somebody", "enough"))
    return run


def abort() -> Told:
    """No plan can be made, and something that was begun does not end."""
    run = Told("golden-abort")
    run.tell(lambda at: msg.Begin(at, "a goal", planner="model", owner="one", release="0"))
    run.tell(lambda at: msg.PlanningFailed(at, (Problem("E_EMPTY", "no plan"),), "model"))
    run.tell(lambda at: msg.Abandon(at, Problem("W_RUNS_ON", "on_request could not be stopped")))
    return run


def fork() -> Told:
    """A run that begins with what another one has done, and another output."""
    parent = ladder_and_patch()
    events = tuple(parent.events[:11])
    run = Told("golden-fork")
    run.tell(
        lambda at: msg.Fork(at, parent.state.run_id, len(events), events, "two", outputs={"a": {"k": 2}}, release="0")
    )
    assert any(isinstance(event, RunForked) for event in run.events)
    run.succeed("b")
    run.succeed("c")
    return run


def budget() -> Told:
    """A model call is counted when it is made, and a task waits until what is set aside for another comes back."""
    run = Told("golden-budget")
    run.begin(Task("a", "thinker"), Task("b", "thinker"), budget=Budget(max_calls=1))
    key = run.admit("a")
    run.tell(lambda at: msg.Admit(at, "b"))
    run.tell(lambda at: msg.CallModel(at, "call-1", USED, Usage(calls=1), key))
    run.tell(lambda at: msg.FinishStep(at, key, "model:1:1", "model", {"text": "x"}, USED, "call-1"))
    run.tell(lambda at: msg.Succeed(at, key, "done"))
    return run


def checks() -> Told:
    """Two outputs are held against each other."""
    run = Told("golden-checks")
    check = CrossCheck("agree", ("a", "b"), "b")
    run.begin(Task("a", "writer"), Task("b", "writer"), checks=(check,))
    run.succeed("a")
    run.succeed("b")
    run.tell(lambda at: msg.Checked(at, "agree", 1))
    return run


SCENARIOS: tuple[Callable[[], Told], ...] = (
    steps_and_effects, ladder_and_patch, approval_and_cancel, abort, fork, budget, checks,
)  # fmt: skip


def runs() -> Iterator[Told]:
    """Go through the runs."""
    for scenario in SCENARIOS:
        yield scenario()
