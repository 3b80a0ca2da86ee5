"""Promise 10: a run explains itself: `agentorch why RUN TASK` gives the chain of causes, out of the journal alone.

The command is run as anybody runs it: a process of its own, in a folder where there is nothing of the team.
"""

import asyncio
import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.errors import ConfigurationError
from agentorch.events import Event
from agentorch.journal.opening import open_journal
from agentorch.runtime.why import explain

ROOT = Path(__file__).parents[2]
CHAIN = """\
TaskFailed: 'report' was skipped: 'clean' brought nothing
TasksAccepted:   in the plan that was given: agent 'writer'; it needs 'clean'
TaskFailed:   'clean' was skipped: 'data' brought nothing
TaskFailed:     'data' failed: RuntimeError: the mirror is gone too; before that, 'source' failed: RuntimeError: the \
server is gone
TasksAccepted:       in the plan that was given: agent 'source'
TaskStarted:       started: attempt 1 with 'source'
AttemptFailed:       attempt 1 failed (crash): RuntimeError: the server is gone
TaskRetried:       fallback: 'mirror' in the place of 'source'
TaskStarted:       started: attempt 2 with 'mirror'
AttemptFailed:       attempt 2 failed (crash): RuntimeError: the mirror is gone too
"""
"""Why there is no report: each line behind the type of the event that says so."""


@agent(description="Brings the data.", fallback="mirror")
async def source() -> str:
    raise RuntimeError("the server is gone")


@agent(description="Brings the data from elsewhere.")
async def mirror() -> str:
    raise RuntimeError("the mirror is gone too")


@agent(description="Cleans.")
async def cleaner(text: str) -> str:
    return text.strip()


@agent(description="Writes.")
async def writer(text: str) -> str:
    return f"report on {text}"


@agent(description="Says hello.")
async def greeter() -> str:
    return "hello"


def report() -> Plan:
    """Return a plan whose first task cannot succeed, and a task beside it."""
    plan = Plan("report")
    data = plan.add("data", agent=source)
    clean = plan.add("clean", agent=cleaner, inputs={"text": data})
    plan.add("report", agent=writer, inputs={"text": clean})
    plan.add("hello", agent=greeter)
    return plan


async def journaled(path: Path) -> list[Event]:
    """Carry the plan out, and read its journal as another process would."""
    policy = Policy(attempts=1, replans=0)
    async with Orchestrator([source, mirror, cleaner, writer, greeter], journal=path, policy=policy) as orchestrator:
        outcome = await orchestrator.run(report())
    journal = open_journal(path)
    await journal.open()
    try:
        return await journal.read(outcome.run_id)
    finally:
        await journal.close()


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int | None
    out: str
    err: str


async def why(journal: Path, run: str, task: str, *options: str) -> Said:
    """Run `agentorch why`."""
    empty = journal.parent / "empty"
    empty.mkdir(exist_ok=True)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agentorch", "why", run, task, "--journal", str(journal), *options,
        cwd=empty, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    out, err = await program.communicate()
    return Said(program.returncode, out.decode(), err.decode())


async def test_the_command_gives_the_chain_of_causes(tmp_path: Path) -> None:
    """Down to the first cause, deeper by each cause, every line behind the event that says so; as JSON too."""
    events = await journaled(tmp_path / "runs.db")
    run, types = events[0].run_id, {event.seq: event.type for event in events}

    told, listed = await asyncio.gather(
        why(tmp_path / "runs.db", run, "report"), why(tmp_path / "runs.db", run, "report", "--json")
    )

    chain = re.sub(r"^#(\d+) *? (?=(?:  )*\S)", lambda line: f"{types[int(line[1])]}: ", told.out, flags=re.MULTILINE)
    assert (told.code, chain, told.err) == (0, CHAIN, "")
    assert json.loads(listed.out) == [asdict(line) for line in explain(events, "report")]


async def test_the_command_explains_a_run_that_goes_on_and_knows_what_it_has_not(tmp_path: Path) -> None:
    """While another process carries the run out; a name that the run has not is a wrong use that names what is near."""
    begun, gate = asyncio.Event(), asyncio.Event()

    @agent(description="Takes its time.")
    async def slow() -> str:
        begun.set()
        await gate.wait()
        return "done"

    plan = Plan("wait")
    plan.add("report", agent=writer, inputs={"text": plan.add("data", agent=slow)})
    async with Orchestrator([slow, writer], journal=tmp_path / "runs.db") as orchestrator:
        run = await orchestrator.submit(plan)
        await begun.wait()
        waiting, wrong = await asyncio.gather(
            why(tmp_path / "runs.db", run.id, "report"), why(tmp_path / "runs.db", run.id, "reprot")
        )
        gate.set()
        assert (await run.outcome()).answer == "report on done"

    assert waiting.code == 0
    assert [word in waiting.out for word in ("'report'", "'data'", "started: attempt 1 with 'slow'")] == [True] * 3
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean 'report'" in wrong.err


async def test_a_skipped_task_is_explained_down_to_its_grandparents_fallback(tmp_path: Path) -> None:
    """From "it was skipped" over its parent to both failures of the first cause; every line names its event."""
    events = await journaled(tmp_path / "runs.db")

    lines = explain(events, "report")

    chain = [(line.depth, line.text) for line in lines if "'" in line.text and line.depth < 3]
    assert chain[0] == (0, "'report' was skipped: 'clean' brought nothing")
    assert (1, "'clean' was skipped: 'data' brought nothing") in chain
    assert any(depth == 2 and text.startswith("'data' failed: ") and "mirror is gone" in text for depth, text in chain)
    words = "\n".join(line.text for line in lines)
    steps = [
        words.index(part)
        for part in ("(crash): RuntimeError: the server", "fallback: 'mirror'", "(crash): RuntimeError: the mirror")
    ]
    assert steps == sorted(steps)
    assert all("hello" not in line.text for line in lines)


async def test_every_line_names_the_event_that_says_so(tmp_path: Path) -> None:
    """The seqs are real, and the event there speaks of the line's task or of the whole run."""
    events = await journaled(tmp_path / "runs.db")
    by_seq = {event.seq: event for event in events}

    for task in ("data", "clean", "report", "hello"):
        lines = explain(events, task)
        assert lines[0].text.startswith(f"'{task}' ")
        for line in lines:
            assert line.seq in by_seq
    (skipped, *_) = explain(events, "report")
    assert by_seq[skipped.seq].task == "data"
    assert by_seq[skipped.seq].type == "TaskFailed"


async def test_it_needs_only_the_journal_and_says_the_same_twice(tmp_path: Path) -> None:
    """No team and no clock: the same events give the same lines, at every prefix without an error."""
    events = await journaled(tmp_path / "runs.db")

    assert explain(events, "report") == explain(list(events), "report")
    known = next(event.seq for event in events if event.type == "TasksAccepted")
    for prefix in range(known, len(events) + 1):
        assert explain(events[:prefix], "report")
    with pytest.raises(ConfigurationError, match="did you mean 'report'"):
        explain(events, "reprot")
