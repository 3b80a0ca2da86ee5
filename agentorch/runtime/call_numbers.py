"""The numbers of equal calls in one dispatch: how-many-eth each is of those that brought something.

1. A call takes the lowest number that no other one holds and that was not used up in this dispatch.
2. One that has brought nothing gives its number back: made again, it is the same one.
3. Where any of the equal calls may have an earlier one's result, those go first that have one: of two side by side the
   second may have been answered alone.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush


class CallNumbers:
    """Numbers from 1 on."""

    __slots__ = ("_back", "_finished", "_last", "_unread")

    def __init__(self, finished: Iterable[int] = ()) -> None:
        """Make them ready; `finished` are those whose results are known and may be had first."""
        self._finished = frozenset(finished)
        self._unread = list(self._finished)
        """Those of them that no call has now: a heap."""
        heapify(self._unread)
        self._back: list[int] = []
        """Others that were given back: a heap, too."""
        self._last = 0

    def take(self) -> int:
        """Return the number of a call that begins."""
        for kept in (self._unread, self._back):
            if kept:
                return heappop(kept)
        self._last += 1
        while self._last in self._finished:
            self._last += 1
        return self._last

    def give_back(self, number: int) -> None:
        """A call has brought nothing."""
        heappush(self._unread if number in self._finished else self._back, number)
