"""What every journal must do: subclass `JournalConformance`, say how one is made, and pytest runs the promises.

class TestMine(JournalConformance):
    def make(self, folder):
        return MyJournal(folder / "runs")
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from agentorch.core.events import Event
from agentorch.errors import JournalConflict, JournalError
from agentorch.ports.journal import Inbox, KnowsOwners
from agentorch.testing.journal_suite import finished, reported, started
from agentorch.testing.samples import sample_events
from agentorch.testing.value_conformance import ValueConformance


class JournalConformance(ValueConformance):
    """The promises of `agentorch.ports.journal`."""

    async def test_events_come_back_in_order(self, tmp_path: Path) -> None:
        """What was appended is read in order of seq, from any place, as much as was asked for."""
        async with self.opened(tmp_path) as journal:
            events = await self.fill(journal, "r", 9)
            assert await journal.read("r") == events
            assert await journal.read("r", after=3, limit=2) == events[3:5]
            assert await journal.read("r", after=8) == events[8:]

    async def test_nothing_is_read_of_what_is_not_there(self, tmp_path: Path) -> None:
        """A run that does not exist, and a place beyond the end, give nothing."""
        async with self.opened(tmp_path) as journal:
            await self.fill(journal, "r", 2)
            assert await journal.read("other") == []
            assert await journal.read("r", after=2) == []
            assert await journal.read("r", after=7) == []
            assert await journal.record("other") is None
            assert await journal.find("other") is None

    @pytest.mark.parametrize("after", [0, 1, 2, 4, 9])
    async def test_an_append_behind_another_place_conflicts(self, tmp_path: Path, after: int) -> None:
        """Compare-and-swap: only an append behind the run's last event is written."""
        async with self.opened(tmp_path) as journal:
            events = await self.fill(journal, "r", 3)
            with pytest.raises(JournalConflict, match="run r"):
                await journal.append("r", [reported("r", after + 1), reported("r", after + 2)], after=after)
            assert await journal.read("r") == events

    async def test_a_run_begins_at_nothing(self, tmp_path: Path) -> None:
        """An append behind an event of a run that does not exist conflicts, and makes no run."""
        async with self.opened(tmp_path) as journal:
            with pytest.raises(JournalConflict):
                await journal.append("r", [reported("r", 2)], after=1)
            assert await journal.record("r") is None

    async def test_an_append_is_whole(self, tmp_path: Path) -> None:
        """Many events of one append are there together, from the first to the last."""
        async with self.opened(tmp_path) as journal:
            events = [reported("r", seq, "x" * (seq % 50)) for seq in range(1, 2501)]
            await journal.append("r", events, after=0)
            assert await journal.read("r", limit=5000) == events

    async def test_appends_are_queued_in_the_order_of_the_calls(self, tmp_path: Path) -> None:
        """A thousand appends without waiting in between; when the last is done all are, and in order."""
        async with self.opened(tmp_path) as journal:
            events = [reported("r", seq) for seq in range(1, 1001)]
            futures = [journal.append("r", [event], after=event.seq - 1) for event in events]
            await futures[-1]
            assert all(future.done() for future in futures)
            assert await journal.read("r") == events

    async def test_a_conflict_fails_its_own_append_alone(self, tmp_path: Path) -> None:
        """Queued together: the one that conflicts fails, what builds on it too, all others are written."""
        async with self.opened(tmp_path) as journal:
            done = await asyncio.gather(
                journal.append("a", [reported("a", 1)], after=0),
                journal.append("a", [reported("a", 1, "second")], after=0),
                journal.append("b", [reported("b", 1)], after=0),
                journal.append("b", [reported("b", 3)], after=2),
                journal.append("b", [reported("b", 4)], after=3),
                journal.append("a", [reported("a", 2)], after=1),
                journal.append("b", [reported("b", 2)], after=1),
                return_exceptions=True,
            )
            assert [type(each) for each in done] == [
                type(None), JournalConflict, type(None), JournalConflict, JournalConflict, type(None), type(None),
            ]  # fmt: skip
            assert await journal.read("a") == [reported("a", 1), reported("a", 2)]
            assert await journal.read("b") == [reported("b", 1), reported("b", 2)]

    async def test_only_one_of_many_writers_wins(self, tmp_path: Path) -> None:
        """Twenty writers race for one place: one append succeeds, nineteen conflict."""
        async with self.opened(tmp_path) as journal:
            await self.fill(journal, "r", 1)
            done = await asyncio.gather(
                *(journal.append("r", [reported("r", 2, str(n))], after=1) for n in range(20)), return_exceptions=True
            )
            assert sum(each is None for each in done) == 1
            assert sum(isinstance(each, JournalConflict) for each in done) == 19
            assert len(await journal.read("r")) == 2

    async def test_cancelling_who_waits_does_not_undo(self, tmp_path: Path) -> None:
        """The waiter is cancelled; the append stands, and the next builds on it."""
        async with self.opened(tmp_path) as journal:
            await self.fill(journal, "r", 1)

            async def wait() -> None:
                await journal.append("r", [reported("r", 2)], after=1)

            waiter = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiter.cancel()
            await asyncio.wait([waiter])
            await journal.append("r", [reported("r", 3)], after=2)
            assert [event.seq for event in await journal.read("r")] == [1, 2, 3]

    async def test_events_must_stand_where_they_are_put(self, tmp_path: Path) -> None:
        """No events, a gap in their numbers, or those of another run are the caller's mistake: nothing is written."""
        wrong: list[Sequence[Event]] = [
            [], [reported("r", 2)], [reported("r", 1), reported("r", 3)], [reported("s", 1)],
        ]  # fmt: skip
        async with self.opened(tmp_path) as journal:
            for events in wrong:
                with pytest.raises(ValueError, match="run r"):
                    await journal.append("r", events, after=0)
            assert await journal.record("r") is None

    async def test_many_runs_at_once(self, tmp_path: Path) -> None:
        """Fifty runs written side by side each hold their own events."""
        async with self.opened(tmp_path) as journal:
            written = await asyncio.gather(*(self.fill(journal, f"r{n}", 12) for n in range(50)))
            for n, events in enumerate(written):
                assert await journal.read(f"r{n}") == events

    async def test_a_record_follows_the_events(self, tmp_path: Path) -> None:
        """A run's record tells the goal, the last status, the times, the head, tags, key and request."""
        async with self.opened(tmp_path) as journal:
            first = started("r", tags={"team": "blue"}, key="k1", request="digest")
            await journal.append("r", [first, reported("r", 2)], after=0)
            record = await journal.record("r")
            assert record is not None
            assert (record.run_id, record.goal, record.status, record.head) == ("r", "goal of r", "planning", 2)
            assert (record.started, record.updated) == (1000.0, 1002.0)
            assert (record.tags, record.key, record.request) == ({"team": "blue"}, "k1", "digest")
            await journal.append("r", [finished("r", 3)], after=2)
            record = await journal.record("r")
            assert record is not None
            assert (record.status, record.head, record.updated) == ("succeeded", 3, 1003.0)

    async def test_a_status_is_the_last_that_was_told(self, tmp_path: Path) -> None:
        """Stopped stays stopped through events that say nothing of the run's status."""
        sample = {event.type: event for event in sample_events("r")}
        told = ["RunStarted", "PlanCompleted", "TaskReported", "RunStopped", "UsageAdded", "RunAdopted", "RunFinished"]
        seen: list[str] = []
        async with self.opened(tmp_path) as journal:
            for after, type in enumerate(told):
                await journal.append("r", [sample[type].model_copy(update={"seq": after + 1})], after=after)
                record = await journal.record("r")
                assert record is not None
                seen.append(record.status)
        assert seen == ["planning", "running", "running", "stopped", "stopped", "running", "partial"]

    async def test_runs_come_newest_first(self, tmp_path: Path) -> None:
        """Every run is listed once, the newest first, up to the limit."""
        async with self.opened(tmp_path) as journal:
            names = [f"r{n:03}" for n in range(450)]
            await asyncio.gather(*(journal.append(name, [started(name)], after=0) for name in names))
            assert [record.run_id async for record in journal.runs()] == names[::-1]
            assert [record.run_id async for record in journal.runs(limit=3)] == names[:-4:-1]
            assert [record.run_id async for record in journal.runs(limit=0)] == []

    async def test_runs_by_status_and_tags(self, tmp_path: Path) -> None:
        """A filter lets through the runs with that status and all those tags."""
        async with self.opened(tmp_path) as journal:
            for name, tags in {"a": {}, "b": {"x": "1"}, "c": {"x": "1", 'y"': "2"}, "d": {"x": "2"}}.items():
                await journal.append(name, [started(name, tags=tags)], after=0)
            await journal.append("b", [finished("b", 2)], after=1)

            async def listed(status: str | None = None, tags: dict[str, str] | None = None) -> str:
                return "".join([record.run_id async for record in journal.runs(status=status, tags=tags)])

            assert await listed(tags={"x": "1"}) == "cb"
            assert await listed(tags={"x": "1", 'y"': "2"}) == "c"
            assert await listed(status="planning") == "dca"
            assert await listed(status="succeeded", tags={"x": "1"}) == "b"
            assert await listed(status="stopped") == ""

    async def test_a_key_belongs_to_one_run(self, tmp_path: Path) -> None:
        """A run is found by its key; a second run under the same key conflicts, together or later."""
        async with self.opened(tmp_path) as journal:
            done = await asyncio.gather(
                *(journal.append(name, [started(name, key="k")], after=0) for name in "abc"), return_exceptions=True
            )
            assert [type(each) for each in done] == [type(None), JournalConflict, JournalConflict]
            with pytest.raises(JournalConflict, match="'k' belongs to run a"):
                await journal.append("d", [started("d", key="k")], after=0)
            found = await journal.find("k")
            assert found is not None
            assert found.run_id == "a"
            assert [record.run_id async for record in journal.runs()] == ["a"]

    async def test_closing_waits_for_what_was_queued(self, tmp_path: Path) -> None:
        """Every append before `close` is done after it."""
        async with self.opened(tmp_path) as journal:
            futures = [journal.append("r", [reported("r", seq)], after=seq - 1) for seq in range(1, 601)]
            await journal.close()
            await asyncio.wait_for(futures[-1], 1)
            assert all(future.done() for future in futures)

    async def test_a_closed_journal_refuses(self, tmp_path: Path) -> None:
        """Before `open` and after `close` an append is an error in words; closing twice, or unopened, is harmless."""
        journal = self.make(tmp_path)
        await journal.close()
        for _ in range(2):
            with pytest.raises(JournalError, match="not open"):
                await journal.append("r", [reported("r", 1)], after=0)
            await journal.open()
            await journal.close()
            await journal.close()

    async def test_requests_wait_until_they_are_settled(self, tmp_path: Path) -> None:
        """A journal with an inbox gives requests in order, behind an id, until each is settled."""
        async with self.opened(tmp_path) as journal:
            if not isinstance(journal, Inbox):
                pytest.skip("this journal has no inbox")
            first = await journal.request("r", "cancel", {"why": "ö"}, by="me", at=1.5)
            second = await journal.request("r", "approve", {}, by="you", at=2.5)
            requests = await journal.requests()
            assert [(each.id, each.kind, each.payload, each.by, each.at) for each in requests] == [
                (first, "cancel", {"why": "ö"}, "me", 1.5),
                (second, "approve", {}, "you", 2.5),
            ]
            assert [each.id for each in await journal.requests(after=first)] == [second]
            await journal.settle(first)
            await journal.settle(first)
            assert [each.id for each in await journal.requests()] == [second]
            await journal.settle(second)
            assert await journal.request("r", "cancel", {}, by="me", at=3.5) > second

    async def test_it_is_open_until_each_of_its_users_has_closed_it(self, tmp_path: Path) -> None:
        """Users that open and close it at the same time do not close it for one another; then it refuses."""
        async with self.opened(tmp_path) as journal:
            await asyncio.gather(journal.open(), journal.open())
            await self.fill(journal, "r", 1)
            await asyncio.gather(journal.close(), journal.open(), journal.close())
            await journal.append("r", [reported("r", 2)], after=1)
            await journal.close()
            await journal.append("r", [reported("r", 3)], after=2)
        with pytest.raises(JournalError, match="not open"):
            await journal.append("r", [reported("r", 4)], after=3)
        await journal.open()
        await journal.append("r", [reported("r", 4)], after=3)
        assert [event.seq for event in await journal.read("r")] == [1, 2, 3, 4]
        await journal.close()
        await journal.close()

    async def test_an_owner_lives_until_it_is_disclaimed(self, tmp_path: Path) -> None:
        """Where a journal knows who is alive: from claim to disclaim, for every user of the journal, one by one."""
        async with self.opened(tmp_path) as journal:
            if not isinstance(journal, KnowsOwners):
                pytest.skip("this journal does not know who is alive")
            journal.claim("ann")
            journal.claim("ann")
            journal.claim("bob")
            before = [journal.is_alive(name) for name in ("ann", "bob", "eve")]
            journal.disclaim("ann")
            journal.disclaim("eve")
            after = [journal.is_alive(name) for name in ("ann", "bob", "eve")]
            journal.disclaim("bob")
            assert (before, after, journal.is_alive("bob")) == ([True, True, False], [False, True, False], False)
