"""Numbers and times as people read them, and foreign text made harmless for a terminal."""

import time
from typing import Final

from agentorch.core.usage import Usage

_CONTROLS: Final = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"} | {
    0x0D: None,
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
}


def harmless(text: str) -> str:
    """Return `text` with control characters shown instead of obeyed; new lines and tabs stay."""
    return text.translate(_CONTROLS)


def one_line(text: str) -> str:
    """Return `text` harmless and in one line."""
    return harmless(" ".join(text.split()))


def seconds(value: float) -> str:
    """Return a duration: "0.4 s", "12 s", "3 m 05 s", "2 h 10 m"."""
    if value < 9.95:  # noqa: PLR2004
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:  # noqa: PLR2004
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"


def moment(at: float) -> str:
    """Return a time of the local clock: "2026-11-23 14:05"."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def tokens(usage: Usage) -> str:
    """Return "1,204 in + 310 out tokens", with ~ when a count is an estimate; "no model used" when none was."""
    if not usage.calls and not usage.tokens:
        return "no model used"
    about = "~" if usage.approximate else ""
    return f"{about}{usage.input_tokens:,} in + {about}{usage.output_tokens:,} out tokens"


def money(usage: Usage) -> str | None:
    """Return what it cost, None when nothing can have."""
    if not usage.tokens and not usage.money:
        return None
    if usage.unpriced and not usage.money:
        return "price unknown"
    return f"{'~' if usage.approximate else ''}${usage.money:.4f}{' + unpriced calls' if usage.unpriced else ''}"


def counted(number: int, noun: str) -> str:
    """Return "1 task", "3 tasks"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


SHORT: Final = 13
"""Letters of a run id (UUIDv7) that hold its millisecond."""


def short_id(run_id: str) -> str:
    """Return enough of a run's id to name it by."""
    return run_id[:SHORT]
