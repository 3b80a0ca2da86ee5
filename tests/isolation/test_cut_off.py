"""A child process that somebody else ends, by a signal: its attempt was cut off, and is continued."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from agentorch import Orchestrator, Outcome, Plan, Policy
from agentorch.events import AttemptFailed, Event, TaskRetried
from agentorch.journal.memory import MemoryJournal
from agentorch.ports.model import ToolCall
from agentorch.testing import Reply, ScriptedModel

TEAM = str(Path(__file__).parent / "team.py")
ONCE = Policy(replans=0)
LOADED_ONCE_KILLED = """
import os, signal
from pathlib import Path
from agentorch import agent

marks = Path(__file__).with_suffix(".loads")
if os.getpid() != {parent}:
    with marks.open("a", encoding="utf-8") as file:
        file.write("x")
    if len(marks.read_text(encoding="utf-8")) <= {times}:
        os.kill(os.getpid(), signal.SIGKILL)

@agent(description="Says a word.", isolate=True)
def word() -> str:
    return "word"
"""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """Dispatch again after no wait worth the name."""
    monkeypatch.setattr("agentorch.core.policy.BACKOFF_FIRST", 0.01)


def plan_of(agent: str, **inputs: Any) -> Plan:
    """Return a plan of one task."""
    plan = Plan(agent)
    plan.add("one", agent=agent, inputs=inputs)
    return plan


async def killed(plan: Plan, folder: Path, number: int, model: ScriptedModel) -> tuple[Outcome, Sequence[Event]]:
    """Carry a plan out and send its first process a signal, once it waits for that."""
    journal = MemoryJournal()
    async with Orchestrator([TEAM], model=model, journal=journal) as orchestrator:
        run = await orchestrator.submit(plan, policy=ONCE)
        while not (pids := folder / "pids").exists() or not pids.read_text(encoding="utf-8"):  # noqa: ASYNC110
            await anyio.sleep(0.01)
        os.kill(int(pids.read_text(encoding="utf-8")), number)
        with anyio.fail_after(30):
            outcome = await run.outcome()
    return outcome, await journal.read(run.id, after=0, limit=1000)


def ledger(folder: Path) -> list[str]:
    """Return what was done."""
    return (folder / "ledger").read_text(encoding="utf-8").split()


@pytest.mark.parametrize(
    ("number", "forks"),
    [
        (signal.SIGKILL, False), (signal.SIGKILL, True), (signal.SIGTERM, False), (signal.SIGHUP, False),
        (signal.SIGINT, False),
    ],
)  # fmt: skip
async def test_the_attempt_is_continued_with_its_finished_steps(tmp_path: Path, number: int, forks: bool) -> None:
    """No model call that was paid for is made again; it counts as no attempt, also where one is all there is."""
    model = ScriptedModel("Well.")
    plan = plan_of("cut_short", folder=str(tmp_path), forks=forks)
    outcome, events = await killed(plan, tmp_path, number, model)

    assert outcome.answer == "Well.", outcome.problems
    assert len(model.requests) == outcome.usage.calls == 1
    assert ledger(tmp_path) == ["first", "second"]
    failed = [event for event in events if isinstance(event, AttemptFailed)]
    assert [event.kind for event in failed] == ["transient"]
    assert f"its process was killed ({signal.Signals(number).name})" in failed[0].problems[0]
    retried = [(event.attempt, event.dispatch) for event in events if isinstance(event, TaskRetried)]
    assert retried == [(1, 2)]


async def test_one_that_is_killed_while_much_is_sent_to_it_is_waited_for_no_longer(tmp_path: Path) -> None:
    """Also where a process of its own holds the pipe, and reads nothing."""
    model = ScriptedModel("x" * 3_000_000)
    outcome, _ = await killed(plan_of("reading_nothing", folder=str(tmp_path)), tmp_path, signal.SIGKILL, model)
    assert outcome.answer == 3_000_000, outcome.problems
    assert len(model.requests) == 1


@pytest.mark.parametrize("agent", ["paying", "having_paid"])
async def test_an_effect_under_way_in_it_waits_for_a_person(tmp_path: Path, agent: str) -> None:
    """Nobody knows whether it has happened, and it is not had again."""
    model = ScriptedModel(Reply(tool_calls=[ToolCall("1", "pay_slowly", json.dumps({"folder": str(tmp_path)}))]))
    outcome, _ = await killed(plan_of(agent, folder=str(tmp_path)), tmp_path, signal.SIGKILL, model)

    assert outcome.status == "waiting"
    assert "was begun, and its end was not seen" in outcome.problems[0].message
    assert ledger(tmp_path) == ["paid"]
    assert len(model.requests) == (agent == "having_paid")


async def failures_of(plan: Plan) -> list[AttemptFailed]:
    """Return how a plan's task fails, each time."""
    async with Orchestrator([TEAM]) as orchestrator:
        run = await orchestrator.submit(plan, policy=ONCE)
        return [event async for event in run if isinstance(event, AttemptFailed)]


async def test_one_that_is_killed_each_time_comes_to_an_end() -> None:
    """It is dispatched as often as after any transient failure."""
    failed = await failures_of(plan_of("signalled", number=int(signal.SIGKILL)))
    assert [event.kind for event in failed] == ["transient"] * 6
    assert "(SIGKILL), by the system for want of memory or by somebody" in failed[-1].problems[0]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE])
async def test_a_signal_of_its_own_doing_is_a_crash(number: int) -> None:
    """It would do it again: the attempt is not continued."""
    failed = await failures_of(plan_of("signalled", number=int(number)))
    assert [event.kind for event in failed] == ["crash"]


async def test_one_that_closes_its_pipe_was_not_cut_off_by_others() -> None:
    """The signal that ends it then is ours."""
    (failed,) = await failures_of(plan_of("unheard"))
    assert failed.kind == "crash"
    assert failed.problems[0].startswith("its process closed its pipe before it gave an output, and was ended")


@pytest.mark.parametrize("times", [1, 2])
async def test_one_that_is_killed_while_it_loads_does_not_stop_the_run(tmp_path: Path, times: int) -> None:
    """The set-up is not wrong for that."""
    team = tmp_path / "words.py"
    team.write_text(LOADED_ONCE_KILLED.format(parent=os.getpid(), times=times), encoding="utf-8")
    async with Orchestrator([str(team)]) as orchestrator:
        outcome = await orchestrator.run(plan_of("word"), policy=ONCE)
    assert outcome.answer == "word", outcome.problems
