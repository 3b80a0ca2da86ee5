"""What servers that speak the same protocol do differently, as data.

1. The table is read from the top; every rule that matches a host and a model changes what the rules above it said.
2. What a user gives goes on top of the table.
3. What a server refuses by name is learned at run time, once (`downgraded`), and logged by whoever asks.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from agentorch.errors import ConfigurationError

_Limit = Literal["max_tokens", "max_completion_tokens"] | None


class Form(StrEnum):
    """How an answer of a given schema is asked for, best first."""

    STRICT = "strict"
    """`json_schema` with `strict`: the server guarantees the schema."""
    SCHEMA = "schema"
    """`json_schema` without `strict`."""
    OBJECT = "object"
    """`json_object`: some JSON object; the schema stands in the prompt."""
    PROMPT = "prompt"
    """Only the prompt says it."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What a server understands."""

    limit: _Limit = "max_tokens"
    """The name of the output limit; None when it has none."""
    output: Form = Form.STRICT
    """The best form of structured output."""
    temperature: bool = True
    """Whether a temperature may be given."""
    stream_usage: bool = True
    """Whether `stream_options.include_usage` may be given."""
    tool_choice: bool = True
    """Whether `tool_choice` may be given along with tools."""
    tools_with_output: bool = True
    """Whether tools and a response format may be given at once."""
    refuses_in_words: bool = False
    """Whether a 500 is surely an outage: other servers answer so to a schema that they do not understand."""


@dataclass(frozen=True, slots=True)
class QuirkRule:
    """One line of the table."""

    host: str
    """The end of a host's name; empty for every host."""
    model: str
    """A model's name, or its part up to a dash; empty for every model."""
    changes: Mapping[str, Any]


_UNKNOWN: Final = ("unsupported", "not support", "unrecognized", "unknown", "unexpected", "not permitted", "extra")
_FORM_WORDS: Final = (
    "response_format", "response format", "response mime type", "json_schema", "json mode", "json_object", "'strict'",
    "structured output",
)  # fmt: skip
_OPENAI: Final = {"limit": "max_completion_tokens", "refuses_in_words": True}
_NO_TEMPERATURE: Final = {"temperature": False}

TABLE: Final = (
    QuirkRule("api.openai.com", "", _OPENAI),
    QuirkRule("openai.azure.com", "", _OPENAI),
    QuirkRule("api.openai.com", "gpt-3.5", {"output": Form.OBJECT}),
    QuirkRule("api.openai.com", "gpt-4", {"output": Form.OBJECT}),
    QuirkRule("", "o1", _NO_TEMPERATURE),
    QuirkRule("", "o3", _NO_TEMPERATURE),
    QuirkRule("", "o4", _NO_TEMPERATURE),
    QuirkRule("", "gpt-5", _NO_TEMPERATURE),
    QuirkRule("api.groq.com", "", {"tools_with_output": False}),
    QuirkRule("api.mistral.ai", "", {"stream_usage": False}),
    QuirkRule("api.deepseek.com", "", {"output": Form.OBJECT}),
    QuirkRule("api.anthropic.com", "", {"output": Form.PROMPT}),
)


def quirks_for(base_url: str, model: str, *, given: Quirks | Mapping[str, Any] | None = None) -> Quirks:
    """Return what the server at `base_url` understands for `model`; `given` is the user's word.

    Raises ConfigurationError for a name in `given` that is no quirk.
    """
    if isinstance(given, Quirks):
        return given
    quirks = Quirks()
    host = urlsplit(base_url).hostname or ""
    for rule in TABLE:
        if _host_matches(host, rule.host) and _model_matches(model, rule.model):
            quirks = replace(quirks, **rule.changes)
    return _with_given(quirks, given) if given else quirks


def downgraded(quirks: Quirks, complaint: str, *, tried: Collection[Quirks] = ()) -> Quirks | None:
    """Return quirks without the parameter that `complaint` (in lower case) names, or None when it names none.

    A name of the output limit that was `tried` already is not returned to.
    """
    # A limit may also be complained of because it is too large: that is no quirk.
    unknown = any(word in complaint for word in _UNKNOWN)
    if unknown and "max_tokens" in complaint and quirks.limit == "max_tokens":
        return _renamed(quirks, "max_completion_tokens" if "max_completion_tokens" in complaint else None, tried)
    if unknown and "max_completion_tokens" in complaint and quirks.limit == "max_completion_tokens":
        return _renamed(quirks, "max_tokens", tried)
    if "temperature" in complaint and quirks.temperature:
        return replace(quirks, temperature=False)
    if ("stream_options" in complaint or "include_usage" in complaint) and quirks.stream_usage:
        return replace(quirks, stream_usage=False)
    if "tool_choice" in complaint and quirks.tool_choice:
        return replace(quirks, tool_choice=False)
    if names_form(complaint) and quirks.output is not Form.PROMPT:
        return replace(quirks, output=lower(quirks.output))
    return None


def lower(form: Form) -> Form:
    """Return the next form down; the last one is its own."""
    forms = list(Form)
    return forms[min(forms.index(form) + 1, len(forms) - 1)]


def names_form(complaint: str) -> bool:
    """Return whether a complaint (in lower case) speaks of the form of the output."""
    return any(word in complaint for word in _FORM_WORDS)


def _renamed(quirks: Quirks, limit: _Limit, tried: Collection[Quirks]) -> Quirks:
    return replace(quirks, limit=None if any(before.limit == limit for before in tried) else limit)


def _host_matches(host: str, end: str) -> bool:
    return not end or host == end or host.endswith("." + end)


def _model_matches(model: str, start: str) -> bool:
    name = model.rpartition("/")[2]
    return not start or name == start or name.startswith(start + "-")


def _with_given(quirks: Quirks, given: Mapping[str, Any]) -> Quirks:
    known = [field.name for field in fields(Quirks)]
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ConfigurationError(f"quirks: unknown key {name!r}; {hint}")
    output = given.get("output", quirks.output)
    try:
        return replace(quirks, **{**given, "output": Form(output)})
    except ValueError:
        raise ConfigurationError(f"quirks: output is {output!r}; it can be {', '.join(Form)}") from None
