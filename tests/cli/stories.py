"""Runs told message by message, without any clock, agent or model."""

from collections.abc import Sequence

from agentorch.core import inbox
from agentorch.core.advance import advance
from agentorch.core.card import AgentCard
from agentorch.core.events import Event
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.state import RunState
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify
from agentorch.runtime.why import explain

CATALOG = {
    card.name: card
    for card in (
        AgentCard(name="loader"),
        AgentCard(name="poet", repairable=True, models=2, needs_model=True),
        AgentCard(name="spare"),
        AgentCard(name="keeper", policy=Policy(approval="before")),
    )
}


class Story:
    """A run, told message by message; a second passes with each."""

    def __init__(self, *tasks: Task, planner: str | None = None, policy: Policy | None = None) -> None:
        self.state = RunState("r1", CATALOG)
        self.events: list[Event] = []
        self.at = 0.0
        verified = verify(Graph(tasks), CATALOG)
        assert not verified.errors, verified.errors
        self.tell(inbox.Begin(self.tick(), "a goal", plan=verified, planner=planner, policy=policy or Policy()))

    def tick(self) -> float:
        self.at += 1.0
        return self.at

    def tell(self, message: inbox.Message) -> None:
        self.events += advance(self.state, message)

    def start(self, task: str) -> str:
        self.tell(inbox.Admit(self.tick(), task))
        return self.state.key_of(self.state.tasks[task])

    def succeed(self, task: str, output: object = "done") -> None:
        key = self.start(task)
        self.tell(inbox.Succeed(self.tick(), key, output))

    def fail(self, task: str, kind: str = "crash", problem: str = "disk full", output: object = None) -> str:
        key = self.start(task)
        self.tell(inbox.Fail(self.tick(), key, FailureKind(kind), (problem,), output))
        return key

    def patch(self, *put: Task, drop: Sequence[str] = ()) -> None:
        replan = self.state.replan
        assert replan is not None
        self.tell(inbox.Patched(self.tick(), put, tuple(drop), None, "model", tuple(replan.tasks)))

    def why(self, task: str) -> str:
        lines = explain(self.events, task)
        assert {line.seq for line in lines} <= {event.seq for event in self.events}
        return "\n" + "".join(f"{'  ' * line.depth}#{line.seq} {line.text}\n" for line in lines)


def chain(*, agent: str = "loader", **policies: object) -> tuple[Task, ...]:
    policy = Policy(**policies) if policies else Policy()  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return (
        Task("load", agent, policy=policy),
        Task("merge", "loader", needs=("load",)),
        Task("report", "loader", needs=("merge",)),
    )
