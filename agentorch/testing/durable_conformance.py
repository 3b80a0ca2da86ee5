"""What a journal that outlives the process must do besides."""

from pathlib import Path

import pytest

from agentorch.errors import JournalConflict
from agentorch.testing.journal_conformance import JournalConformance
from agentorch.testing.journal_suite import reported, started


class DurableJournalConformance(JournalConformance):
    """What holds besides for a journal that outlives the process."""

    async def test_it_is_all_there_when_opened_again(self, tmp_path: Path) -> None:
        """Events, records, keys and heads are as they were."""
        async with self.opened(tmp_path) as journal:
            assert journal.durable
            events = await self.fill(journal, "r", 5)
            await journal.append("k", [started("k", key="key", tags={"a": "b"})], after=0)
            records = [record async for record in journal.runs()]
        async with self.opened(tmp_path) as journal:
            assert await journal.read("r") == events
            assert [record async for record in journal.runs()] == records
            assert await journal.find("key") == records[0]
            with pytest.raises(JournalConflict):
                await journal.append("r", [reported("r", 5)], after=4)
            await journal.append("r", [reported("r", 6)], after=5)
            assert [event.seq for event in await journal.read("r", after=4)] == [5, 6]

    async def test_two_openings_fence_each_other(self, tmp_path: Path) -> None:
        """Two writers on one journal: whoever comes second to a place conflicts, and then sees the other's event."""
        async with self.opened(tmp_path) as one, self.opened(tmp_path) as two:
            await self.fill(one, "r", 1)
            await two.append("r", [reported("r", 2, "two")], after=1)
            with pytest.raises(JournalConflict):
                await one.append("r", [reported("r", 2, "one")], after=1)
            assert await one.read("r", after=1) == [reported("r", 2, "two")]
            await one.append("r", [reported("r", 3, "one")], after=2)
            assert await two.read("r", after=2) == [reported("r", 3, "one")]

    async def test_what_is_acknowledged_is_seen_by_others(self, tmp_path: Path) -> None:
        """As soon as an append is done, another reader has it; before, it has the whole of it or nothing."""
        async with self.opened(tmp_path) as one, self.opened(tmp_path) as two:
            for first in range(1, 100, 3):
                done = one.append("r", [reported("r", seq) for seq in range(first, first + 3)], after=first - 1)
                assert len(await two.read("r")) in {first - 1, first + 2}
                await done
                assert len(await two.read("r")) == first + 2
