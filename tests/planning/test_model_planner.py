"""The planner that asks a model: streamed, checked, repaired, and never a parser's error."""

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from agentorch.core.failures import FailureKind, Problem
from agentorch.core.task import Graph, Task
from agentorch.core.usage import Usage
from agentorch.errors import ModelError
from agentorch.planning.model_planner import ModelPlanner, PlanningFailed
from agentorch.ports.model import FinishReason, ModelRequest, ModelResponse, OnDelta
from agentorch.ports.planner import Finished, Patch, PlanReport, PlanRequest, Ruling
from agentorch.prompts import Prompts
from tests.planning.cards import TEAM

REQUEST = PlanRequest("Write about buses", TEAM, inputs={"style": "dry", "not usable": 1})


def task(id: str, agent: str, objective: str = "", **inputs: str) -> dict[str, Any]:
    pairs = [{"name": name, "value": value} for name, value in inputs.items()]
    return {"id": id, "agent": agent, "objective": objective, "inputs": pairs, "needs": []}


FIND = task("find", "researcher", topic="$goal")
WRITE = task("write", "writer", "Write it", facts="$find.facts", title="Buses")
CRITIC = task("write", "critic", "Write", text="$goal")
TASKS = (
    Task("find", "researcher", "", {"topic": "$goal"}),
    Task("write", "writer", "Write it", {"facts": "$find.facts", "title": "Buses"}, ("find",)),
)
GOOD = json.dumps({"tasks": [FIND, WRITE], "answer": "$write"})


class Model:
    """Gives scripted answers piece by piece; remembers what it was asked."""

    def __init__(self, *answers: str | Exception | ModelResponse, pause: Callable[[], None] = lambda: None) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []
        self.given = 0
        self.pause = pause

    async def __call__(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        self.prompts.append(request.messages[0].content)
        answer = self.answers.pop(0)
        text = answer.text if isinstance(answer, ModelResponse) else str(answer)
        for start in range(0, len(text), 7):
            if on_delta is not None:
                on_delta(text[start : start + 7])
            self.given += 7
            await anyio.lowlevel.checkpoint()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ModelResponse):
            return answer
        return ModelResponse(text, "stop", usage=Usage(calls=1))


class Broken(ModelError):
    """A stream that breaks after some text."""

    def __init__(self, text: str, kind: FailureKind = FailureKind.TRANSIENT) -> None:
        super().__init__(text, kind=kind)


async def no_sleep(seconds: float) -> None:
    assert seconds > 0


def planner(model: Model) -> ModelPlanner:
    return ModelPlanner(model, Prompts().render, sleep=no_sleep)


class Offers:
    """Accepts what it is offered, but for the ids it is told to refuse."""

    def __init__(self, *refused: str) -> None:
        self.tasks: list[Task] = []
        self.refused = refused

    def __call__(self, tasks: Sequence[Task]) -> Ruling:
        taken = [task for task in tasks if task.id not in self.refused]
        self.tasks.extend(taken)
        return Ruling(tuple(task.id for task in taken))

    @property
    def ids(self) -> list[str]:
        return [task.id for task in self.tasks]


def codes(report: PlanReport) -> list[list[str]]:
    return [[problem.code for problem in problems] for problems in report.rejected]


async def test_a_plan() -> None:
    """Tasks with their needs, the answer, the usage; the goal and the inputs' names are in the prompt."""
    model = Model(GOOD)
    report = await planner(model).plan(REQUEST)
    assert (report.graph.tasks, report.graph.answer, report.usage.calls) == (TASKS, "$write", 1)
    assert '<value name="goal">\nWrite about buses\n</value>' in model.prompts[0]
    assert "`$inputs.style` (str)." in model.prompts[0]


async def test_tasks_are_offered_while_the_plan_is_written() -> None:
    """The first task is out before half of the text is there."""
    offers, model = Offers(), Model(GOOD)
    when: list[tuple[str, int]] = []

    def offer(tasks: Sequence[Task]) -> Ruling:
        when.extend((task.id, model.given) for task in tasks)
        return offers(tasks)

    report = await planner(model).plan(REQUEST, offer=offer)
    assert (offers.ids, tuple(offers.tasks), report.graph.tasks) == (["find", "write"], TASKS, TASKS)
    assert when[0][1] < len(GOOD) / 2


async def test_a_task_that_comes_too_early_is_held() -> None:
    """It is offered when what it names was accepted; effects wait for the whole plan."""
    offers = Offers()
    send = task("send", "mailer", text="$write")
    text = json.dumps({"tasks": [send, WRITE, FIND], "answer": "$write"})
    report = await planner(Model(text)).plan(REQUEST, offer=offers)
    assert offers.ids == ["find", "write"]
    assert [task.id for task in report.graph.tasks] == ["find", "write", "send"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("I would rather not.", "E_SYNTAX"),
        ("", "E_EMPTY"),
        ('{"tasks": []}', "E_EMPTY"),
        ('{"thought": "none"}', "E_SCHEMA"),
        (GOOD[:-40], "E_TRUNCATED"),
        (GOOD.replace("researcher", "astrologer"), "E_UNKNOWN_AGENT"),
        (GOOD.replace("$goal", "$write"), "E_CYCLE"),
        (GOOD.replace("$find.facts", "$lost.facts"), "E_UNKNOWN_DEP"),
        (json.dumps({"tasks": [{**FIND, "id": f"t{n}"} for n in range(1000)]}), "E_LIMIT"),
    ],
)
async def test_what_is_wrong_goes_back_with_its_code(bad: str, code: str) -> None:
    """The model sees its text and the problem, and mends it."""
    model = Model(bad, GOOD)
    report = await planner(model).plan(REQUEST)
    assert (code in codes(report)[0], report.graph.tasks, code in model.prompts[1]) == (True, TASKS, True)


async def test_too_many_tasks_stop_the_reading() -> None:
    """Ten thousand tasks are not waited for."""
    text = json.dumps({"tasks": [{**FIND, "id": f"t{n}"} for n in range(10_000)]})
    model = Model(text, GOOD)
    report = await planner(model).plan(REQUEST)
    assert codes(report) == [["E_LIMIT"]]
    assert model.given < len(text) / 20


async def test_after_two_repairs_it_gives_up_in_words() -> None:
    """Every proposal's problems are kept, for the events."""
    model = Model("no", "{}", '{"tasks": []}')
    with pytest.raises(PlanningFailed) as raised:
        await planner(model).plan(REQUEST)
    assert str(raised.value) == "the model wrote no plan that can be used, 3 times asked: E_EMPTY"
    assert codes(raised.value.report) == [["E_SYNTAX"], ["E_SCHEMA"], ["E_EMPTY"]]
    assert [problem.code for problem in raised.value.problems] == ["E_EMPTY"]


async def test_what_was_accepted_stays_through_a_repair() -> None:
    """It is shown as frozen, and the repaired plan adds to it."""
    offers = Offers()
    cut = json.dumps({"tasks": [FIND, WRITE]})[:-30]
    model = Model(cut, json.dumps({"tasks": [FIND, WRITE], "answer": "write"}))
    report = await planner(model).plan(REQUEST, offer=offers)
    assert (offers.ids, report.graph.tasks, report.graph.answer) == (["find", "write"], TASKS, "$write")
    assert "accepted tasks" in model.prompts[1]


async def test_a_refused_offer_is_part_of_the_whole_later() -> None:
    """What the run does not take early is in the whole plan."""
    report = await planner(Model(GOOD)).plan(REQUEST, offer=Offers("find", "write"))
    assert report.graph.tasks == TASKS


async def test_a_broken_stream_is_continued_from_what_was_accepted() -> None:
    """Not a repair: the accepted tasks are frozen, the rest is asked for."""
    offers = Offers()
    model = Model(Broken(GOOD[: GOOD.index('"write"')]), json.dumps({"tasks": [WRITE], "answer": "$write"}))
    said: list[str] = []
    report = await planner(model).plan(replace(REQUEST, note=said.append), offer=offers)
    assert (report.graph.tasks, report.rejected, offers.ids) == (TASKS, [], ["find", "write"])
    assert "accepted tasks" in model.prompts[1]
    assert [line.startswith("the planner's answer broke off") for line in said] == [True]


@pytest.mark.parametrize(("wait", "asked"), [(90.0, 2), (86_400.0, 1)])
async def test_a_short_wait_is_said_and_kept_to_and_a_long_one_ends_it(wait: float, asked: int) -> None:
    """What the provider asks for is told before it is waited for; a model that stays away for long is given up."""
    model = Model(ModelError("429", kind=FailureKind.TRANSIENT, retry_after=wait), GOOD)
    said: list[str] = []
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        assert any(f"in {seconds:g} s" in line for line in said)
        slept.append(seconds)

    ask = ModelPlanner(model, Prompts().render, sleep=sleep)
    with pytest.raises(PlanningFailed, match="429") if asked == 1 else nullcontext():
        await ask.plan(replace(REQUEST, note=said.append))
    assert (len(model.prompts), slept) == (asked, [wait] * (asked - 1))


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([Broken("a")] * 3, "transient"),
        ([Broken("a", FailureKind.PERMANENT)], "permanent"),
        ([ModelResponse("", "refusal", refusal="no")], "refused"),
        ([ModelResponse("", "content_filter")], "refused"),
    ],
)
async def test_a_model_that_cannot_be_asked(answers: list[Any], code: str) -> None:
    """It ends in a planning failure of that kind, so that the rules take over; for plans and for patches."""
    for ask in (planner(Model(*answers)).plan, planner(Model(*answers)).patch):
        with pytest.raises(PlanningFailed) as raised:
            await ask(REQUEST)
        assert [problem.code for problem in raised.value.problems] == [code]


async def test_a_wrong_key_is_the_runs_to_stop_at() -> None:
    """No other planner would help."""
    with pytest.raises(ModelError, match="401"):
        await planner(Model(Broken("401", FailureKind.UNCONFIGURED))).plan(REQUEST)


async def test_a_model_that_does_not_stream() -> None:
    """The whole text is read at once."""
    finish: FinishReason = "stop"
    offers = Offers()

    async def complete(request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        del request, on_delta
        return ModelResponse(GOOD, finish)

    await ModelPlanner(complete, Prompts().render).plan(REQUEST, offer=offers)
    assert offers.ids == ["find", "write"]


FAILED = Problem("crash", "the writer crashed", "write")
RUNNING = PlanRequest(
    "Write about buses",
    TEAM,
    tasks=(Finished(TASKS[0], "succeeded", frozen=True, output="facts"), Finished(TASKS[1], "waiting", frozen=False)),
    failed=(FAILED,),
    tried={"write": frozenset({"writer"})},
)


async def test_a_patch() -> None:
    """Tasks to put and to drop, checked against the plan that they lead to."""
    model = Model(json.dumps({"put": [{**CRITIC, "id": "judge"}], "drop": ["write", "nothing"], "answer": "$judge"}))
    report = await planner(model).patch(RUNNING)
    assert report.patch.put == (Task("judge", "critic", "Write", {"text": "$goal"}),)
    assert (report.patch.drop, report.patch.answer) == (("write",), "$judge")
    assert "the writer crashed" in model.prompts[0]
    assert '"writer"' in model.prompts[0]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("hm", "E_SYNTAX"),
        ('{"put": [], "drop": []}', "E_EMPTY"),
        (json.dumps({"put": [{**FIND, "agent": "critic"}]}), "E_PATCH"),
        ('{"put": [], "drop": ["find"]}', "E_PATCH"),
        (json.dumps({"put": [{**CRITIC, "needs": ["gone"]}]}), "E_UNKNOWN_DEP"),
    ],
)
async def test_a_bad_patch_goes_back(bad: str, code: str) -> None:
    """What is running or done cannot be changed; a patch must change something."""
    model = Model(bad, json.dumps({"put": [CRITIC]}))
    report = await planner(model).patch(RUNNING)
    assert (code in codes(report)[0], [task.agent for task in report.patch.put]) == (True, ["critic"])
    assert "Your change of a running plan was rejected." in model.prompts[1]


async def test_a_patch_may_repeat_what_is_done_as_it_is() -> None:
    """It is no change: what really changes is the patch, also when the whole plan is written again."""
    model = Model(json.dumps({"put": [FIND, CRITIC]}), json.dumps({"tasks": [FIND, CRITIC]}))
    for _ in range(2):
        report = await planner(model).patch(RUNNING)
        assert ([task.id for task in report.patch.put], report.rejected) == (["write"], [])


async def test_what_failed_may_not_come_back_as_it_was() -> None:
    """The run, which knows what it has had, is asked; its words go to the model as those of any check do."""
    asked: list[Graph | Patch] = []

    def check(proposal: Graph | Patch) -> tuple[Problem, ...]:
        asked.append(proposal)
        return (Problem("E_PATCH", "seen before", remedy="change it"),) if len(asked) == 1 else ()

    model = Model(json.dumps({"put": [WRITE]}), json.dumps({"put": [CRITIC]}))
    report = await planner(model).patch(replace(RUNNING, check=check))
    assert asked == [Patch((TASKS[1],)), report.patch]
    assert (codes(report), "seen before (change it)" in model.prompts[1]) == ([["E_PATCH"]], True)


async def test_a_plan_that_the_run_would_refuse_goes_back() -> None:
    """Prices, for example, are the run's to know."""

    def check(proposal: Graph | Patch) -> tuple[Problem, ...]:
        assert isinstance(proposal, Graph)
        priced = any(task.agent == "writer" for task in proposal.tasks)
        return () if priced else (Problem("E_BUDGET", "no price is known", proposal.tasks[0].id),)

    report = await planner(Model(json.dumps({"tasks": [CRITIC]}), GOOD)).plan(replace(REQUEST, check=check))
    assert (codes(report), report.graph.tasks) == ([["E_BUDGET"]], TASKS)


async def test_a_patch_that_never_comes_right() -> None:
    """As for a plan."""
    with pytest.raises(PlanningFailed, match="E_SYNTAX"):
        await planner(Model("a", "b", "c")).patch(RUNNING)


async def test_a_transient_failure_of_a_patch_is_asked_again() -> None:
    """The same question."""
    report = await planner(Model(Broken("x"), json.dumps({"put": [CRITIC]}))).patch(RUNNING)
    assert len(report.patch.put) == 1


async def test_a_plan_that_counts_is_read_as_a_whole() -> None:
    """Numbers for ids end the early taking: what they mean shows at the end."""
    offers = Offers()
    text = json.dumps({"tasks": [{**FIND, "id": 1}, {**WRITE, "id": 2, "inputs": ["<node-1>", "Buses"]}]})
    report = await planner(Model(text.replace("<node-1>", "$1.facts"))).plan(REQUEST, offer=offers)
    assert (offers.ids, [task.id for task in report.graph.tasks], report.graph.answer) == ([], ["t1", "t2"], "$t2")


async def test_a_task_with_errors_is_not_offered() -> None:
    """What depends on it waits for the repair."""
    offers = Offers()
    wrong = json.dumps({"tasks": [{**FIND, "inputs": [{"name": "topic", "value": ["a"]}]}, WRITE]})
    report = await planner(Model(wrong, GOOD)).plan(REQUEST, offer=offers)
    assert (codes(report), offers.ids, report.graph.tasks) == ([["E_ARGS"]], ["find", "write"], TASKS)


async def test_a_list_that_is_too_long_without_a_key_that_streams() -> None:
    """The limit holds for forms that only the whole reading understands."""
    many = json.dumps({"tasks": {f"t{n}": {"agent": "critic", "inputs": {"text": "x"}} for n in range(200)}})
    report = await planner(Model(many, GOOD)).plan(REQUEST)
    assert (codes(report), report.graph.tasks) == ([["E_LIMIT"]], TASKS)
