"""What goes on of runs that were lost here: dispatches that were told to stop, and have not said yet that they have.

A run may be taken up again by the process that has lost it. Its dispatches are then sent again under the same keys, so
what the old ones say, and do, must be over first.
"""

import asyncio


class Endings:
    """Dispatches of lost runs that have not ended."""

    def __init__(self) -> None:
        self._open: dict[str, set[str]] = {}
        """Their keys, by run."""
        self._over: dict[str, asyncio.Event] = {}

    def expect(self, key: str) -> None:
        """Take note of a dispatch that was told to stop."""
        run_id = key.split("/", 1)[0]
        self._open.setdefault(run_id, set()).add(key)
        self._over.setdefault(run_id, asyncio.Event())

    def heard(self, key: str) -> None:
        """A dispatch has ended, or is not waited for any more."""
        run_id = key.split("/", 1)[0]
        keys = self._open.get(run_id)
        if keys is None:
            return
        keys.discard(key)
        if not keys:
            del self._open[run_id]
            self._over.pop(run_id).set()

    async def of(self, run_id: str) -> None:
        """Wait until nothing of the run goes on; a worker gives each body its grace, and no more."""
        while (over := self._over.get(run_id)) is not None:
            await over.wait()
