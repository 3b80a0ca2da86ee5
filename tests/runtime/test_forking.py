"""A fork begins with what another run's journal says, and goes its own way from there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Orchestrator, Outcome, Plan, agent, tool
from agentorch.core.advance import replay
from agentorch.core.identity import digest
from agentorch.core.invariants import check
from agentorch.core.state import Request, RunState, Status
from agentorch.errors import ConfigurationError, RunNotFoundError
from agentorch.events import Event, RunForked, RunStarted, TaskKept, TaskStarted, TaskSucceeded
from agentorch.journal.memory import MemoryJournal
from agentorch.testing import ScriptedModel
from agentorch.testing.snapshot import snapshot

ran: list[str] = []


@agent(description="Loads numbers.")
async def load(name: str) -> dict[str, Any]:
    ran.append("load")
    return {"rows": [1, 2, 3], "name": name}


@agent(description="Adds numbers.")
async def add(rows: list[int]) -> int:
    ran.append("add")
    return sum(rows)


@agent(description="Names things.")
async def title(name: str) -> str:
    ran.append("title")
    return name.upper()


@agent(description="Writes.")
async def write(number: int, name: str) -> str:
    ran.append("write")
    return f"{name}: {number}"


@agent(description="Fails.", attempts=1)
async def fail(number: int) -> int:
    ran.append("fail")
    raise ValueError("no")


TEAM = [load, add, title, write, fail]


def diamond() -> Plan:
    plan = Plan("report")
    plan.add("load", agent=load, inputs={"name": "bees"})
    plan.add("add", agent=add, inputs={"rows": "$load.rows"})
    plan.add("title", agent=title, inputs={"name": "$load.name"})
    plan.add("write", agent=write, inputs={"number": "$add", "name": "$title"})
    return plan


async def events_of(orchestrator: Orchestrator, run_id: str) -> list[Event]:
    return [event async for event in (await orchestrator.attach(run_id)).events()]


def seq_of(events: list[Event], kind: type[Event], task: str) -> int:
    return next(event.seq for event in events if isinstance(event, kind) and event.task == task)


async def forked(
    orchestrator: Orchestrator, parent: Outcome, at: Callable[[list[Event]], int], **options: Any
) -> tuple[Outcome, list[Event]]:
    """Fork a run, and return what came of it and its journal."""
    ran.clear()
    outcome = await orchestrator.fork(parent.run_id, at=at(await events_of(orchestrator, parent.run_id)), **options)
    return outcome, await events_of(orchestrator, outcome.run_id)


async def test_a_fork_keeps_what_was_done_and_does_the_rest() -> None:
    """Tasks that had succeeded at the place are not run again; those behind it are; the parent stays as it was."""
    async with Orchestrator(TEAM) as orchestrator:
        parent = await orchestrator.run(diamond())
        before = await events_of(orchestrator, parent.run_id)
        outcome, events = await forked(orchestrator, parent, lambda e: seq_of(e, TaskSucceeded, "title"))
        assert ran == ["write"]
        assert outcome.answer == parent.answer == "BEES: 6"
        assert outcome.run_id != parent.run_id
        assert await events_of(orchestrator, parent.run_id) == before
        (told,) = [event for event in events if isinstance(event, RunForked)]
        assert (told.parent, told.place) == (parent.run_id, seq_of(before, TaskSucceeded, "title"))


async def test_a_replaced_output_starts_again_what_saw_it() -> None:
    """What saw the output runs again; what takes an unchanged part of it keeps its own."""
    async with Orchestrator(TEAM) as orchestrator:
        parent = await orchestrator.run(diamond())
        outputs = {"load": {"rows": [10, 20], "name": "bees"}}
        outcome, events = await forked(orchestrator, parent, lambda e: e[-1].seq, outputs=outputs)
        assert outcome.answer == "BEES: 30"
        assert ran == ["add", "write"]
        assert [event.task for event in events if isinstance(event, TaskKept)] == ["title"]
        assert outcome.states == dict.fromkeys(["load", "add", "title", "write"], "succeeded")


async def test_a_failed_task_is_given_its_output() -> None:
    """What was skipped for want of it runs in the fork."""
    plan = Plan("x")
    plan.add("fail", agent=fail, inputs={"number": 1})
    plan.add("write", agent=write, inputs={"number": "$fail", "name": "n"})
    async with Orchestrator(TEAM) as orchestrator:
        parent = await orchestrator.run(plan)
        assert parent.status == "failed"
        outcome, _ = await forked(orchestrator, parent, lambda e: e[-1].seq, outputs={"fail": 7})
        assert (outcome.status, outcome.answer, ran) == ("succeeded", "n: 7", ["write"])


async def test_a_task_may_be_given_its_output_before_it_ran() -> None:
    """It is not run at all, whatever it waited for."""
    async with Orchestrator(TEAM) as orchestrator:
        parent = await orchestrator.run(diamond())
        at = 3  # the plan is there, and nothing has started
        outcome, _ = await forked(orchestrator, parent, lambda _: at, outputs={"add": 1, "title": "T"})
        assert outcome.answer == "T: 1"
        assert sorted(ran) == ["load", "write"]


async def test_nothing_that_was_pending_is_lost() -> None:
    """A dispatch that was under way is one of the fork's own, under a key of its own."""
    async with Orchestrator(TEAM) as orchestrator:
        parent = await orchestrator.run(diamond())
        outcome, events = await forked(orchestrator, parent, lambda e: seq_of(e, TaskStarted, "load"))
        assert (ran[0], sorted(ran[1:3]), ran[3]) == ("load", ["add", "title"], "write")
        assert outcome.answer == parent.answer
        keys = {vars(event)["key"].split("/")[0] for event in events if isinstance(event, TaskStarted | TaskSucceeded)}
        assert keys == {outcome.run_id}
        assert {event.run_id for event in events} == {outcome.run_id}


async def test_every_place_gives_a_whole_run_or_one_line() -> None:
    """At each event of runs with failures, a question, a delegation and a patch a fork ends like its parent, or is
    refused; and a fork of a fork does so too.
    """
    async with Orchestrator([*TEAM, *EVENTFUL], model=ScriptedModel("3"), on_request=agree) as orchestrator:
        parent = await orchestrator.run(eventful())
        head = (await events_of(orchestrator, parent.run_id))[-1].seq
        refused = 0
        for at in range(1, head + 1):
            tries.clear()
            try:
                outcome = await orchestrator.fork(parent.run_id, at=at)
            except ConfigurationError as error:
                assert "in the middle of a decision" in str(error)  # noqa: PT017
                refused += 1
                continue
            assert dict(outcome.outputs) == dict(parent.outputs), at
            events = await events_of(orchestrator, outcome.run_id)
            again = await orchestrator.fork(outcome.run_id, at=len(events))
            assert dict(again.outputs) == dict(parent.outputs), at
        assert 0 < refused < head / 3


tries: list[str] = []


@agent(description="Fails once.", attempts=3)
async def shaky(number: int) -> int:
    tries.append("shaky")
    if len(tries) == 1:
        raise ValueError("not yet")
    return number


@agent(description="Asks, delegates and steps.")
async def busy(context: Context) -> dict[str, Any]:
    said = await context.ask("go on?")
    number = await context.step("count", lambda: 4)
    context.report("half-way")
    return {"said": said, "number": await context.call("add", rows=[number, 1]), "model": await context.model("say")}


EVENTFUL = [shaky, busy]


def agree(request: Request) -> str:
    return "yes"


def eventful() -> Plan:
    plan = Plan("x")
    plan.add("shaky", agent=shaky, inputs={"number": 2})
    plan.add("busy", agent=busy)
    plan.add("write", agent=write, inputs={"number": "$shaky", "name": "$busy.said"})
    plan.add("more", agent=add, inputs={"rows": ["$shaky", "$busy.number"]})
    return plan


async def test_the_fork_s_own_journal_gives_its_state() -> None:
    """Applying its events alone gives a sound state at each place behind the fork, and the live one at the end."""
    journal = MemoryJournal()
    async with Orchestrator(TEAM, journal=journal) as orchestrator:
        parent = await orchestrator.run(diamond())
        run = await orchestrator.start_fork(parent.run_id, at=9, outputs={"load": {"rows": [4], "name": "ants"}})
        await run.outcome()
        live = run._hosted.state
        events = await journal.read(run.id)
        place = next(event.seq for event in events if isinstance(event, RunForked))
        state = replay(RunState(run.id, live.catalog), events[:place])
        check(state)
        assert snapshot(replay(RunState(run.id, live.catalog), events)) == snapshot(live)
        assert state.ancestors == (parent.run_id,)


async def test_steps_of_a_cut_off_attempt_are_kept() -> None:
    """A model call that the parent has paid for is not made again by the fork."""
    model = ScriptedModel(["one", "two"])

    @agent(description="Asks the model, then a person.")
    async def asker(context: Context) -> list[str]:
        return [await context.model("say"), str(await context.ask("ok?"))]

    plan = Plan("x")
    plan.add("a", agent=asker)
    async with Orchestrator([asker], model=model) as orchestrator:
        parent = await orchestrator.submit(plan)
        await parent.rest()
        at = await head_of(orchestrator, parent.id)
        run = await orchestrator.start_fork(parent.id, at=at)
        await run.rest()
        (request,) = run.waiting
        await run.answer(request.request_id, "yes")
        assert (await run.outcome()).answer == ["one", "yes"]
        assert len(model.requests) == 1
        assert [waiting.question for waiting in parent.waiting] == ["ok?"]


async def head_of(orchestrator: Orchestrator, run_id: str) -> int:
    """Return the last sequence number of a run that stands still."""
    return next(record.head for record in [record async for record in orchestrator.runs()] if record.run_id == run_id)


sent: list[tuple[str, str]] = []


@tool(effect="once")
async def send(letter: str, context: Context) -> str:
    """Send a letter."""
    sent.append((letter, context.idempotency_key))
    return f"sent {letter}"


@agent(description="Sends letters.")
async def sender(letter: str, context: Context) -> list[str]:
    return [await context.tool(send, letter=letter), str(await context.ask("another?"))]


def reply(request: Request) -> str:
    return "fail" if request.kind == "failure" else "no"


def key_of(run_id: str, **arguments: Any) -> str:
    """Return the key of the first call with these arguments."""
    return f"{run_id}/a/send/{digest(arguments)[:16]}-1"


def letters() -> Plan:
    plan = Plan("x")
    plan.add("a", agent=sender, inputs={"letter": "hello"})
    return plan


async def test_a_fork_keeps_its_parent_s_receipts() -> None:
    """An effect that has happened before the place is not had again: its receipt is under the parent's key."""
    sent.clear()
    async with Orchestrator([sender], on_request=reply) as orchestrator:
        parent = await orchestrator.run(letters())
        events = await events_of(orchestrator, parent.run_id)
        done = next(event.seq for event in events if event.type == "EffectDone")
        outcome = await orchestrator.fork(parent.run_id, at=done)
        again = await orchestrator.fork(outcome.run_id, at=done)
        assert outcome.answer == again.answer == parent.answer == ["sent hello", "no"]
        assert sent == [("hello", key_of(parent.run_id, letter="hello"))]


async def test_a_fork_has_no_new_effects_unless_told() -> None:
    """What its parent has not done, once only, is refused with the remedy; allowed, it is done under its own key."""
    sent.clear()
    async with Orchestrator([sender], on_request=reply) as orchestrator:
        parent = await orchestrator.run(letters())
        refused = await orchestrator.fork(parent.run_id, at=3)
        assert refused.status == "failed"
        failed = next(event for event in await events_of(orchestrator, refused.run_id) if event.type == "AttemptFailed")
        (problem,) = vars(failed)["problems"]
        assert problem == (
            f"run {refused.run_id} is a fork: tool 'send' may have no effect in it that its parent has not had: "
            "fork with allow_effects=True (--allow-effects)"
        )
        assert len(sent) == 1
        allowed = await orchestrator.fork(parent.run_id, at=3, allow_effects=True)
        assert allowed.answer == ["sent hello", "no"]
        assert sent[1] == ("hello", key_of(allowed.run_id, letter="hello"))


async def test_an_agent_that_acts_unseen_is_refused_in_a_fork() -> None:
    """An agent with the effect "once" and no receipts is not started again."""

    @agent(description="Acts.", effects="once")
    async def actor(letter: str) -> str:
        ran.append("actor")
        return letter

    plan = Plan("x")
    plan.add("a", agent=actor, inputs={"letter": "x"})
    async with Orchestrator([actor]) as orchestrator:
        parent = await orchestrator.run(plan)
        ran.clear()
        refused = await orchestrator.fork(parent.run_id, at=3)
        assert (refused.status, ran) == ("failed", [])
        assert (await orchestrator.fork(parent.run_id, at=3, allow_effects=True)).status == "succeeded"


@pytest.mark.parametrize(
    ("at", "outputs", "words"),
    [
        (99, {}, "at=99: run {} has the events 1 to 12: name one of them"),
        (0, {}, "at=0: run {} has the events 1 to 12: name one of them"),
        ("x", {}, "at='x': run {} has the events 1 to 12: name one of them"),
        (2, {}, "at=2: run {} was in the middle of a decision there, or of its end: the first place is 3"),
        (3, {"lod": 1}, "outputs: run {} has no task 'lod' at this place; did you mean 'load'?"),
        (3, {"add": "much"}, "outputs: 'add' is nothing that 'add' gives: "),
        (3, {"add": object()}, "outputs: 'add' is nothing that 'add' gives: "),
    ],
)
async def test_what_cannot_be_forked_is_one_line(at: Any, outputs: dict[str, Any], words: str) -> None:
    """Nothing is written, and the line names the place or the task and the remedy."""
    async with Orchestrator(TEAM) as orchestrator:
        parent = await orchestrator.run(diamond())
        with pytest.raises(ConfigurationError) as raised:
            await orchestrator.fork(parent.run_id, at=at, outputs=outputs)
        assert str(raised.value).startswith(words.format(parent.run_id))
        assert "\n" not in str(raised.value)
        assert len([record async for record in orchestrator.runs()]) == 1
        with pytest.raises(RunNotFoundError, match="no run none in this journal"):
            await orchestrator.fork("none", at=1)


async def test_a_cancelled_run_is_forked_before_its_cancellation() -> None:
    """Its end is not taken along; the line says up to where it can be."""

    @agent(description="Waits.")
    async def waiter(context: Context) -> str:
        return str(await context.ask("go on?"))

    plan = Plan("x")
    plan.add("a", agent=waiter)
    async with Orchestrator([waiter]) as orchestrator:
        run = await orchestrator.submit(plan)
        await run.rest()
        await run.cancel()
        head = await head_of(orchestrator, run.id)
        with pytest.raises(ConfigurationError, match=r"or of its end: the last place before it is (\d+)") as raised:
            await orchestrator.fork(run.id, at=head)
        place = int(str(raised.value).split()[-1])
        fork = await orchestrator.start_fork(run.id, at=place)
        await fork.rest()
        (request,) = fork.waiting
        await fork.answer(request.request_id, "yes")
        assert (await fork.outcome()).answer == "yes"


async def test_a_fork_of_a_durable_run_is_resumed(tmp_path: Path) -> None:
    """A fork is a run as any: it is read back, resumed and listed; large outputs are shared."""
    async with Orchestrator(TEAM, journal=tmp_path / "runs.db") as orchestrator:
        parent = await orchestrator.run(diamond(), key="once", tags={"a": "b"})
        outputs = {"load": {"rows": [1], "name": "x" * 70_000}}
        outcome = await orchestrator.fork(parent.run_id, at=12, outputs=outputs)
        assert outcome.answer == f"{'X' * 70_000}: 1"
    async with Orchestrator(TEAM, journal=tmp_path / "runs.db") as orchestrator:
        again = await orchestrator.resume(outcome.run_id)
        assert (again.answer, again.states) == (outcome.answer, outcome.states)
        records = {record.run_id: record async for record in orchestrator.runs(tags={"a": "b"})}
        assert {run_id: record.key for run_id, record in records.items()} == {
            parent.run_id: "once",
            outcome.run_id: None,
        }
        first = next(iter(await events_of(orchestrator, outcome.run_id)))
        assert isinstance(first, RunStarted)
        assert again.states["write"] == Status.SUCCEEDED
