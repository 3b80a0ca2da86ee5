"""Rate limits that a fake server counts and enforces: what a governor is held against.

    limited = RateLimited(lambda body: Say("hello", usage=(700, 300, 0)), requests=60, tokens=60_000)
    async with FakeOpenAI(otherwise=limited) as server:
        ...
    assert limited.used("tokens", seconds=600) > 0.95 and not limited.refused

1. An answer's usage is what its request takes, counted when the request comes; one that does not fit gets 429.
2. Three ways of counting a minute, as providers do: any 60 seconds ("sliding"), minutes of the server's own clock
   ("fixed"), an allowance that refills evenly ("bucket").
3. A request that is larger than the limit fits when nothing else was taken.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal, Protocol

import anyio

from agentorch.testing.fake_openai import Answering, Fail, Say

MINUTE: Final = 60.0
_SLACK: Final = 1e-6

Kind = Literal["sliding", "fixed", "bucket"]
Unit = Literal["requests", "tokens"]


class Meter(Protocol):
    """One way of counting."""

    def left(self, now: float) -> float:
        """Return what may be taken now."""
        ...

    def take(self, now: float, amount: float) -> None:
        """Take `amount`."""
        ...

    def until(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` is left, if nobody takes more."""
        ...


class Sliding:
    """At most `limit` in any minute."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._taken: deque[tuple[float, float]] = deque()

    def left(self, now: float) -> float:
        """Return what may be taken now."""
        while self._taken and self._taken[0][0] + MINUTE <= now + _SLACK:
            self._taken.popleft()
        return self._limit - sum(amount for _, amount in self._taken)

    def take(self, now: float, amount: float) -> None:
        """Take `amount`."""
        self._taken.append((now, amount))

    def until(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` is left."""
        left = self.left(now)
        for at, taken in self._taken:
            if left >= amount:
                break
            left += taken
            if left >= amount:
                return at + MINUTE - now
        return 0.0


class Fixed:
    """At most `limit` in each minute of the server's clock."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._minute = 0
        self._taken = 0.0

    def left(self, now: float) -> float:
        """Return what may be taken now."""
        minute = math.floor((now + _SLACK) / MINUTE)
        if minute != self._minute:
            self._minute, self._taken = minute, 0.0
        return self._limit - self._taken

    def take(self, now: float, amount: float) -> None:
        """Take `amount`."""
        self._taken = self._limit - self.left(now) + amount

    def until(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` is left."""
        return 0.0 if self.left(now) >= amount else (self._minute + 1) * MINUTE - now


class Bucket:
    """An allowance of `limit` that refills evenly in a minute."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._level = limit
        self._at = 0.0

    def left(self, now: float) -> float:
        """Return what may be taken now."""
        self._level = min(self._limit, self._level + (now - self._at) * self._limit / MINUTE)
        self._at = now
        return self._level

    def take(self, now: float, amount: float) -> None:
        """Take `amount`."""
        self._level = self.left(now) - amount

    def until(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` is left."""
        return max(0.0, (amount - self.left(now)) * MINUTE / self._limit)


KINDS: Final[Mapping[Kind, type[Sliding] | type[Fixed] | type[Bucket]]] = {
    "sliding": Sliding,
    "fixed": Fixed,
    "bucket": Bucket,
}


class RateLimited:
    """Answers as `answer` does while the limits a minute allow it, and with 429 beyond them."""

    def __init__(
        self,
        answer: Answering,
        *,
        requests: float | None = None,
        tokens: float | None = None,
        kind: Kind = "sliding",
        headers: bool = True,
        retry_after: bool = True,
    ) -> None:
        """`headers` and `retry_after` say whether answers carry `x-ratelimit-*` and refusals `Retry-After`."""
        self._answer = answer
        given: dict[Unit, float | None] = {"requests": requests, "tokens": tokens}
        self.limits: dict[Unit, float] = {unit: limit for unit, limit in given.items() if limit is not None}
        """A minute's limits."""
        self._meters: dict[Unit, Meter] = {unit: KINDS[kind](limit) for unit, limit in self.limits.items()}
        self._headers = headers
        self._retry_after = retry_after
        self.accepted: list[tuple[float, int]] = []
        """When each request came that was answered, and the tokens that it took."""
        self.refused: list[float] = []
        """When each request came that was not."""

    def __call__(self, body: dict[str, Any]) -> Say | Fail:
        """Answer one request."""
        answer = self._answer(body)
        if not isinstance(answer, Say):
            raise TypeError(f"RateLimited answers with Say, not with {answer!r}")
        now, tokens = anyio.current_time(), sum((answer.usage or (0, 0, 0))[:2])
        wanted = {unit: min(limit, 1 if unit == "requests" else tokens) for unit, limit in self.limits.items()}
        if all(meter.left(now) + _SLACK >= wanted[unit] for unit, meter in self._meters.items()):
            for unit, meter in self._meters.items():
                meter.take(now, wanted[unit])
            self.accepted.append((now, tokens))
            return replace(answer, headers=(*answer.headers, *self._said(now)))
        self.refused.append(now)
        wait = max(meter.until(now, wanted[unit]) for unit, meter in self._meters.items())
        after = math.ceil(wait * 1000) / 1000 if self._retry_after else None
        return Fail(429, "Rate limit reached.", code="rate_limit_exceeded", retry_after=after, headers=self._said(now))

    def used(self, unit: Unit, *, seconds: float) -> float:
        """Return the share of the limit that was used in the first `seconds`."""
        amounts = [1 if unit == "requests" else tokens for at, tokens in self.accepted if at < seconds]
        return sum(amounts) / (self.limits[unit] * seconds / MINUTE)

    def refused_per_minute(self, *, seconds: float) -> list[int]:
        """Return how many requests were refused in each minute of the first `seconds`."""
        minutes = [0] * math.ceil(seconds / MINUTE)
        for at in self.refused:
            if at < seconds:
                minutes[int(at / MINUTE)] += 1
        return minutes

    def _said(self, now: float) -> tuple[tuple[str, str], ...]:
        if not self._headers:
            return ()
        return tuple(header for unit, meter in self._meters.items() for header in self._of(unit, meter, now))

    def _of(self, unit: Unit, meter: Meter, now: float) -> tuple[tuple[str, str], ...]:
        limit = self.limits[unit]
        return (
            (f"x-ratelimit-limit-{unit}", f"{limit:.0f}"),
            (f"x-ratelimit-remaining-{unit}", f"{max(0, math.floor(meter.left(now) + _SLACK))}"),
            (f"x-ratelimit-reset-{unit}", f"{meter.until(now, limit):.3f}s"),
        )
