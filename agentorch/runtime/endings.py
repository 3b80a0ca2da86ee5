"""What goes on of runs that were lost here: dispatches that were told to stop, and have not said yet that they have.

A run may be taken up again by the process that has lost it. Its dispatches are then sent again under the same keys, so
what the old ones say, and do, must be over first.
"""

import asyncio


class Endings:
    """Dispatches of lost runs that have not ended."""

    def __init__(self) -> None:
        self.open: dict[str, set[str]] = {}
        """Their keys, by run."""
        self._over: dict[str, asyncio.Event] = {}
        self._words: dict[str, asyncio.Future[None]] = {}
        """The last words of runs that were let go, on their way to the journal."""

    def expect(self, key: str) -> None:
        """Take note of a dispatch that was told to stop."""
        run_id = key.split("/", 1)[0]
        self.open.setdefault(run_id, set()).add(key)
        self._over.setdefault(run_id, asyncio.Event())

    def write(self, run_id: str, written: "asyncio.Future[None] | None") -> None:
        """Take note of the last words of a run, should there be any."""
        if written is not None and not written.done():
            self._words[run_id] = written
            written.add_done_callback(lambda _: self._words.pop(run_id, None))

    async def written(self) -> None:
        """Wait until all last words are in the journal, or cannot be."""
        if self._words:
            await asyncio.wait([*self._words.values()])

    def heard(self, run_id: str, key: str) -> None:
        """A dispatch of a run has ended, or is not waited for any more."""
        keys = self.open.get(run_id)
        if keys is None:
            return
        keys.discard(key)
        if not keys:
            del self.open[run_id]
            self._over.pop(run_id).set()

    async def of(self, run_id: str) -> None:
        """Wait until nothing of the run goes on, and its last words are written; a body has its grace, and no more."""
        if (written := self._words.get(run_id)) is not None:
            await asyncio.wait([written])
        while (over := self._over.get(run_id)) is not None:
            await over.wait()
