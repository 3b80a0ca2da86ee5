"""Numbers and times as people read them, and foreign text made harmless for a terminal."""

import json
import time
from contextlib import suppress
from typing import Any, Final

from pydantic_core import to_jsonable_python

from agentorch.core.events import Event
from agentorch.core.usage import Usage
from agentorch.journal.codec import encode
from agentorch.pictures import amounts

_UNSEEN: Final = frozenset({
    0x00AD, 0x034F, 0x061C, 0x180E, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF,
    *range(0x202A, 0x202F), *range(0x2061, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080),
})  # fmt: skip
"""Characters that are not seen but turn, hide or forge what is; those that join letters and emoji are none of them."""
_CONTROLS: Final[dict[int, str | None]] = {
    **{code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"},
    0x0D: None,
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys((0x2028, 0x2029), " "),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **dict.fromkeys(_UNSEEN),
}
_ESCAPED: Final = {
    code: f"\\u{code:04x}" if code < 0x10000 else json.dumps(chr(code))[1:-1]  # noqa: PLR2004
    for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, *range(0xD800, 0xE000), *_UNSEEN)
}
"""What JSON may hold as it is, and a terminal would obey or not show: written as JSON escapes, it is the same value."""


def harmless(text: str) -> str:
    """Return `text` with control characters shown instead of obeyed; new lines and tabs stay."""
    return text.translate(_CONTROLS)


def one_line(text: str) -> str:
    """Return `text` harmless and in one line."""
    return harmless(" ".join(text.split()))


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return JSON that any parser takes and no terminal obeys; NaN and infinity, which it lacks, are null."""
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    if "NaN" in text or "Infinity" in text:
        value = json.loads(text, parse_constant=_null)
        text = json.dumps(value, ensure_ascii=False)
    if indent is not None:
        with suppress(RecursionError):  # each level takes several calls of its own
            text = json.dumps(value, indent=indent, ensure_ascii=False, default=_plain)
    return escaped(text)


def escaped(json: str) -> str:
    """Return JSON, the same values, without what a terminal would obey or not show."""
    return json.translate(_ESCAPED)


def _plain(value: Any) -> Any:
    return to_jsonable_python(value, fallback=repr)


def _null(word: str) -> None:
    del word


def event_json(event: Event) -> Any:
    """Return an event as the journal holds it."""
    return json.loads(encode(event))


def seconds(value: float) -> str:
    """Return a duration: "0.4 s", "12 s", "3 m 05 s", "2 h 10 m"."""
    return f"{value:.1f} s" if value < 9.95 else amounts.duration(value)  # noqa: PLR2004


def moment(at: float) -> str:
    """Return a time of the local clock: "2026-11-23 14:05"; "?" for one that no clock shows."""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
    except (OverflowError, ValueError, OSError):
        return "?"


def tokens(usage: Usage) -> str:
    """Return "1,204 in + 310 out tokens", with ~ when a count is an estimate; "no model used" when none was."""
    if not usage.calls and not usage.tokens:
        return "no model used"
    about = "~" if usage.approximate else ""
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return f"{about}{usage.input_tokens:,} in{cached} + {about}{usage.output_tokens:,} out tokens"


def money(usage: Usage) -> str | None:
    """Return what it cost, None when nothing can have."""
    if not usage.tokens and not usage.money:
        return None
    if usage.unpriced and not usage.money:
        return "price unknown"
    return f"{'~' if usage.approximate else ''}${usage.money:.4f}{' + unpriced calls' if usage.unpriced else ''}"


counted: Final = amounts.counted
"""Returns "1 task", "3 tasks"."""
SHORT: Final = 13
"""Letters of a run id (UUIDv7) that hold its millisecond."""


def short_id(run_id: str) -> str:
    """Return enough of a run's id to name it by."""
    return run_id[:SHORT]
