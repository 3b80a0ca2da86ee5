"""Pages of a run's journal, read and decoded once for all readers that come by at about the same time."""

import asyncio
from collections import OrderedDict
from typing import Final

from agentorch.core.events import Event
from agentorch.ports.journal import Journal

PAGE: Final = 500
"""Events read from the journal at once."""
KEPT: Final = 8
"""Pages that are kept decoded."""


class Pages:
    """The durable events of one run, by pages of PAGE.

    Only pages that are known to be full are shared: they never change. The last, growing page is read by each reader
    itself.
    """

    def __init__(self, run_id: str, journal: Journal) -> None:
        self._run_id = run_id
        self._journal = journal
        self._kept: OrderedDict[int, asyncio.Task[list[Event]]] = OrderedDict()

    async def behind(self, after: int, *, head: int) -> list[Event]:
        """Return the events behind `after` up to the end of its page; `head` is the last that is known to be there."""
        number = after // PAGE
        start = number * PAGE
        if start + PAGE > head:
            return await self._journal.read(self._run_id, after=after, limit=PAGE)
        # A reader that is cancelled must not take the page from the others.
        page = await asyncio.shield(self._page(number))
        return page[after - start :]

    def clear(self) -> None:
        """Keep nothing: nobody reads."""
        self._kept.clear()

    def _page(self, number: int) -> "asyncio.Task[list[Event]]":
        page = self._kept.get(number)
        if page is None or (page.done() and (page.cancelled() or page.exception() is not None)):
            read = self._journal.read(self._run_id, after=number * PAGE, limit=PAGE)
            page = self._kept[number] = asyncio.ensure_future(read)  # pyright: ignore[reportArgumentType]
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return page
