"""What a provider says in its headers about waiting."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final, Literal

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a provider says is left of one of its limits."""

    remaining: float
    reset: float
    """Seconds until all of it is back."""
    limit: float | None = None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a provider asks to wait, at least 0, or None when it does not say."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return max(0.0, milliseconds / 1000)
    asked = headers.get("retry-after")
    seconds = _number(asked)
    if seconds is not None:
        return max(0.0, seconds)
    moment = _moment(asked)
    if moment is None:
        return None
    # The provider's own clock is the one that its date was written by.
    now = _moment(headers.get("date"))
    return max(0.0, moment - (time.time() if now is None else now))


def allowance(headers: Mapping[str, str], unit: Literal["requests", "tokens"]) -> Allowance | None:
    """Return what is left of `unit`, or None when the headers do not say."""
    remaining = _number(headers.get(f"x-ratelimit-remaining-{unit}"))
    reset = seconds_of(headers.get(f"x-ratelimit-reset-{unit}"))
    if remaining is None or reset is None:
        return None
    return Allowance(remaining, reset, _number(headers.get(f"x-ratelimit-limit-{unit}")))


def seconds_of(duration: str | None) -> float | None:
    """Return the seconds of "1s", "6m0s", "20ms", "1d2h" or a bare number; None for anything else."""
    if duration is None:
        return None
    bare = _number(duration)
    if bare is not None:
        return bare
    parts = _DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration.strip():
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _moment(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except ValueError:
        return None
