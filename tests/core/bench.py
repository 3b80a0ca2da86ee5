"""A bench to run the core on: every message is decided on, checked and replayed through the journal's bytes."""

from collections.abc import Container, Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core import scheduling
from agentorch.core.advance import advance
from agentorch.core.apply import apply
from agentorch.core.card import AgentCard
from agentorch.core.commands import Command
from agentorch.core.failures import FailureKind
from agentorch.core.invariants import Ended, check
from agentorch.core.planned import plan_of
from agentorch.core.policy import DEFAULT, Policy
from agentorch.core.scheduling import ripen
from agentorch.core.speckey import spec_key
from agentorch.core.state import ANSWERER, RunState, Status, TaskState
from agentorch.core.task import UNSET, Graph, Task
from agentorch.core.transitions import Standing, check_moves, run_state, standing
from agentorch.core.usage import Usage
from agentorch.core.verifier import verify
from agentorch.testing.snapshot import snapshot

AFTER_THE_END = ev.OutcomeLate | ev.EffectDone | ev.EffectVoided | ev.CallAbandoned
"""What may follow the last word."""
JOURNAL: TypeAdapter[ev.Event] = TypeAdapter(ev.AnyEvent)


def team(*cards: AgentCard) -> dict[str, AgentCard]:
    """Return a catalog: the cards, an ordinary `worker` and the answerer."""
    usual = (AgentCard(name="worker"), AgentCard(name=ANSWERER))
    return {card.name: card for card in (*usual, *cards)}


def task(id: str, *needs: str, agent: str = "worker", inputs: dict[str, Any] | None = None, **policy: Any) -> Task:
    """Return a task with explicit needs and its own policy."""
    return Task(id, agent, inputs=inputs or {}, needs=needs, policy=Policy(**policy) if policy else UNSET)


def next_ready(state: RunState, busy: Container[str] = ()) -> str | None:
    """Return the id of the task that would be admitted next."""
    task = scheduling.next_ready(state, busy)
    return None if task is None else task.task.id


class Bench:
    """One run, watched."""

    def __init__(self, *cards: AgentCard) -> None:
        self.state = RunState("run", team(*cards))
        self.twin = RunState("run", self.state.catalog)
        self.events: list[ev.Event] = []
        self.commands: list[Command] = []
        self.now = 0.0
        self.moves: set[tuple[str, str, str]] = set()
        """What was seen of the tables of transitions: "task" or "run", from, to."""
        self._ended: Ended = {}
        self._paid: dict[str, tuple[str, str]] = {}

    def begin(self, *tasks: Task, answer: str | None = None, policy: Policy = DEFAULT, **fields: Any) -> "Bench":
        """Start with a hand-made plan; without tasks, with a planner."""
        plan = verify(Graph(tasks, answer), self.state.catalog, policy=policy) if tasks else None
        assert plan is None or not plan.errors, plan.errors
        if plan is None:
            fields.setdefault("planner", "model")
        self.send(msg.Begin(self.now, "goal", plan=plan, policy=policy, **fields))
        return self

    def send(self, message: msg.Message) -> list[ev.Event]:
        """Decide on a message; everything that must hold after an append is looked at."""
        ready = {name for name, task in self.state.tasks.items() if task.status is Status.READY}
        tasks, status = standing(self.state), self.state.status
        events = advance(self.state, message)
        self.commands, self.state.gained = self.state.gained, []
        for event in events:
            apply(self.twin, JOURNAL.validate_json(JOURNAL.dump_json(event)))
            assert not isinstance(event, ev.TaskStarted) or event.task in ready
            assert not self.closed or isinstance(event, AFTER_THE_END)
            self.events.append(event)
            self._watch_payment(event)
        self._ended = check(self.state, self._ended)
        check_moves(self.state, tasks, status)
        self._watch_moves(tasks, status)
        assert snapshot(self.twin) == snapshot(self.state)
        return events

    def _watch_moves(self, tasks: Standing, status: str) -> None:
        now = standing(self.state)
        self.moves |= {("task", str(old), str(now[key])) for key, old in tasks.items() if now.get(key, old) is not old}
        if status != self.state.status:
            self.moves.add(("run", run_state(status), run_state(self.state.status)))

    @property
    def closed(self) -> bool:
        """Whether the last word was said."""
        return any(isinstance(event, ev.RunFinished) for event in self.events)

    def _watch_payment(self, event: ev.Event) -> None:
        """No accepted task whose spec and input values are unchanged runs again."""
        if isinstance(event, ev.TaskStarted):
            paid = (spec_key(self.state.tasks[event.task].task), event.inputs)
            assert self._paid.pop(event.task, None) != paid, f"{event.task} runs again"
        elif isinstance(event, ev.TaskSucceeded) and event.task in self.state.tasks:
            done = self.state.tasks[event.task]
            self._paid[event.task] = (spec_key(done.task), done.inputs)
        elif isinstance(event, ev.CheckEnded):
            self._paid.pop(event.task or "", None)  # it was rejected
        elif isinstance(event, ev.PlanPatched):
            for name in event.drop:
                self._paid.pop(name, None)

    # What the shell does

    def admit(self, name: str | None = None) -> str:
        """Admit a task, the best ready one by default; return its key, or "" when it did not start."""
        best = name or next_ready(self.state)
        assert best is not None
        self.send(msg.Admit(self.now, best))
        one = self.state.tasks[best]
        return self.state.key_of(one) if one.status is Status.RUNNING else ""

    def key(self, name: str) -> str:
        """Return the current key of a task."""
        return self.state.key_of(self.state.tasks[name])

    def succeed(self, name: str, output: Any = None, **fields: Any) -> list[ev.Event]:
        """Admit the task if it is ready, and let it succeed."""
        self._start(name)
        return self.send(msg.Succeed(self.now, self.key(name), output, **fields))

    def fail(self, name: str, kind: FailureKind = FailureKind.PERMANENT, **fields: Any) -> list[ev.Event]:
        """Admit the task if it is ready, and let it fail."""
        self._start(name)
        return self.send(msg.Fail(self.now, self.key(name), kind, ("no",), **fields))

    def _start(self, name: str) -> None:
        if self.state.tasks[name].status is Status.READY:
            self.admit(name)

    def patched(self, *put: Task, drop: Sequence[str] = (), answer: str | None = None) -> list[ev.Event]:
        """Answer the re-plan under way."""
        replan = self.state.replan
        asked = replan.asked if replan is not None else ()
        return self.send(msg.Patched(self.now, put, tuple(drop), answer, "model", asked))

    def ripe(self, name: str) -> bool:
        """Let a timer come."""
        came = ripen(self.state, name)
        self._ended = check(self.state, self._ended)
        return came

    def run_out(self) -> "Bench":
        """Let everything that is left succeed, questions be answered with no, and re-plans fail."""
        for _ in range(2000):
            if self.state.finished:
                return self
            self._step_out()
        raise AssertionError(f"the run does not end: {self.statuses}")

    def _step_out(self) -> None:
        state = self.state
        running = self.of(Status.RUNNING)
        timed = [one for one in self.of(Status.WAITING) if one.waiting == "timer"]
        if state.stopped is not None:
            self.send(msg.Adopt(self.now, "me"))
        elif checks := [check for check in state.checks.values() if check.status == "asked"]:
            self.send(msg.Checked(self.now, checks[0].spec.name, checks[0].number))
        elif state.requests:
            self.send(msg.Answer(self.now, next(iter(state.requests)), False, "ann"))
        elif state.replan is not None:
            self.send(msg.PatchFailed(self.now, (), "planners"))
        elif next_ready(state) is not None:
            self.admit()
        elif running:
            last = running[-1]
            self.send(msg.Succeed(self.now, state.key_of(last), f"{last.task.id} done"))
        elif state.calls:
            self.send(msg.Spend(self.now, "a call", Usage(calls=1), next(iter(state.calls))))
        elif timed:
            self.ripe(timed[0].task.id)
        else:
            known = tuple(plan_of(state).values()) or (task("late"),)
            self.send(msg.Complete(self.now, known, None, "rules"))

    # What there is to see

    def of(self, status: Status) -> list[TaskState]:
        """Return the tasks in a status, in plan order."""
        return [task for task in self.state.tasks.values() if task.status is status]

    @property
    def statuses(self) -> dict[str, str]:
        """The status of every task; what a waiting one waits for."""
        return {name: task.waiting or str(task.status) for name, task in self.state.tasks.items()}


def kinds(events: Iterable[ev.Event]) -> list[str]:
    """Return the types of events, with the task where there is one."""
    return [event.type + (f" {event.task}" if event.task else "") for event in events]
