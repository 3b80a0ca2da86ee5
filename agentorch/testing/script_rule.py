"""One rule of a script: the conditions under which it answers, its answers, and why it does not fit a request.

1. A rule fits when all its conditions hold; the words of one that does not hold name what was there instead.
2. How near a rule is to a request is told by how few of its conditions fail, then by how much of all is there.
"""

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agentorch.errors import ConfigurationError
from agentorch.ports.model import ModelRequest

_SEARCHED: Final = 20_000
"""Characters of a request in which the nearest text is looked for."""
_MOST_LINES: Final = 60
"""Lines of a difference that are shown."""


def rendered(request: ModelRequest) -> str:
    """Return a request as a person reads it; `containing` looks in this text."""
    lines = [f"[{message.role}] {message.content}" for message in request.messages]
    lines += [f"[asks] {call.name}({call.arguments})" for message in request.messages for call in message.tool_calls]
    lines += [f"[tool] {tool.name}: {tool.description}" for tool in request.tools]
    lines += [f"[output] {request.output.name}"] if request.output else []
    return "\n".join(lines)


def labelled(labels: Mapping[str, str]) -> str:
    """Return who asks, in words."""
    return ", ".join(f"{name} {value!r}" for name, value in labels.items()) or "no labels"


class Condition:
    """One thing that a request must have."""

    words: str

    def holds(self, request: ModelRequest) -> bool:
        """Whether the request has it."""
        raise NotImplementedError

    def nearness(self, request: ModelRequest) -> float:
        """Return how much of it the request has, from 0 to 1."""
        raise NotImplementedError

    def failure(self, request: ModelRequest) -> list[str]:
        """Return what is there instead, in lines."""
        raise NotImplementedError


class HasLabel(Condition):
    """The request is of this agent, task or purpose."""

    def __init__(self, label: str, value: str) -> None:
        self.words = f"{label} {value!r}"
        self._label = label
        self._value = value

    def holds(self, request: ModelRequest) -> bool:
        """Whether the label is there with that value."""
        return request.labels.get(self._label) == self._value

    def nearness(self, request: ModelRequest) -> float:
        """Return how like the labels are."""
        return _alike(self._value, request.labels.get(self._label, ""))

    def failure(self, request: ModelRequest) -> list[str]:
        """Return the label that the request has."""
        there = request.labels.get(self._label)
        return [
            f"{self.words}: " + (f"it is {there!r}" if there is not None else f"the request names no {self._label}")
        ]


class Contains(Condition):
    """This text stands in the rendered request."""

    def __init__(self, text: str) -> None:
        self.words = f"containing {text!r}"
        self._text = text

    def holds(self, request: ModelRequest) -> bool:
        """Whether it stands there, letter by letter."""
        return self._text in rendered(request)

    def nearness(self, request: ModelRequest) -> float:
        """Return how like the nearest text is."""
        return _alike(self._text, nearest_text(self._text, rendered(request)))

    def failure(self, request: ModelRequest) -> list[str]:
        """Return the difference to the nearest text of the request."""
        near = nearest_text(self._text, rendered(request))
        if "\n" in self._text:
            first = self._text.splitlines()[0]
            return [f"containing {first!r} and so on: the nearest text differs:", *difference(self._text, near)]
        return [f"{self.words}: the nearest text is {near!r}"]


class Named(Condition):
    """A key of a mapping: a label, or a part of the text."""

    def __init__(self, key: str) -> None:
        self.words = repr(key)
        self._key = key

    def is_label(self, request: ModelRequest) -> bool:
        """Whether a label is the key."""
        return self._key in request.labels.values()

    def holds(self, request: ModelRequest) -> bool:
        """Whether a label is the key, or the text holds it."""
        return self.is_label(request) or self._key in rendered(request)

    def nearness(self, request: ModelRequest) -> float:
        """Return how like the nearest label or text is."""
        return _alike(self._key, self._nearest(request))

    def failure(self, request: ModelRequest) -> list[str]:
        """Return the nearest label or text."""
        nearest = self._nearest(request)
        return [f"{self.words}: it is no label of the request and not in its text; the nearest is {nearest!r}"]

    def _nearest(self, request: ModelRequest) -> str:
        there = [*request.labels.values(), nearest_text(self._key, rendered(request))]
        return max(there, key=lambda text: _alike(self._key, text))


class Accepted(Condition):
    """A function of the test's own says yes."""

    def __init__(self, asked: Callable[[ModelRequest], bool]) -> None:
        name = getattr(asked, "__name__", "<lambda>")
        self.words = "a condition of your own" if name == "<lambda>" else f"when {name}"
        self._asked = asked

    def holds(self, request: ModelRequest) -> bool:
        """Whether it says yes."""
        return bool(self._asked(request))

    def nearness(self, request: ModelRequest) -> float:
        """Return 0: nobody knows."""
        del request
        return 0.0

    def failure(self, request: ModelRequest) -> list[str]:
        """Return that it said no."""
        del request
        return [f"{self.words}: it said no"]


@dataclass
class Rule:
    """What is answered to the requests that meet all of `conditions`."""

    conditions: Sequence[Condition]
    script: Any
    uses: int = 0
    answered: ModelRequest | None = field(default=None, repr=False)
    """The last request that it has answered."""

    def __post_init__(self) -> None:
        for one in self.script if _is_list(self.script) else [self.script]:
            if inspect.iscoroutinefunction(one):
                name = getattr(one, "__name__", "the script")
                raise ConfigurationError(
                    f"ScriptedModel: {name} is async; a script is a plain function, and delay= is what waits"
                )

    @property
    def words(self) -> str:
        """Its conditions."""
        return ", ".join(condition.words for condition in self.conditions) or "any request"

    @property
    def left(self) -> bool:
        """Whether it has an answer left."""
        return not _is_list(self.script) or self.uses < len(self.script)

    @property
    def used_up(self) -> bool:
        """Whether each of its answers was given; one that is given every time, once at least."""
        return self.uses >= len(self.script) if _is_list(self.script) else self.uses > 0

    def is_named(self, request: ModelRequest) -> bool:
        """Whether it is that of a mapping's key which the request bears as a label."""
        return any(isinstance(condition, Named) and condition.is_label(request) for condition in self.conditions)

    def fits(self, request: ModelRequest) -> bool:
        """Whether all conditions hold."""
        return all(condition.holds(request) for condition in self.conditions)

    def next(self, request: ModelRequest) -> Any:
        """Return the next answer."""
        script = self.script[self.uses] if _is_list(self.script) else self.script
        self.uses += 1
        self.answered = request
        return script(request) if callable(script) else script

    def nearness(self, request: ModelRequest) -> tuple[int, float]:
        """Return something that is greater the nearer the rule is; see the module."""
        failing = [condition for condition in self.conditions if not condition.holds(request)]
        holding = len(self.conditions) - len(failing)
        return -len(failing), holding + sum(condition.nearness(request) for condition in failing)

    def failure(self, request: ModelRequest) -> Iterator[str]:
        """Go through why it does not answer the request, in lines."""
        for condition in self.conditions:
            if not condition.holds(request):
                yield from condition.failure(request)
        if not self.left:
            count = len(self.script)
            words = "1 answer is" if count == 1 else f"{count} answers are"
            yield f"its {words} used up: give it another"


def difference(expected: str, found: str, *, names: tuple[str, str] = ("wanted", "found")) -> list[str]:
    """Return a unified difference of two texts, in lines, cut where it becomes long."""
    lines = [*difflib.unified_diff(expected.splitlines(), found.splitlines(), *names, lineterm="", n=1)]
    return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], f"... {len(lines) - _MOST_LINES} lines more"]


def nearest_text(wanted: str, text: str) -> str:
    """Return the part of `text` that is most like `wanted`, about as long, in whole words."""
    text = text[-_SEARCHED:]
    match = difflib.SequenceMatcher(None, wanted, text, autojunk=False).find_longest_match()
    start = max(0, match.b - match.a)
    end = start + len(wanted)
    if "\n" not in wanted:
        start = max(start, text.rfind("\n", 0, match.b) + 1)
        line_end = text.find("\n", match.b)
        end = min(end, line_end) if line_end >= 0 else end
    while start and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end].strip()


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _is_list(script: Any) -> bool:
    return isinstance(script, Sequence) and not isinstance(script, str)
