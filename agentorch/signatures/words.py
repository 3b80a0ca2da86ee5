"""Says in words what a value breaks: the path, what came, and what is wanted."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from pydantic import ValidationError

from agentorch.core.nearest import did_you_mean
from agentorch.core.values import in_line
from agentorch.errors import AgentorchError

SHOWN: Final = 8
"""How many problems of one value are told; more are counted."""
PREVIEW: Final = 60
"""How many characters of a wrong value are shown."""

_OURS: Final = re.compile(r" or instance of \w+")
"""Names of classes, which say nothing to whoever writes JSON."""
LONGEST_PATH: Final = 200
"""How many characters of the way to a wrong value are shown."""


class MalformedInput(AgentorchError, ValueError):
    """Inputs that an agent or a tool cannot take; the message names the parameter, the value and what is wanted."""


def path_text(path: Iterable[str | int]) -> str:
    """Return `rows[0].price` for `("rows", 0, "price")`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def shown(value: Any) -> str:
    """Return a short form of a value for a message."""
    text = repr(value)
    return text if len(text) <= PREVIEW else text[: PREVIEW - 3] + "..."


def error_words(error: ValidationError, *, known: Iterable[str] = ()) -> tuple[str, ...]:
    """Return one line for each thing that pydantic found, `known` being the names that are allowed at the top."""
    found = error.errors(include_url=False, include_context=False)
    lines = tuple(_one(item["loc"], item["type"], item["msg"], item["input"], known) for item in found[:SHOWN])
    return lines if len(found) <= SHOWN else (*lines, f"and {len(found) - SHOWN} more")


def _one(path: Sequence[str | int], kind: str, message: str, value: Any, known: Iterable[str]) -> str:
    where = in_line(path_text(path), LONGEST_PATH)
    if kind == "missing":
        return f"{where}: is missing"
    if kind == "extra_forbidden":
        return unknown_name(where, known) if len(path) == 1 else f"{where}: is not a known name"
    wanted = message[0].lower() + _OURS.sub("", message[1:])
    line = f"{wanted}; got {shown(value)}"
    return f"{where}: {line}" if where else line


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Return the line for a name that is not taken, with the nearest one that is, or all of them."""
    taken = sorted(known)
    remedy = did_you_mean(name, taken) or "nothing of that name is taken"
    return f"{in_line(name, PREVIEW)}: is not a known name; {remedy}"


def joined(lines: Iterable[str]) -> str:
    """Return the problems in one line."""
    return "; ".join(lines)


Explain = Callable[[Any], tuple[str, ...]]
"""Says what is wrong with a value, in lines; none when nothing is."""
