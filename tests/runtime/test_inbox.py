"""The inbox: what is asked of runs is obeyed first, settled once, and holds no secret; no error ends the looking."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agentorch import Context, Event, Orchestrator, Plan, Run, agent, tool
from agentorch.core.requests import Request as Question
from agentorch.errors import RunOwnedError
from agentorch.events import RunCancelling, TaskStarted
from agentorch.journal.memory import MemoryJournal
from agentorch.journal.sqlite import SqliteJournal
from agentorch.ports.journal import Inbox, Journal, Request
from agentorch.runtime.ending import end_run
from agentorch.runtime.redaction import Redactor
from agentorch.testing.scripted_model import Reply, ScriptedModel

pytestmark = pytest.mark.timeout(30)
KEY = "sk-proj-abcDEF0123456789abcdef"


class Calls:
    """A team whose tool, model and body are counted."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.stays = True
        self.made: list[str] = []
        self.model = ScriptedModel([Reply("said")] * 5)

    def team(self) -> list[Any]:
        @tool
        async def note(word: str) -> str:
            """Note a word."""
            self.made.append(f"tool {word}")
            return word

        @agent(description="Works.", tools=[note], needs_model=True)
        async def worker(context: Context) -> str:
            self.made.append("body")
            self.begun.set()
            if self.stays:
                await asyncio.Event().wait()
            await context.tool(note, word="a")
            return await context.model("Say it.")

        @agent(description="Asks.")
        async def asker(context: Context) -> str:
            return await context.ask("Which?", str)

        return [worker, asker]

    def orchestrator(self, journal: Journal | Path, **given: Any) -> Orchestrator:
        return Orchestrator(self.team(), journal=journal, model=self.model, **given)


def one(name: str) -> Plan:
    plan = Plan("one task")
    plan.add("only", agent=name)
    return plan


@asynccontextmanager
async def left(journal: SqliteJournal) -> AsyncGenerator[SqliteJournal]:
    """Give the journal's inbox, with nobody at work."""
    await journal.open()
    try:
        yield journal
    finally:
        await journal.close()


async def waiting(run: Run) -> Question:
    """Wait until the run asks somebody."""
    await run.rest()
    return run.waiting[0]


async def emptied(inbox: Inbox, *, but: int = 0) -> list[Request]:
    """Wait until the inbox is empty `but` for some requests; return those."""
    while True:
        requests = await inbox.requests()
        if len(requests) <= but:
            return requests
        await asyncio.sleep(0.02)


async def test_a_cancel_that_waits_is_obeyed_before_anything_leaves(tmp_path: Path) -> None:
    """The run's process died before it looked: whoever resumes it calls nothing and ends it."""
    calls, path = Calls(), tmp_path / "runs.db"
    async with calls.orchestrator(path) as gone:
        run_id = (await gone.submit(one("worker"))).id
        await calls.begun.wait()
    async with left(SqliteJournal(path)) as inbox:
        await inbox.request(run_id, "cancel", {"reason": "enough"}, by="ann", at=1.0)
    calls.stays = False
    calls.made.clear()
    async with calls.orchestrator(path) as orchestrator:
        outcome = await orchestrator.resume(run_id)
        events = [event async for event in await orchestrator.attach(run_id)]
    async with left(SqliteJournal(path)) as inbox:
        requests = await inbox.requests()

    assert (str(outcome.status), calls.made, calls.model.requests, requests) == ("cancelled", [], [], [])
    (cancelling,) = [event for event in events if isinstance(event, RunCancelling)]
    assert (cancelling.by, cancelling.reason) == ("ann", "enough")
    assert len([event for event in events if isinstance(event, TaskStarted)]) == 1


async def test_an_answer_that_waits_is_there_when_the_task_asks_again(tmp_path: Path) -> None:
    """It is given before the task is sent again: nobody is asked twice."""
    calls, path = Calls(), tmp_path / "runs.db"
    async with calls.orchestrator(path) as gone:
        run = await gone.submit(one("asker"))
        asked = await waiting(run)
    async with left(SqliteJournal(path)) as inbox:
        payload = {"request_id": asked.request_id, "value": "the blue one"}
        await inbox.request(run.id, "answer", payload, by="ann", at=1.0)
    shown: list[Question] = []
    async with calls.orchestrator(path, on_request=shown.append) as orchestrator:
        outcome = await orchestrator.resume(run.id)

    assert (outcome.answer, shown) == ("the blue one", [])


class Unreadable(SqliteJournal):
    """Raises `error` out of its inbox while it is set."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.error: Exception | None = None
        self.looks = 0
        self.looked_often = asyncio.Event()

    async def requests(self, *, after: int = 0) -> list[Request]:
        if self.error is not None:
            self.looks += 1
            if self.looks > 3:
                self.looked_often.set()
            raise self.error
        return await super().requests(after=after)


@pytest.mark.parametrize("error", [OSError("the cable was pulled"), ValueError("not a row")])
async def test_an_inbox_that_cannot_be_read_is_looked_at_again(
    error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, not at each look, and a cancel that waited meanwhile is obeyed."""
    calls, journal = Calls(), Unreadable(tmp_path / "runs.db")
    async with calls.orchestrator(journal) as orchestrator:
        run = await orchestrator.submit(one("worker"))
        journal.error = error
        await journal.looked_often.wait()
        await journal.request(run.id, "cancel", {}, by="ann", at=1.0)
        journal.error = None
        outcome = await run.outcome()

    assert str(outcome.status) == "cancelled"
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == f"requests of other processes cannot be read: {type(error).__name__}: {error}"


async def test_a_request_that_nobody_can_understand_keeps_no_other_waiting(tmp_path: Path) -> None:
    """It is settled like any that cannot be carried out."""
    calls, journal = Calls(), SqliteJournal(tmp_path / "runs.db")
    async with calls.orchestrator(journal) as orchestrator:
        run = await orchestrator.submit(one("asker"))
        asked = await waiting(run)
        await journal.request(run.id, "answer", {"request_id": asked.request_id, "value": 7}, by="x", at=1.0)
        await journal.request(run.id, "sing", {}, by="x", at=1.0)
        no_payload: Any = ["no names"]
        await journal.request(run.id, "cancel", no_payload, by="x", at=1.0)
        await journal.request(run.id, "answer", {"request_id": asked.request_id, "value": "red"}, by="ann", at=1.0)
        await emptied(journal)
        outcome = await run.outcome()

    assert outcome.answer == "red"


class Unsettled(SqliteJournal):
    """Cannot take a request out of its inbox for the first times."""

    failures = 3

    async def settle(self, id: int) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        await super().settle(id)


async def test_what_could_not_be_settled_is_not_carried_out_twice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays in the inbox for a while; the journal says it once."""
    calls, journal = Calls(), Unsettled(tmp_path / "runs.db")
    async with calls.orchestrator(journal) as orchestrator:
        run = await orchestrator.submit(one("asker"))
        asked = await waiting(run)
        payload = {"request_id": asked.request_id, "value": "red"}
        await journal.request(run.id, "answer", payload, by="ann", at=1.0)
        await emptied(journal)
        outcome = await run.outcome()
        events = [event async for event in await orchestrator.attach(run.id)]

    assert outcome.answer == "red"
    assert [event.type for event in events].count("RequestAnswered") == 1
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


@pytest.mark.parametrize("kept", ["memory", "sqlite"])
async def test_what_is_asked_of_a_run_that_is_over_is_taken_out(
    kept: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever sees it settles it, with a line; what is asked of a run that can go on stays."""
    caplog.set_level(logging.INFO, logger="agentorch.runtime.request_desk")
    calls = Calls()
    journal = MemoryJournal() if kept == "memory" else SqliteJournal(tmp_path / "runs.db")
    calls.stays = False
    async with calls.orchestrator(journal) as orchestrator:
        over = (await orchestrator.run(one("worker"))).run_id
    calls.stays = True
    async with calls.orchestrator(journal) as orchestrator:
        open_run = (await orchestrator.submit(one("worker"))).id
    await journal.open()
    await journal.request(over, "cancel", {"reason": "late"}, by="ann", at=1.0)
    await journal.request("no-such-run", "cancel", {}, by="ann", at=1.0)
    await journal.request(open_run, "answer", {"request_id": "q", "value": 1}, by="ann", at=1.0)
    async with calls.orchestrator(journal):
        await emptied(journal, but=1)
        await asyncio.sleep(0.3)
        (stays,) = await journal.requests()
    await journal.close()

    assert stays.run_id == open_run
    assert [record.getMessage() for record in caplog.records if record.name.endswith("request_desk")] == [
        f"run {over}: cancel asked by ann is dropped: the run is over: succeeded",
        "run no-such-run: cancel asked by ann is dropped: there is no such run",
    ]


async def test_ending_a_run_without_its_team_takes_its_requests_out(tmp_path: Path) -> None:
    """What was asked before is of no use any more; the reason is written without a secret."""
    calls, path = Calls(), tmp_path / "runs.db"
    async with calls.orchestrator(path) as gone:
        run_id = (await gone.submit(one("worker"))).id
    async with left(SqliteJournal(path)) as journal:
        await journal.request(run_id, "answer", {"request_id": "q", "value": 1}, by="ann", at=1.0)
        await journal.request("another", "answer", {"request_id": "q", "value": 1}, by="ann", at=1.0)
        await end_run(journal, run_id, by="ann", reason=f"it used {KEY}", redact=Redactor().message)
        (other,) = await journal.requests()
        events: list[Event] = await journal.read(run_id)

    assert other.run_id == "another"
    (cancelling,) = [event for event in events if isinstance(event, RunCancelling)]
    assert cancelling.reason == "it used [redacted:api-key]"


async def test_what_is_left_in_the_inbox_holds_no_secret(tmp_path: Path) -> None:
    """Answers and reasons from another orchestrator: forms and marked values go, the name of a secret stays."""
    calls, path = Calls(), tmp_path / "runs.db"
    journal = SqliteJournal(path)
    async with calls.orchestrator(path) as owner:
        run = await owner.submit(one("asker"))
        asked = await waiting(run)
        await owner._open_launch("").engine.requests.close()  # it shall not be read before it is looked at
        secrets = {"DB": "hunter2!"}
        async with calls.orchestrator(journal, secrets=secrets) as other:
            watched = await other.attach(run.id)
            await watched.answer(asked.request_id, f"{KEY} hunter2! secret:DB", by=f"ann {KEY}")
            await watched.cancel(reason=f"hunter2! {KEY}")
            await other.cancel(run.id, reason="Authorization: Bearer abc123def456ghi")
            left = await journal.requests()

    assert [(request.payload, request.by) for request in left] == [
        (
            {"request_id": asked.request_id, "value": "[redacted:api-key] [redacted:DB] secret:DB"},
            "ann [redacted:api-key]",
        ),
        ({"reason": "[redacted:DB] [redacted:api-key]"}, "user"),
        ({"reason": "Authorization: Bearer [redacted:authorization]"}, "user"),
    ]
    for name in ("runs.db", "runs.db-wal"):
        if (tmp_path / name).exists():
            assert KEY.encode() not in (tmp_path / name).read_bytes()


@pytest.mark.parametrize(("act", "came"), [("answer", ("succeeded", "this")), ("cancel", ("cancelled", None))])
async def test_what_was_asked_of_another_owner_is_waited_for(tmp_path: Path, act: str, came: tuple[str, Any]) -> None:
    """By the outcome that is asked for behind it; what the owner has done by itself is seen there too."""
    journal = tmp_path / "runs.db"
    async with Calls().orchestrator(journal) as owner, Calls().orchestrator(journal) as other:
        run = await owner.submit(one("asker"))
        await run.rest()
        attached = await other.attach(run.id)
        assert (await attached.outcome()).status == "waiting"
        (question,) = attached.waiting
        await (attached.cancel() if act == "cancel" else attached.answer(question.request_id, "this"))
        outcome = await attached.outcome()
        assert (outcome.status, outcome.answer) == came

        run = await owner.submit(one("asker"))
        await run.rest()
        attached = await other.attach(run.id)
        await (run.cancel() if act == "cancel" else run.answer(question.request_id, "this"))
        assert (await run.outcome()).status == (await attached.outcome()).status == came[0]


async def test_what_is_asked_of_an_owner_that_goes_is_not_waited_for(tmp_path: Path) -> None:
    """The request stays in the inbox, for whoever takes the run up."""
    journal = tmp_path / "runs.db"
    async with Calls().orchestrator(journal) as other:
        async with Calls().orchestrator(journal) as owner:
            run = await owner.submit(one("asker"))
            await run.rest()
        attached = await other.attach(run.id)
        (question,) = attached.waiting
        await attached.answer(question.request_id, "this")
        with pytest.raises(RunOwnedError, match="resume it"):
            await attached.outcome()
    async with Calls().orchestrator(journal) as again:
        assert (await again.resume(run.id)).answer == "this"
