"""The gate before one provider key in one event loop: who may call now, and when the next one may.

1. First come, first served: nobody passes one who waits, however small the request.
2. A call passes when a slot is free, the pause is over, and both minutes (ours and the provider's) have room for it.
3. When the provider asks for fewer requests, everybody pauses for as long as it says, or for a doubling time with
   jitter, and half as many may be under way; each success then gives back a part, so that a full round gives one.
4. A provider that asks for more than ten minutes is not waited for: everybody in the queue, and whoever comes, is told
   so at once. Ten minutes later it is asked again.
5. Nothing polls: whoever leaves lets the next in, and one timer stands for the first in the queue.
"""

import asyncio
import hashlib
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final

from agentorch.errors import FailureKind, ModelError
from agentorch.models.headers import Allowance
from agentorch.models.window import Entry, Told, Window

_LOGGER = logging.getLogger(__name__)
_FIRST_PAUSE: Final = 1.0
_LONGEST_BACK_OFF: Final = 60.0
LONGEST_PAUSE: Final = 600.0
"""Seconds that a call may be made to wait by its provider."""
_WORTH_SAYING: Final = 30.0
"""A pause of so many seconds is logged: whoever watches should know why nothing moves."""
_SLACK: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Limits:
    """What one provider key allows; None is no limit."""

    concurrency: int = 32
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(slots=True, eq=False)
class Passage:
    """One call: in the queue, then under way."""

    tokens: float
    arrived: float
    admitted: asyncio.Future[None]
    passed_at: float = 0.0
    request: Entry | None = None
    use: Entry | None = None
    heard: bool = False
    """Whether headers have come that may count it."""


class Gate:
    """See the rules above; every method is called in the loop's own thread."""

    def __init__(self, name: str, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self._name = name
        self._loop = loop
        self._most = float(limits.concurrency)
        self._ceiling = self._most
        self._requests = Window(limits.requests_per_minute or float("inf"))
        self._tokens = Window(limits.tokens_per_minute or float("inf"))
        self._told_requests = Told()
        self._told_tokens = Told()
        self._queue: deque[Passage] = deque()
        self._under_way: set[Passage] = set()
        self._paused_until = 0.0
        self._closed_until = 0.0
        """The moment that the provider named, when it is too far off to wait for."""
        self._strikes = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ceiling(self) -> int:
        """How many calls may be under way at once just now."""
        return max(1, int(self._ceiling + _SLACK))

    def enter(self, tokens: float) -> Passage:
        """Stand in the queue; the passage's future is done when the call may be made, or never in time: ModelError."""
        passage = Passage(tokens, self._loop.time(), self._loop.create_future())
        self._queue.append(passage)
        if passage.arrived + _SLACK < self._paused_until < self._closed_until:
            self._turn_away(passage.arrived)
        self._let_in()
        return passage

    def abandon(self, passage: Passage) -> None:
        """Leave without having called."""
        if passage in self._under_way:  # let in and cancelled in the same moment
            self._under_way.discard(passage)
            self.settle(passage, 0)
            if passage.request is not None:
                self._requests.settle(passage.request, 0)
        elif passage in self._queue:
            self._queue.remove(passage)
        self._let_in()

    def leave(self, passage: Passage) -> None:
        """The call is over."""
        self._under_way.discard(passage)
        self._let_in()

    def settle(self, passage: Passage, tokens: float) -> None:
        """Put what the call really took in the place of the estimate."""
        if passage.use is not None:
            self._tokens.settle(passage.use, tokens)

    def succeeded(self, passage: Passage) -> None:
        """Recover a little, unless the call began before the last pause."""
        if passage.passed_at + _SLACK >= self._paused_until:
            self._strikes = 0
            self._ceiling = min(self._most, self._ceiling + 1 / self._ceiling)

    def pause(self, seconds: float | None) -> None:
        """Stop everybody, as the provider asked; `seconds` is its word, if it gave one."""
        now = self._loop.time()
        if now + _SLACK >= self._paused_until:  # what was under way when the pause began is no second reason
            self._ceiling = max(1.0, self._ceiling / 2)
            self._strikes += 1
            self._closed_until = 0.0
        asked = self._back_off() if seconds is None else seconds
        if now + asked > self._paused_until + _WORTH_SAYING:
            _LOGGER.warning("%s asks for a pause of %.0f s", self._name, asked)
        self._paused_until = max(self._paused_until, now + min(asked, LONGEST_PAUSE))
        if asked > LONGEST_PAUSE:
            self._closed_until = max(self._closed_until, now + asked)
            self._turn_away(now)
        self._let_in()

    def hear(self, *, requests: Allowance | None, tokens: Allowance | None) -> None:
        """Take note of what the provider says is left."""
        now = self._loop.time()
        unheard = [passage for passage in self._under_way if not passage.heard]
        if unheard:  # answers come in about the order of their questions
            first = min(unheard, key=lambda passage: passage.passed_at)
            first.heard = True
            unheard.remove(first)
        if requests is not None:
            self._told_requests.hear(now, requests, under_way=len(unheard))
        if tokens is not None:
            self._told_tokens.hear(now, tokens, under_way=sum(passage.tokens for passage in unheard))
        self._let_in()

    def _let_in(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        while self._queue and len(self._under_way) < self.ceiling:
            if self._queue[0].admitted.cancelled():
                self._queue.popleft()
                continue
            wait = self._wait(now, self._queue[0])
            if wait > _SLACK:
                self._timer = self._loop.call_at(now + wait, self._let_in)
                return
            self._admit(now, self._queue.popleft())

    def _turn_away(self, now: float) -> None:
        wait = self._closed_until - now
        words = f"{self._name} asks to be left alone for {wait:.0f} s, and no call waits that long"
        while self._queue:
            admitted = self._queue.popleft().admitted
            if not admitted.done():
                admitted.set_exception(ModelError(words, kind=FailureKind.TRANSIENT, retry_after=wait))

    def _wait(self, now: float, passage: Passage) -> float:
        return max(
            self._paused_until - now,
            self._requests.wait(now, 1),
            self._tokens.wait(now, passage.tokens),
            self._told_requests.wait(now, 1),
            self._told_tokens.wait(now, passage.tokens),
        )

    def _admit(self, now: float, passage: Passage) -> None:
        passage.passed_at = now
        passage.request = self._requests.take(now, 1)
        passage.use = self._tokens.take(now, passage.tokens)
        self._told_requests.take(now, 1)
        self._told_tokens.take(now, passage.tokens)
        self._under_way.add(passage)
        passage.admitted.set_result(None)

    def _back_off(self) -> float:
        longest = min(_LONGEST_BACK_OFF, _FIRST_PAUSE * 2 ** (self._strikes - 1))
        # The same for the same provider and strike, different between providers: no randomness is needed.
        seed = hashlib.sha256(f"{self._name}/{self._strikes}".encode()).digest()
        return longest * (0.5 + seed[0] / 512)
