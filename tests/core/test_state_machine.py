"""Anything may happen to a run, in any order: what must hold holds after every append, and the run ends, once."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard
from agentorch.core.crosscheck import CrossCheck
from agentorch.core.events import RunFinished
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.state import ANSWERER, FINAL, CrossCheckState, Status, TaskState
from agentorch.core.task import Task
from agentorch.core.usage import Budget, Usage
from tests.core.bench import Bench, next_ready

CARDS = (
    AgentCard(name="mender", repairable=True, models=2, fallback=("worker",), capabilities=("text",), needs_model=True),
    AgentCard(name=ANSWERER, asks_model=True),
    AgentCard(name="joiner", capabilities=("text",), policy=Policy(join="any", cancel_rest=True)),
    AgentCard(name="sender", effects="idempotent"),
    AgentCard(name="payer", effects="once"),
    AgentCard(name="shy", policy=Policy(approval="before")),
)
AGENTS = ("worker", "worker", "worker", "mender", *(card.name for card in CARDS if card.name != ANSWERER))
NAMES = [f"t{number}" for number in range(10)]
USAGE = Usage(10, 5, calls=1)
BUDGETS = (
    Budget(max_calls=3, max_depth=1, max_tasks=12),
    Budget(max_calls=6),
    Budget(max_tokens=5_000, max_money=1.0),
)
PROBLEM = Problem("budget", "time is up")


@st.composite
def _task(draw: st.DrawFn, name: str, above: list[str]) -> Task:
    needs = tuple(draw(st.lists(st.sampled_from(above), unique=True, max_size=3))) if above else ()
    settings: dict[str, Any] = {}
    if needs and draw(st.booleans()):
        settings["join"] = draw(st.sampled_from(["any", "settled", len(needs), 1]))
        settings["cancel_rest"] = draw(st.booleans())
    if draw(st.integers(0, 9)) == 0:
        settings["on_failure"] = "fail_run"
    inputs: dict[str, Any] = {f"i{place}": f"${need}" for place, need in enumerate(needs)}
    inputs["n"] = draw(st.integers(0, 2))
    if needs and draw(st.integers(0, 9)) == 0:
        inputs["part"] = f"${needs[0]}.part"
    budget = draw(st.sampled_from([None, None, None, Budget(max_calls=1, max_tasks=1)]))
    agent = draw(st.sampled_from(AGENTS))
    return Task(name, agent, inputs=inputs, needs=needs, policy=Policy(**settings), budget=budget)


class Run(RuleBasedStateMachine):
    """One run, and everything that can befall it."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(*CARDS)
        self.said: list[msg.Succeed | msg.Fail] = []
        self.keys: list[str] = []
        self.patches: list[msg.Patched] = []
        self.delegated = 0

    @initialize(data=st.data(), whole=st.booleans(), planner=st.booleans(), person=st.booleans(), small=st.booleans())
    def begin(self, data: st.DataObject, whole: bool, planner: bool, person: bool, small: bool) -> None:
        tasks: list[Task] = []
        for name in NAMES[: data.draw(st.integers(1, 7))] if whole else ():
            tasks.append(data.draw(_task(name, [task.id for task in tasks])))
        policy = Policy(replans=data.draw(st.integers(0, 2)))
        budget = data.draw(st.sampled_from(BUDGETS)) if small else Budget()
        checks = [CrossCheck(f"{one}-{two}", (one, two), one) for one, two in (("t0", "t1"), ("t2", "shy"))]
        planned: dict[str, Any] = {
            "checks": tuple(checks[: data.draw(st.integers(0, 2))]),
            "planner": "model" if planner or not whole else None,
            "person": person,
            "budget": budget,
        }
        self.bench.begin(*tasks, policy=policy, **planned)

    # What there is

    @property
    def state(self):  # the state of the run
        return self.bench.state

    def running(self) -> list[TaskState]:
        return self.bench.of(Status.RUNNING)

    def waiting(self) -> list[str]:
        return [task.task.id for task in self.bench.of(Status.WAITING) if task.waiting == "timer"]

    def planning(self) -> bool:
        return not self.state.finished and not self.state.complete

    # What the shell and the workers do

    @precondition(lambda self: self.state.ready_count and self.state.stopped is None)
    @rule(times=st.integers(1, 4))
    def admit(self, times: int) -> None:
        for _ in range(times):
            best = next_ready(self.state)
            if best is not None and not self.state.finished:
                self.keys.append(self.bench.key(best))
                self.bench.admit(best)

    @precondition(lambda self: self.running())
    @rule(data=st.data(), usage=st.sampled_from([None, USAGE]))
    def succeed(self, data: st.DataObject, usage: Usage | None) -> None:
        one = data.draw(st.sampled_from(self.running()))
        output = data.draw(st.sampled_from(["a", {"part": 1}]))
        self._say(msg.Succeed(self.bench.now, self.state.key_of(one), output, usage))

    @precondition(lambda self: self.running())
    @rule(data=st.data(), kind=st.sampled_from(FailureKind), usage=st.sampled_from([None, USAGE]))
    def fail(self, data: st.DataObject, kind: FailureKind, usage: Usage | None) -> None:
        one = data.draw(st.sampled_from(self.running()))
        wait = data.draw(st.sampled_from([None, 5.0]))
        self._say(msg.Fail(self.bench.now, self.state.key_of(one), kind, ("no",), "bad", usage, wait))

    @precondition(lambda self: self.running())
    @rule(data=st.data(), times=st.integers(1, 5))
    def give_up(self, data: st.DataObject, times: int) -> None:
        name = data.draw(st.sampled_from(self.running())).task.id
        for _ in range(times):
            task = self.state.tasks.get(name)
            if task is not None and task.status is Status.RUNNING:
                self._say(msg.Fail(self.bench.now, self.state.key_of(task), FailureKind.PERMANENT, ("no",)))

    def asked(self) -> list[CrossCheckState]:
        return [check for check in self.state.checks.values() if check.status == "asked" and not self.state.finished]

    @precondition(lambda self: self.asked())
    @rule(
        data=st.data(), problems=st.sampled_from([(), ("no",), ("never",)]), broken=st.booleans(), stale=st.booleans()
    )
    def check(self, data: st.DataObject, problems: tuple[str, ...], broken: bool, stale: bool) -> None:
        one = data.draw(st.sampled_from(self.asked()))
        self.bench.send(msg.Checked(self.bench.now, one.spec.name, one.number - stale, problems, broken))

    def _say(self, message: msg.Succeed | msg.Fail) -> None:
        self.said.append(message)
        self.bench.send(message)

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        before = self.state.spent
        self.bench.send(data.draw(st.sampled_from(self.said)))
        assert self.state.spent in (before, before + USAGE)

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def deliver_late(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.keys))
        if key not in self.state.pending:
            before = self.bench.statuses
            self.bench.send(msg.Succeed(self.bench.now, key, "late", USAGE))
            assert self.bench.statuses == before

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), seconds=st.floats(0, 400))
    def ripen(self, data: st.DataObject, seconds: float) -> None:
        self.bench.now += seconds
        self.bench.ripe(data.draw(st.sampled_from(self.waiting())))

    @precondition(lambda self: self.running())
    @rule(data=st.data(), agent=st.sampled_from(AGENTS), old=st.booleans())
    def delegate(self, data: st.DataObject, agent: str, old: bool) -> None:
        caller = data.draw(st.sampled_from(self.running()))
        self.delegated += not old
        name = f"{caller.task.id}.{self.delegated}"
        self.bench.send(msg.Delegate(self.bench.now, self.state.key_of(caller), name, agent, {"x": 1}))

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def ask(self, data: st.DataObject) -> None:
        key = self.state.key_of(data.draw(st.sampled_from(self.running())))
        self.bench.send(msg.Ask(self.bench.now, key, f"question:{key.replace('/', ':')}", "which?", {}))

    @precondition(lambda self: self.running())
    @rule(data=st.data(), planner=st.booleans(), tokens=st.integers(0, 3_000))
    def call_model(self, data: st.DataObject, planner: bool, tokens: int) -> None:
        key = None if planner else self.state.key_of(data.draw(st.sampled_from(self.running())))
        reserved = Usage(tokens, calls=1)
        self.bench.send(msg.CallModel(self.bench.now, f"c{self.state.seq}", reserved, reserved, key))

    @precondition(lambda self: self.state.calls)
    @rule(data=st.data(), step=st.booleans(), usage=st.sampled_from([Usage(), USAGE]))
    def settle_call(self, data: st.DataObject, step: bool, usage: Usage) -> None:
        call = data.draw(st.sampled_from([*self.state.calls]))
        if step and self.keys:
            key = data.draw(st.sampled_from(self.keys))
            self.bench.send(msg.FinishStep(self.bench.now, key, call, "model", "said", USAGE, call))
        else:
            self.bench.send(msg.Spend(self.bench.now, "a call", usage, call))

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def report(self, data: st.DataObject) -> None:
        key = self.state.key_of(data.draw(st.sampled_from(self.running())))
        self.bench.send(msg.Report(self.bench.now, key, "half"))

    # What people do

    @precondition(lambda self: self.state.requests)
    @rule(data=st.data(), value=st.sampled_from([True, False, "retry", "fail", {"output": 7}]))
    def answer(self, data: st.DataObject, value: Any) -> None:
        self.bench.send(msg.Answer(self.bench.now, data.draw(st.sampled_from([*self.state.requests])), value, "ann"))

    @rule(chance=st.integers(0, 11))
    def end(self, chance: int) -> None:
        ends = {
            0: msg.Cancel(self.bench.now, "ann"),
            1: msg.Abort(self.bench.now, PROBLEM),
            2: msg.Stop(self.bench.now, PROBLEM),
            3: msg.Spend(self.bench.now, "planning", USAGE),
        }
        if chance in ends:
            self.bench.send(ends[chance])

    @precondition(lambda self: self.state.stopped is not None)
    @rule()
    def adopt(self) -> None:
        self.bench.send(msg.Adopt(self.bench.now, "me"))

    # What planners do

    @precondition(lambda self: self.planning())
    @rule(data=st.data())
    def propose(self, data: st.DataObject) -> None:
        known = [name for name, task in self.state.tasks.items() if task.caller is None]
        new = data.draw(_task(f"t{len(known)}", known))
        self.bench.send(msg.Propose(self.bench.now, (new,), "model"))

    @precondition(lambda self: self.planning() and self.state.tasks)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        known = [task.task for task in self.state.tasks.values() if task.caller is None]
        new = data.draw(_task(f"t{len(known)}", [task.id for task in known]))
        self.bench.send(msg.Complete(self.bench.now, (*known, new), None, "model"))

    @precondition(lambda self: self.planning() and self.state.tasks)
    @rule(data=st.data())
    def another_planner_completes(self, data: st.DataObject) -> None:
        """Of what was accepted it knows some, and means something else by other ids."""
        written: list[Task] = []
        for task in [task.task for task in self.state.tasks.values() if task.caller is None]:
            fate = data.draw(st.sampled_from(["known", "other", "unknown"]))
            if fate != "unknown":
                other = data.draw(_task(task.id, [task.id for task in written]))
                written.append(task if fate == "known" else other)
        written.append(data.draw(_task("last", [task.id for task in written])))
        self.bench.send(msg.Complete(self.bench.now, tuple(written), None, "rules"))

    @precondition(lambda self: self.planning())
    @rule(chance=st.integers(0, 9))
    def planning_fails(self, chance: int) -> None:
        if chance == 0:
            self.bench.send(msg.PlanningFailed(self.bench.now, (PROBLEM,), "planners"))

    @precondition(lambda self: self.state.replan is not None)
    @rule(data=st.data())
    def patch(self, data: st.DataObject) -> None:
        replan = self.state.replan
        assert replan is not None
        plan = [name for name, task in self.state.tasks.items() if task.caller is None]
        put: list[Task] = []
        for _ in range(data.draw(st.integers(0, 3))):
            name = data.draw(st.sampled_from([*plan, *NAMES]))
            if name not in {task.id for task in put}:
                above = plan[: plan.index(name)] if name in plan else [one for one in plan if one not in replan.tasks]
                known = self.state.tasks.get(name)
                same = known is not None and data.draw(st.booleans())
                put.append(known.task if known is not None and same else data.draw(_task(name, above)))
        drop = data.draw(st.lists(st.sampled_from(plan), max_size=1))
        patch = msg.Patched(self.bench.now, tuple(put), tuple(drop), None, "model", replan.asked)
        self.patches.append(patch)
        self.bench.send(patch)

    @precondition(lambda self: self.patches)
    @rule(data=st.data())
    def patch_again(self, data: st.DataObject) -> None:
        self.bench.send(data.draw(st.sampled_from(self.patches)))

    @precondition(lambda self: self.state.replan is not None)
    @rule()
    def patch_fails(self) -> None:
        self.bench.send(msg.PatchFailed(self.bench.now, (PROBLEM,), "planners"))

    # How it ends

    def teardown(self) -> None:
        if not self.bench.events:
            return
        self.bench.run_out()
        for message in self.said:
            self.bench.send(message)
        assert sum(isinstance(event, RunFinished) for event in self.bench.events) == 1
        assert all(task.status in FINAL for task in self.state.tasks.values())
        assert not self.state.pending


Run.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestRun = Run.TestCase
