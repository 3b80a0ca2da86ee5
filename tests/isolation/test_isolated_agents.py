"""Agents with `isolate=True`: their own process, the same context, and an end that is certain."""

import json
import logging
import os
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from agentorch import Budget, Orchestrator, Outcome, Plan, Policy
from agentorch.errors import EffectNotDone
from agentorch.events import AttemptFailed, EffectDone, StepFinished, TaskReported
from agentorch.isolation import Child
from agentorch.ports.model import ToolCall
from agentorch.runtime.isolated import _Conversation
from agentorch.testing import Reply, ScriptedModel
from agentorch.threads import MOST

TEAM = str(Path(__file__).parent / "team.py")
ONCE = Policy(replans=0)


def plan_of(agent: str, **inputs: Any) -> Plan:
    """Return a plan of one task."""
    plan = Plan(agent)
    plan.add("one", agent=agent, inputs=inputs)
    return plan


def agree(request: object) -> bool:
    """Say yes."""
    del request
    return True


async def carried_out(agent: str, **inputs: Any) -> Outcome:
    """Return the outcome of one task."""
    async with Orchestrator([TEAM]) as orchestrator:
        return await orchestrator.run(plan_of(agent, **inputs), policy=ONCE)


async def begun(file: Path) -> list[int]:
    """Wait until the stubborn agent is at work; return its processes."""
    while not (found := processes_in(file)):  # noqa: ASYNC110  # another process is no event
        await anyio.sleep(0.01)
    return found


def processes_in(file: Path) -> list[int]:
    """Return the processes that a file names, if it is there."""
    return [int(process) for process in file.read_text(encoding="utf-8").split()] if file.exists() else []


async def gone(process: int) -> None:
    """Wait until a process has ended."""
    while state_of(process) not in "ZX":  # noqa: ASYNC110  # as above
        await anyio.sleep(0.01)


def state_of(process: int) -> str:
    """Return how a process stands: Z is ended and not waited for, X is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"


async def test_each_dispatch_has_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of one task is seen by the next; no provider's key, no standard input; the output is in its type."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-children")
    plan = Plan("where")
    for name in ("a", "b", "c"):
        plan.add(name, agent="where", inputs={"word": name})
    async with Orchestrator([TEAM]) as orchestrator:
        outcome = await orchestrator.run(plan)

    found = [outcome.outputs[name] for name in ("a", "b", "c")]
    assert [(one.seen, one.key, one.stdin) for one in found] == [([name], False, "") for name in ("a", "b", "c")]
    assert len({os.getpid(), *(one.process for one in found)}) == 4


@pytest.mark.parametrize("agent", ["counting_here", "counting_there"])
async def test_its_budget_is_what_is_left_now(agent: str) -> None:
    """As in process: a call that it has made is gone from it."""
    async with Orchestrator([TEAM], model=ScriptedModel("Well.")) as orchestrator:
        outcome = await orchestrator.run(plan_of(agent), budget=Budget(max_calls=5))
    assert outcome.answer == [5, 4, 4]


async def test_a_plain_function_runs_in_a_thread_there() -> None:
    """As it does in process; the task is given."""
    assert (await carried_out("double", numbers=[1, 2])).answer == [2, 4, 3]


async def test_all_of_the_context_works_there_and_is_journaled_here(tmp_path: Path) -> None:
    """The tool and the step run in the child; their receipts, results and use stand in the journal."""
    model = ScriptedModel(
        [Reply(tool_calls=[ToolCall("1", "look", '{"what": "the sky"}')]), Reply("It is blue."), Reply("7")]
    )
    async with Orchestrator([TEAM], model=model, planner="rules", on_request=agree) as orchestrator:
        run = await orchestrator.submit(plan_of("busy", folder=str(tmp_path)), policy=ONCE)
        events = [event async for event in run]
        outcome = await run.outcome()

    steps = [event.name for event in events if isinstance(event, StepFinished) and event.task == "one"]
    reports = [event.text for event in events if isinstance(event, TaskReported)]
    effects = [event.effect for event in events if isinstance(event, EffectDone)]
    assert outcome.status == "succeeded", outcome.problems
    assert outcome.answer == {
        "model": "It is blue.", "number": 7, "paid": True, "step": [0, 1, 2], "call": [2, len(outcome_child(events))],
        "asked": True, "read": "kept", "facts": [1, True, None], "key": "one",
    }  # fmt: skip
    assert steps == ["model", "look", "model", "model", "pay", "count"]
    (key,) = effects
    assert key.startswith(f"{run.id}/one/pay/")
    assert reports == [f"paying 3 as {key}"]
    assert outcome.usage.calls == 3
    assert model.requests[1].messages[-1].content.find("the sky is blue") >= 0


def outcome_child(events: list[Any]) -> str:
    """Return the id of the delegated task."""
    return next(event.task for event in events if event.type == "TaskDelegated")


async def test_what_a_step_calls_there_is_inside_the_step(tmp_path: Path) -> None:
    """Read back with it: the body's own equal call is made."""
    outcome = await carried_out("two_entries", folder=str(tmp_path))
    assert outcome.answer == [1, 2]
    assert len(set((tmp_path / "book").read_text(encoding="utf-8").splitlines())) == 2


async def test_the_context_works_from_a_thread_there() -> None:
    """`anyio.from_thread.run`, as in process."""
    async with Orchestrator([TEAM], model=ScriptedModel("well"), planner="rules") as orchestrator:
        assert (await orchestrator.run(plan_of("threaded"))).answer == "well"


async def test_plain_tools_that_use_tools_wait_for_no_place_of_their_own() -> None:
    """As in process, however many do so at once: each tool is called in the context of whoever has called it."""
    async with Orchestrator([TEAM]) as orchestrator:
        outcome = await orchestrator.run(plan_of("crowd"), policy=ONCE, timeout=20)
    assert outcome.answer == ["the crowd"] * MOST


async def test_what_goes_wrong_at_once_there_is_classified_by_the_worst() -> None:
    """As in process: an exception group crosses with its members."""
    problems = (await carried_out("torn")).problems
    assert [(one.code, one.message) for one in problems] == [("budget", "all is used; ValueError: no such number")]


async def test_what_the_context_raises_is_raised_there_as_what_it_is() -> None:
    """The agent may catch it."""
    model = ScriptedModel(Reply(refusal="no"))
    async with Orchestrator([TEAM], model=model, planner="rules") as orchestrator:
        assert str((await orchestrator.run(plan_of("declined"))).answer).startswith("refused: ")


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("value", "crash", "ValueError: no such number"),
        ("permanent", "permanent", "never"),
        ("exit", "crash", "SystemExit: 3"),
        ("leave", "crash", "its process ended with exit code 3 before it gave an output; its last line: about to"),
        ("crash", "crash", "its process was killed (SIGABRT)"),
        ("type", "invalid", "valid integer"),
    ],
)
async def test_how_it_fails_is_said_in_words(how: str, kind: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    """An exception is classified as in process; the end of a process is told with its code or signal."""
    with caplog.at_level(logging.INFO, "agentorch.isolation"):
        async with Orchestrator([TEAM]) as orchestrator:
            run = await orchestrator.submit(plan_of("failing", how=how), policy=Policy(replans=0, repairs=0))
            failed = [event async for event in run if isinstance(event, AttemptFailed)]

    assert [event.kind for event in failed] == [kind]
    assert words in failed[0].problems[0]
    assert f"about to fail by {how}" in caplog.text


async def test_it_may_take_so_much_memory_and_no_more() -> None:
    """Within its limit it is let be; beyond it the problem names the limit."""
    fed = await carried_out("hungry", megabytes=50)
    starved = await carried_out("hungry", megabytes=200)

    assert fed.answer == 50_000_000
    assert starved.problems[0].message.startswith("it was ended: it needed more than 100 MB of memory")


@pytest.mark.parametrize("hold_loop", [True, False])
async def test_a_cancel_kills_it(tmp_path: Path, hold_loop: bool) -> None:
    """A body that swallows everything, or holds its event loop, ends at once, and so does what it has started."""
    file = tmp_path / "pids"
    async with Orchestrator([TEAM]) as orchestrator:
        run = await orchestrator.submit(plan_of("stubborn", file=str(file), hold_loop=hold_loop))
        processes = await begun(file)
        await run.cancel()
        outcome = await run.outcome()
        for process in processes:
            await gone(process)

    assert outcome.status == "cancelled"
    assert not any(problem.code == "W_RUNS_ON" for problem in outcome.problems)


@pytest.mark.parametrize("agent", ["sending", "having_sent"])
async def test_an_effect_under_way_is_waited_for(tmp_path: Path, agent: str) -> None:
    """Killed in the middle, nobody would know whether it has happened; its receipt comes behind the last word.

    Whether the body has called the tool, or a model that it was given to.
    """
    file = tmp_path / "sent"
    model = ScriptedModel(Reply(tool_calls=[ToolCall("1", "send", json.dumps({"file": str(file)}))]))
    async with Orchestrator([TEAM], model=model) as orchestrator:
        run = await orchestrator.submit(plan_of(agent, file=str(file)))
        await begun(file)
        await run.cancel()
        outcome = await run.outcome()
        events = [event async for event in await orchestrator.attach(run.id)]

    assert outcome.status == "cancelled"
    assert [event.result for event in events if isinstance(event, EffectDone)] == ["sent"]


async def test_nothing_is_called_in_a_process_that_has_ended() -> None:
    """A call that comes when the dispatch is over has certainly not happened, and waits for nobody."""
    child = await Child.start("agent 'x'")
    child.kill()
    conversation = _Conversation(child, cast("Any", None), cast("Any", None))
    assert await conversation.held() is None
    with pytest.raises(EffectNotDone, match="its process has ended before the call"):
        await conversation.invoke(1, {}, None, once=True)
    await child.gone()


async def test_its_timeout_is_a_wall(tmp_path: Path) -> None:
    """The process is killed; the failure is the one of any timeout."""
    file = tmp_path / "pids"
    plan = Plan("stubborn")
    plan.add("one", agent="stubborn", inputs={"file": str(file), "hold_loop": True}, timeout=3)
    async with Orchestrator([TEAM]) as orchestrator:
        run = await orchestrator.submit(plan, policy=ONCE)
        processes = await begun(file)
        failed = await anext(event async for event in run if isinstance(event, AttemptFailed))
        await run.cancel()
        for process in processes:
            await gone(process)

    assert (failed.kind, "no result within 3 s" in failed.problems[0]) == ("transient", True)


async def test_closing_leaves_no_process(tmp_path: Path) -> None:
    """The child at work and the one that is kept ready."""
    async with Orchestrator([TEAM]) as orchestrator:
        await orchestrator.submit(plan_of("stubborn", file=str(tmp_path / "pids"), hold_loop=True))
        await begun(tmp_path / "pids")

    assert children() == []


def children() -> list[str]:
    """Return the command lines of the isolated processes that this one has."""
    found: list[str] = []
    for place in [one for one in Path("/proc").iterdir() if one.name.isdigit()]:
        try:
            parent = (place / "stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()[1]
            command = (place / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == os.getpid() and b"agentorch.isolation" in command:
            found.append(command.decode())
    return found
