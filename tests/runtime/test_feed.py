"""The feed: readers that keep up do not read the journal, and nothing is missed."""

import asyncio

from agentorch.core.events import Event, PlanNoted, RunFinished
from agentorch.journal.memory import MemoryJournal
from agentorch.runtime.feed import Feed
from agentorch.runtime.pages import PAGE, Pages


class CountingJournal(MemoryJournal):
    """Counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    async def read(self, run_id: str, *, after: int = 0, limit: int = 1000) -> list[Event]:
        """Read, and count."""
        self.reads += 1
        return await super().read(run_id, after=after, limit=limit)


def note(seq: int) -> Event:
    return PlanNoted(seq=seq, at=0.0, run_id="r", notes=("n",), source="s")


async def test_a_reader_that_keeps_up_reads_no_journal() -> None:
    """It begins with the journal, as the ring is empty; after that the ring tells it all."""
    journal = CountingJournal()
    await journal.open()
    feed = Feed("r", journal)
    seen: list[int] = []

    async def read() -> None:
        seen.extend([event.seq async for event in feed.read()])

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(0)
    for seq in range(1, 50):
        event = note(seq) if seq < 49 else RunFinished(seq=seq, at=0.0, run_id="r", status="succeeded")
        await journal.append("r", [event], after=seq - 1)
        feed.publish([event])
        for _ in range(5):
            await asyncio.sleep(0)
    await asyncio.gather(*readers)

    assert sorted(seen) == sorted([*range(1, 50)] * 3)
    assert journal.reads <= 6


async def test_what_came_after_the_end_of_the_feed_is_read_from_the_journal() -> None:
    """Another process may have gone on: whoever is level with the ring looks once more."""
    journal = CountingJournal()
    await journal.open()
    feed = Feed("r", journal)
    seen: list[int] = []

    async def read() -> None:
        seen.extend([event.seq async for event in feed.read()])

    reader = asyncio.create_task(read())
    await asyncio.sleep(0)
    await journal.append("r", [note(1)], after=0)
    feed.publish([note(1)])
    await asyncio.sleep(0.01)
    await journal.append("r", [note(2)], after=1)
    feed.end()
    await reader

    assert seen == [1, 2]


async def test_readers_that_are_behind_share_what_they_read() -> None:
    """Fifty late readers of a long run: each full page of the journal is read and decoded once."""
    journal = CountingJournal()
    await journal.open()
    feed = Feed("r", journal)
    last = 4 * PAGE + 1
    await journal.append("r", [note(seq) for seq in range(1, last)], after=0)
    end = RunFinished(seq=last, at=0.0, run_id="r", status="succeeded")
    await journal.append("r", [end], after=last - 1)
    feed.publish([end])

    async def read() -> list[int]:
        return [event.seq async for event in feed.read()]

    seen = await asyncio.gather(*(read() for _ in range(50)))

    assert seen == [list(range(1, last + 1))] * 50
    assert journal.reads == 4 + 50  # the last page has one event, and may still grow


async def test_a_reader_that_leaves_does_not_take_the_page_along() -> None:
    """Who shares a page with a cancelled reader still gets it; one that failed is read again."""
    journal = CountingJournal()
    await journal.open()
    await journal.append("r", [note(seq) for seq in range(1, PAGE + 1)], after=0)
    pages = Pages("r", journal)
    leaving = asyncio.create_task(pages.behind(0, head=PAGE))
    staying = asyncio.create_task(pages.behind(10, head=PAGE))
    await asyncio.sleep(0)
    leaving.cancel()
    assert [event.seq for event in await staying] == list(range(11, PAGE + 1))
    assert journal.reads == 1
