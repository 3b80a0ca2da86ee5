r"""Fences: how a value that users or tools supply stands in a prompt.

1. A value stands between `<value name="topic">` and `</value>`, each on a line of its own.
2. Inside, every `</value` and `<value` gets a backslash (`<\/value`, `<\value`), so that no value can end its own
   fence or open another; nothing else is changed. The delimiter holds no secret and needs none.
"""

import json
import re
from typing import Any, Final

_TAG: Final = re.compile(r"<(/?value)", re.IGNORECASE)


def fenced(value: Any, name: str = "value") -> str:
    """Return `value` (text as it is, else JSON) between its delimiters."""
    return f'<value name="{_name(name)}">\n{escaped(shown_value(value))}\n</value>'


def shown_value(value: Any) -> str:
    """Return a value as a model is to read it: text as it is, else JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, default=str)


def escaped(text: str) -> str:
    """Return the text with every delimiter in it defused; doing it twice changes nothing more."""
    return _TAG.sub(r"<\\\1", text)


def _name(text: str) -> str:
    return re.sub(r'[<>"\n\r]', "", str(text))[:80]
