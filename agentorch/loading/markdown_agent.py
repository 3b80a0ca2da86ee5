"""A Markdown agent file: front matter that says what the agent is, and a body that is its prompt.

    ---
    description: Finds what is weak in a text.
    model: gpt-5-mini
    tools: [search]
    output-schema: list[string]
    timeout: 60
    ---
    Read the text and list its three weakest points, each in one sentence.

Keys may be in kebab, camel or snake case. The name is the file's, if none is given.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from agentorch.agents import Agent
from agentorch.core.nearest import did_you_mean, nearest
from agentorch.core.policy import Policy
from agentorch.documents import DocumentError, read_document
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.loading import foreign
from agentorch.loading.front_matter import read_front_matter
from agentorch.loading.type_words import schema_of_words

_OWN: Final = ("name", "description", "model", "tools", "capabilities", "output_schema", "input_schema", "retries")
_SYNONYMS: Final = {"models": "model", "output": "output_schema", "input": "input_schema"}
_KNOWN: Final = (*_OWN, *Policy.model_fields, *_SYNONYMS)
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AgentFile:
    """A Markdown agent file, read but for its tools, which other files may hold."""

    path: Path
    name: str
    settings: Mapping[str, Any]
    prompt: str
    tools: tuple[str, ...]


def read_agent_file(path: Path, data: bytes, warn: Warn) -> AgentFile:
    """Read a Markdown agent file; AgentFileError begins with its path."""
    try:
        matter = read_front_matter(data)
    except DocumentError as error:
        raise AgentFileError(f"{path}: {error}") from None
    settings = _settings(path, matter.settings, warn)
    if not matter.body:
        raise AgentFileError(f"{path}: it has no prompt; write below the front matter what the agent is to do")
    tools = _tool_names(path, settings.pop("tools", None), warn)
    return AgentFile(path, str(settings.pop("name", None) or path.stem), settings, matter.body, tools)


def agent_of(file: AgentFile, tools: Mapping[str, Any], agents: Sequence[str], warn: Warn) -> Agent:
    """Return the agent that a file describes; its tools are looked up among `tools`, then the names of agents."""
    settings = dict(file.settings)
    path = file.path
    if "description" not in settings:
        raise AgentFileError(f"{path}: 'description' is missing; say in a sentence what the agent does")
    keywords: dict[str, Any] = {name: settings[name] for name in settings if name in Policy.model_fields}
    if "retries" in settings:
        keywords.setdefault("attempts", _whole_number(path, "retries", settings["retries"]) + 1)
    try:
        agent = Agent(
            file.name,
            description=_text(path, "description", settings["description"]),
            prompt=file.prompt,
            model=_models(path, settings.get("model"), warn),
            tools=[_tool(path, name, tools, agents) for name in file.tools],
            input=_schema(path, "input-schema", settings.get("input_schema")),
            output=_schema(path, "output-schema", settings.get("output_schema")) or str,
            fallback=_words(path, "fallback", keywords.pop("fallback", None)),
            capabilities=_words(path, "capabilities", settings.get("capabilities")),
            **keywords,
        )
    except AgentFileError:
        raise
    except ConfigurationError as error:
        raise AgentFileError(f"{path}: {error}") from None
    agent.source = path
    return agent


def _settings(path: Path, written: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for key, value in written.items():
        name = snake(key)
        name = _SYNONYMS.get(name, name)
        if name in settings:
            raise AgentFileError(f"{path}: key {key!r} is there twice, in two spellings; keep one")
        if name in _KNOWN:
            settings[name] = value
        elif name not in foreign.KEYS and (near := nearest(name, _KNOWN)):
            raise AgentFileError(f"{path}: unknown key {key!r}; did you mean {near.replace('_', '-')!r}?")
        else:
            warn(f"{path}: key {key!r} is not used here and is ignored")
    return settings


def snake(key: str) -> str:
    """Return `outputSchema` and `output-schema` as `output_schema`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").replace(" ", "_").lower()


def _tool_names(path: Path, given: Any, warn: Warn) -> tuple[str, ...]:
    if isinstance(given, dict):
        warn(f"{path}: 'tools' turns tools of another program on and off, and is ignored")
        return ()
    return tuple(dict.fromkeys(_words(path, "tools", given)))


def resolvable(file: AgentFile, known: Sequence[str], warn: Warn) -> AgentFile:
    """Return the file without the tools that only other programs have; a warning names each."""
    kept: list[str] = []
    for name in file.tools:
        if name in known or not foreign.is_foreign_tool(name):
            kept.append(name)
        else:
            warn(f"{file.path}: tool {name!r} is one of another program and is left out")
    return AgentFile(file.path, file.name, file.settings, file.prompt, tuple(kept))


def _tool(path: Path, name: str, tools: Mapping[str, Any], agents: Sequence[str]) -> Any:
    if name in tools:
        return tools[name]
    if name in agents:
        return name
    hint = did_you_mean(name, (*tools, *agents)) or "give the tool, or the .py file with it, beside the agent"
    raise AgentFileError(f"{path}: unknown tool {name!r}; {hint}")


def _models(path: Path, given: Any, warn: Warn) -> tuple[str, ...]:
    names = _words(path, "model", given)
    for name in names:
        if name.lower() in foreign.MODELS:
            warn(f"{path}: model {name!r} means something only elsewhere; the run's model is used")
    return tuple(name for name in names if name.lower() not in foreign.MODELS)


def _schema(path: Path, key: str, given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if isinstance(given, str) and given.endswith((".json", ".yaml", ".yml")):
        try:
            given = read_document(path.parent / given).value
        except DocumentError as error:
            raise AgentFileError(f"{path}: {key!r}: {given}: {error}") from None
    if isinstance(given, str):
        schema = schema_of_words(given)
        if schema is None:
            raise AgentFileError(
                f"{path}: {key!r}: {given!r} is no type; use string, number, list[string] or a JSON Schema"
            )
        return schema
    if not isinstance(given, dict):
        raise AgentFileError(f"{path}: {key!r} is a JSON Schema or a type; got {given!r:.60}")
    return cast("dict[str, Any]", given)


def _words(path: Path, key: str, given: Any) -> tuple[str, ...]:
    """Return names from a list or from text with commas."""
    if given is None:
        return ()
    listed = cast("list[Any]", given.split(",") if isinstance(given, str) else given)
    if not isinstance(cast("Any", listed), list) or any(not isinstance(item, str) for item in listed):
        raise AgentFileError(f"{path}: {key!r} is a list of names; got {given!r:.60}")
    return tuple(item.strip() for item in listed if item.strip())


def _text(path: Path, key: str, given: Any) -> str:
    if not isinstance(given, str):
        raise AgentFileError(f"{path}: {key!r} is text; got {given!r:.60}; put it in quotes")
    return " ".join(given.split())


def _whole_number(path: Path, key: str, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise AgentFileError(f"{path}: {key!r} is a whole number from 0; got {given!r:.60}")
    return given
