r"""Fences: how a value that users or tools supply stands in a prompt.

1. A value stands between `<value name="topic">` and `</value>`, each on a line of its own.
2. Inside, every `</value` and `<value` gets a backslash (`<\/value`, `<\value`), so that no value can end its own
   fence or open another; so does whatever a reader may take for one: `< / VALUE`, or with invisible characters between
   its letters. Nothing else is changed. The delimiter holds no secret and needs none.
3. The name in a fence is one short line without marks: names come from plans and models too.
"""

import json
import re
from typing import Any, Final

_UNSEEN: Final = (
    r"[\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]*+"
)
"""Blanks, controls, and characters without a shape of their own."""
_LETTERS: Final = "".join(_UNSEEN + letter for letter in "value")
_TAG: Final = re.compile(f"<(?={_UNSEEN}/?{_LETTERS})", re.IGNORECASE)


def fenced(value: Any, name: str = "value") -> str:
    """Return `value` (text as it is, else JSON) between its delimiters."""
    return f'<value name="{_name(name)}">\n{escaped(shown_value(value))}\n</value>'


def shown_value(value: Any) -> str:
    """Return a value as a model is to read it: text as it is, else JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)


def escaped(text: str) -> str:
    """Return the text with every delimiter in it defused; doing it twice changes nothing more."""
    return _TAG.sub(r"<\\", text)


def _name(text: str) -> str:
    return "".join(letter for letter in str(text) if letter.isprintable() and letter not in '<>"')[:80]
