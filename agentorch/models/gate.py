"""The gate before one provider key in one event loop: who may call now, and when the next one may.

1. Calls pass in the order of arrival + class offset (`Caller.behind`): one that is said to stand 300 seconds behind is
   passed by what comes in those 300 seconds, and by nothing else. Nobody passes otherwise, however small the request:
   what there is, is held for the head of the line.
2. A call passes when a slot is free, the pause is over, and there is room for it among requests and tokens.
3. While nothing is known of the provider, half as many calls may be unanswered as were answered, and four at least.
4. When the provider refuses, everybody pauses for as long as it says, or for a doubling time with jitter, and the limit
   that it must have is learned. Where nothing tells a limit on rates from one on calls at once, half as many may be
   under way; each success then gives back a part, so that a full round gives one.
   A call that has waited long keeps its place when it is refused (see `GovernedModel`).
5. A provider that asks for more than ten minutes is not waited for: everybody in the queue, and whoever comes, is told
   so at once. Ten minutes later it is asked again.
6. Nothing polls: whoever leaves lets the next in, and one timer stands for the first in the queue.
"""

import asyncio
import hashlib
import heapq
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from agentorch.errors import FailureKind, ModelError
from agentorch.models.headers import Allowance
from agentorch.models.quota import Quota
from agentorch.models.window import Entry

_LOGGER = logging.getLogger(__name__)
_FIRST_PAUSE: Final = 1.0
_LONGEST_BACK_OFF: Final = 60.0
LONGEST_PAUSE: Final = 600.0
"""Seconds that a call may be made to wait by its provider."""
_WORTH_SAYING: Final = 30.0
"""A pause of so many seconds is logged: whoever watches should know why nothing moves."""
_UNANSWERED: Final = 4
_TELLING: Final = 4
"""Requests in the minute before a refusal without which it says nothing of our own limit."""
_SLACK: Final = 1e-6

Reason = Literal["requests", "tokens", "concurrency"]
"""What a provider says that there was too much of."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one provider key allows; None is no limit."""

    concurrency: int = 32
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(slots=True, eq=False)
class Passage:
    """One call: in the queue, then under way."""

    expected: Callable[[], float]
    """How many tokens it takes, by what is known now."""
    arrived: float
    place: tuple[float, int]
    """Arrival + class offset, and a number that breaks ties."""
    admitted: asyncio.Future[None]
    tokens: float = 0.0
    """How many it was expected to take when it passed."""
    passed_at: float = 0.0
    request: Entry | None = None
    use: Entry | None = None
    heard: bool = False
    """Whether the provider has begun to answer."""
    refused: bool = False
    settled: bool = False
    """Whether it is known what it took."""


class Gate:
    """See the rules above; every method is called in the loop's own thread."""

    def __init__(self, name: str, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self._name = name
        self._loop = loop
        self._most = float(limits.concurrency)
        self._ceiling = self._most
        self._requests = Quota(limits.requests_per_minute)
        self._tokens = Quota(limits.tokens_per_minute)
        self._queue: list[tuple[float, int, Passage]] = []
        self._entered = 0
        self._under_way: set[Passage] = set()
        self._answered = 0
        self._unanswered = 0
        self._paused_until = 0.0
        self._closed_until = 0.0
        """The moment that the provider named, when it is too far off to wait for."""
        self._strikes = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ceiling(self) -> int:
        """How many calls may be under way at once just now."""
        return max(1, int(self._ceiling + _SLACK))

    def enter(self, expected: Callable[[], float], *, behind: float = 0.0, kept: Passage | None = None) -> Passage:
        """Stand in the queue, in the place that was `kept` from a passage that was refused.

        The passage's future is done when the call may be made, or never in time: ModelError.
        """
        now = self._loop.time()
        self._entered += 1
        place = (now + behind, self._entered) if kept is None else kept.place
        passage = Passage(expected, now, place, self._loop.create_future())
        heapq.heappush(self._queue, (*place, passage))
        if passage.arrived + _SLACK < self._paused_until < self._closed_until:
            self._turn_away(passage.arrived)
        self._let_in()
        return passage

    def abandon(self, passage: Passage) -> None:
        """Leave without having called."""
        passage.admitted.cancel()  # one that still stands in the queue is passed over there
        if passage in self._under_way:  # let in and cancelled in the same moment
            self._took(passage, tokens=0, requests=0)
            self.leave(passage)
        else:
            self._let_in()

    def leave(self, passage: Passage) -> None:
        """The call is over."""
        self._under_way.discard(passage)
        self._heard(passage)
        self._let_in()

    def succeeded(self, passage: Passage, tokens: float) -> None:
        """Put what the call took in the place of the estimate; recover a little, if it began after the last pause."""
        self._answered += not passage.heard
        self._heard(passage)
        self._took(passage, tokens=tokens)
        passage.settled = True
        if passage.passed_at + _SLACK >= self._paused_until:
            self._strikes = 0
            self._ceiling = min(self._most, self._ceiling + 1 / self._ceiling)

    def refused(self, passage: Passage | None, seconds: float | None, reason: Reason | None) -> None:
        """Stop everybody, as the provider asked; `seconds` is its word, if it gave one, `reason` what it names."""
        now = self._loop.time()
        again = now + _SLACK < self._paused_until  # what was under way when the pause began is no second reason
        if passage is not None:
            self._took(passage, tokens=0, requests=0)
            passage.refused = passage.settled = True
            self._heard(passage)
        told = reason is not None
        if passage is not None:
            told = self._learn(now, passage, reason, again=again)
        if not again:
            if reason == "concurrency" or (seconds is None and not told):
                self._ceiling = max(1.0, self._ceiling / 2)
            self._strikes += 1
            self._closed_until = 0.0
        self._pause(now, self._back_off() if seconds is None else seconds)

    def hear(self, passage: Passage | None, *, requests: Allowance | None, tokens: Allowance | None) -> None:
        """Take note that the provider has begun to answer, and of what it says is left."""
        now = self._loop.time()
        if passage is not None:
            self._answered += not passage.heard
            self._heard(passage)
        if requests is not None:
            self._requests.hear(now, requests, passage.request if passage is not None else None)
        if tokens is not None:
            self._tokens.hear(now, tokens, passage.use if passage is not None else None)
        self._let_in()

    def _heard(self, passage: Passage) -> None:
        if not passage.heard and passage.request is not None:
            passage.heard = True
            self._unanswered -= 1

    def _took(self, passage: Passage, *, tokens: float, requests: float = 1) -> None:
        if passage.use is not None and passage.request is not None:
            self._tokens.settle(passage.use, tokens)
            self._requests.settle(passage.request, requests)

    def _learn(self, now: float, passage: Passage, reason: Reason | None, *, again: bool) -> bool:
        """Learn a limit from a refusal; return whether anything had told that there is one."""
        for other in self._under_way - {passage}:
            if not other.settled:  # what was learned since it passed makes the measure better
                self._took(other, tokens=other.expected())
        amounts = {self._requests: 1.0, self._tokens: passage.tokens}
        named = {"requests": [self._requests], "tokens": [self._tokens], "concurrency": list[Quota]()}
        likely = [quota for quota, amount in amounts.items() if quota.explains(now, amount)]
        told = bool(likely) or any(quota.has_taught(now, amount) for quota, amount in amounts.items())
        suspects = named[reason] if reason is not None else likely or list(amounts)
        for quota in suspects if self._requests.held(now) >= _TELLING else ():
            (quota.refused_too if again else quota.refused)(now, amounts[quota])
        return told or reason is not None

    def _pause(self, now: float, seconds: float) -> None:
        if seconds > _WORTH_SAYING and now + seconds > self._paused_until + _WORTH_SAYING:
            _LOGGER.warning("%s asks for a pause of %.0f s", self._name, seconds)
        self._paused_until = max(self._paused_until, now + min(seconds, LONGEST_PAUSE))
        if seconds > LONGEST_PAUSE:
            self._closed_until = max(self._closed_until, now + seconds)
            self._turn_away(now)
        self._let_in()

    def _let_in(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._loop.time()
        while self._queue and len(self._under_way) < self.ceiling:
            passage = self._queue[0][2]
            if passage.admitted.done():
                heapq.heappop(self._queue)
                continue
            if self._unanswered >= max(_UNANSWERED, self._answered // 2) and not self._is_known(now):
                return
            tokens = passage.expected()
            wait = self._wait(now, tokens)
            if wait > _SLACK:
                self._timer = self._loop.call_at(now + wait, self._let_in)
                return
            heapq.heappop(self._queue)
            self._admit(now, passage, tokens)

    def _is_known(self, now: float) -> bool:
        return self._requests.is_known(now) or self._tokens.is_known(now)

    def _turn_away(self, now: float) -> None:
        wait = self._closed_until - now
        words = f"{self._name} asks to be left alone for {wait:.0f} s, and no call waits that long"
        for _, _, passage in self._queue:
            if not passage.admitted.done():
                passage.admitted.set_exception(ModelError(words, kind=FailureKind.TRANSIENT, retry_after=wait))
        self._queue.clear()

    def _wait(self, now: float, tokens: float) -> float:
        return max(self._paused_until - now, self._requests.wait(now, 1), self._tokens.wait(now, tokens))

    def _admit(self, now: float, passage: Passage, tokens: float) -> None:
        passage.passed_at = now
        passage.tokens = tokens
        passage.request = self._requests.take(now, 1)
        passage.use = self._tokens.take(now, tokens)
        self._under_way.add(passage)
        self._unanswered += 1
        passage.admitted.set_result(None)

    def _back_off(self) -> float:
        longest = min(_LONGEST_BACK_OFF, _FIRST_PAUSE * 2 ** (self._strikes - 1))
        # The same for the same provider and strike, different between providers: no randomness is needed.
        seed = hashlib.sha256(f"{self._name}/{self._strikes}".encode()).digest()
        return longest * (0.5 + seed[0] / 512)
