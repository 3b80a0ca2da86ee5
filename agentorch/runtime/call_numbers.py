"""The numbers of equal calls in one dispatch: how-many-eth each is of those that brought something.

1. A call takes the lowest number that no other one holds and that was not used up in this dispatch.
2. One that has brought nothing gives its number back: made again, it is the same one.
3. Where any of the equal calls may have an earlier one's result (questions to a model or a person), those go first that
   have one: of two side by side the second may have been answered alone.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush


class CallNumbers:
    """Numbers from 1 on."""

    __slots__ = ("_back", "_finished", "_gone", "_last", "_unread")

    def __init__(self, finished: Iterable[int] = ()) -> None:
        """Make them ready; `finished` are those whose results are known and may be had first."""
        self._finished = frozenset(finished)
        self._unread = sorted(self._finished)
        """Those of them that no call has now: a heap."""
        self._back: list[int] = []
        """Others that were given back: a heap, too."""
        self._gone: set[int] = set()
        self._last = 0

    def take(self) -> int:
        """Return the number of a call that begins."""
        if self._unread or self._back:
            return heappop(self._unread or self._back)
        self._last += 1
        while self._last in self._finished or self._last in self._gone:
            self._last += 1
        return self._last

    def give_back(self, number: int) -> None:
        """A call has brought nothing; said twice it is the same."""
        free = self._unread if number in self._finished else self._back
        if number not in free:
            heappush(free, number)

    def use_up(self, number: int) -> None:
        """No call may have a number: it is one's that is not made again."""
        self._gone.add(number)


class Held:
    """A number that is held while a `with` block lasts, under the name that `named` gives it."""

    __slots__ = ("_numbers", "_unless", "name", "number")

    def __init__(
        self, numbers: CallNumbers, named: Callable[[int], str], unless: type[BaseException] = BaseException
    ) -> None:
        """Take it; it is given back when the block ends by an exception of the type `unless`."""
        self._numbers = numbers
        self._unless = unless
        self.number = numbers.take()
        self.name = named(self.number)

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None and issubclass(kind, self._unless):
            self._numbers.give_back(self.number)
