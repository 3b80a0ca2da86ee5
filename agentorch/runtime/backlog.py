"""Work that a worker was given and has not begun: while much waits, nothing more is admitted.

Work is begun in the order in which it came. What is admitted behind more than a burst of it would begin no earlier for
that, and which task goes next would be decided too soon: a run that is nearly done would stand behind all that came to
the worker before it was known what it needs. So the ready tasks wait where they are ordered, with the scheduler.

That holds where the worker has the bus to itself. What comes to it from another scheduler is none of this one's, and
what this one admits may go to another worker: then there is no bound but the slots.
"""

import sys
from collections import deque
from collections.abc import Callable
from typing import Final

from agentorch.ports.bus import Delivery

MUCH: Final = 128
"""Tasks: more than a slot begins in one burst, so that it has never to wait for the next ones."""


class Backlog:
    """What waits between the scheduler of this process and its worker."""

    __slots__ = ("admit_more", "held", "most", "queue")

    def __init__(self, most: int = sys.maxsize) -> None:
        self.queue: deque[Delivery] = deque()
        """What the worker is to begin, in order."""
        self.most = most
        """Tasks that may be admitted and not begun."""
        self.held = False
        """Whether tasks are held back: when the queue is empty, `admit_more` is to be called."""
        self.admit_more: Callable[[], None] = lambda: None
        """Admits what was held back."""

    @property
    def is_short(self) -> bool:
        """Whether tasks are held back and little is at hand: what was admitted comes when it is durable."""
        return self.held and len(self.queue) < self.most
