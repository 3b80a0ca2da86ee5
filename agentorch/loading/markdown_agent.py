"""A Markdown agent file: front matter that says what the agent is, and a body that is its prompt.

    ---
    description: Finds what is weak in a text.
    model: gpt-5-mini
    tools: [search]
    output-schema: list[string]
    timeout: 60
    ---
    Read the text and list its three weakest points, each in one sentence.

Keys may be in kebab, camel or snake case. The name is the file's, if none is given. Files of other programs are read
too: what only they understand is left out, with a warning.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from agentorch.agents import Agent
from agentorch.core.card import JsonSchema
from agentorch.core.nearest import did_you_mean, nearest
from agentorch.core.policy import Policy
from agentorch.documents import DocumentError, read_document
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.loading import foreign
from agentorch.loading.entries import Entry
from agentorch.loading.front_matter import raw_settings, read_front_matter
from agentorch.loading.written_judge import judges_of
from agentorch.signatures import written_inputs, written_schema

_OWN: Final = (
    "name",
    "description",
    "model",
    "tools",
    "capabilities",
    "output_schema",
    "input_schema",
    "retries",
    "judge",
)
_SYNONYMS: Final = {"models": "model", "output": "output_schema", "input": "input_schema"}
_KNOWN: Final = (*_OWN, *Policy.model_fields, *_SYNONYMS)
_REFUSED: Final = {
    "isolate": "is for functions: the model calls of a prompt are stopped without it; take it out",
    "effects": "is not for a prompt: it has the effects of its tools; declare it there, by @tool(effect=...)",
}
"""Keywords of `@agent` that a file may not have."""
Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AgentFile:
    """A Markdown agent file, read but for its tools, which other files may hold."""

    path: Path
    name: str
    settings: Mapping[str, Any]
    prompt: str
    tools: tuple[str, ...]
    data: bytes
    """The file as it was read."""
    named: bool
    """Whether it was named; else it lies in a folder that was."""
    warnings: tuple[str, ...]
    """What was ignored, one line each."""


def read_agent_file(path: Path, data: bytes, *, named: bool) -> AgentFile:
    """Read a Markdown agent file; AgentFileError begins with its path."""
    try:
        matter = read_front_matter(data, is_key=_is_key, may_be_text=_may_be_text)
    except DocumentError as error:
        raise AgentFileError(f"{path}: {error}") from None
    warnings: list[str] = []
    warn = warnings.append
    for key in matter.as_text:
        warn(f"{path}: the value of {key!r} is no YAML and is read as plain text; put it in quotes")
    settings = _settings(path, matter.settings, warn)
    if not matter.body:
        raise AgentFileError(f"{path}: it has no prompt; write below the front matter what the agent is to do")
    tools = _tool_names(path, settings.get("tools"), warn)
    name = _name(path, settings.get("name"), warn)
    return AgentFile(path, name, settings, matter.body, tools, data, named, tuple(warnings))


def is_foreign_file(data: bytes) -> bool:
    """Whether a file is plainly another program's, also when its front matter cannot be read."""
    try:
        matter = read_front_matter(data, is_key=_is_key, may_be_text=_may_be_text)
    except DocumentError:
        written: Mapping[str, Any] = raw_settings(data, _is_key)
    else:
        written = matter.settings
    settings = {snake(key): value for key, value in written.items()}
    tools = settings.get("tools")
    return foreign.is_foreign(settings, split_names(tools) if isinstance(tools, str) else _texts(tools))


def agent_of(file: AgentFile, tools: Mapping[str, Any], agents: Sequence[str], warn: Warn) -> Agent:
    """Return the agent that a file describes; its tools are looked up among `tools`, then the names of agents."""
    settings = dict(file.settings)
    path = file.path
    if "description" not in settings:
        raise AgentFileError(f"{path}: 'description' is missing; say in a sentence what the agent does")
    keywords: dict[str, Any] = {name: settings[name] for name in settings if name in Policy.model_fields}
    if "retries" in settings:
        keywords.setdefault("attempts", _whole_number(path, "retries", settings["retries"]) + 1)
    kept = _usable_tools(file, (*tools, *agents), warn)
    try:
        agent = Agent(
            file.name,
            description=_text(path, "description", settings["description"]),
            prompt=file.prompt,
            model=_models(file, (*tools, *agents), warn),
            tools=[tools.get(name, name) for name in kept],
            input=_input(path, settings.get("input_schema")),
            output=_output(path, settings.get("output_schema")),
            fallback=_words(path, "fallback", keywords.pop("fallback", None)),
            capabilities=_words(path, "capabilities", settings.get("capabilities")),
            judge=judges_of(settings.get("judge")),
            **keywords,
        )
    except AgentFileError:
        raise
    except ConfigurationError as error:
        raise AgentFileError(f"{path}: {error}") from None
    agent.source = path
    return agent


def _is_foreign(file: AgentFile, known: Collection[str]) -> bool:
    """Whether a file is another program's, now that our tools are known: what is nearly one of them tells nothing."""
    unknown = [name for name in file.tools if name not in known]
    telling = [name for name in unknown if foreign.is_foreign_tool(name) or not nearest(name, known)]
    return foreign.is_foreign(file.settings, telling)


def _usable_tools(file: AgentFile, known: Collection[str], warn: Warn) -> tuple[str, ...]:
    """Return the tools of a file that are known; one warning names those that are left out.

    Raises:
        AgentFileError: a tool is nearly one of ours; or it is one of nobody's, and the file is not another program's.
    """
    is_foreign = _is_foreign(file, known)
    unknown = [name for name in file.tools if name not in known]
    for name in unknown:
        if foreign.is_foreign_tool(name) or (is_foreign and not foreign.is_our_form(name)):
            continue
        near = nearest(name, known)
        if near or (not is_foreign and foreign.is_our_form(name)):
            hint = did_you_mean(name, known) or "give the tool, or the .py file with it, beside the agent"
            raise AgentFileError(f"{file.path}: unknown tool {name!r}; {hint}")
    if unknown:
        listed = ", ".join(map(repr, unknown))
        warn(f"{file.path}: left out, for they are tools of another program: {listed}")
    return tuple(name for name in file.tools if name in known)


def _settings(path: Path, written: Mapping[str, Any], warn: Warn) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    ignored: list[str] = []
    for key, value in written.items():
        name = snake(key)
        name = _SYNONYMS.get(name, name)
        if name in settings:
            raise AgentFileError(f"{path}: key {key!r} is there twice, in two spellings; keep one")
        settings[name] = value
        if name in _REFUSED:
            raise AgentFileError(f"{path}: key {key!r} {_REFUSED[name]}")
        if name in _KNOWN:
            continue
        if name not in foreign.KEYS and (near := nearest(name, _KNOWN)):
            raise AgentFileError(f"{path}: unknown key {key!r}; did you mean {near.replace('_', '-')!r}?")
        ignored.append(key)
    if ignored:
        warn(f"{path}: ignored, for they are not used here: {', '.join(map(repr, ignored))}")
    return settings


def snake(key: str) -> str:
    """Return `outputSchema` and `output-schema` as `output_schema`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).replace("-", "_").replace(" ", "_").lower()


def _is_key(key: str) -> bool:
    return snake(key) in _KNOWN or snake(key) in foreign.KEYS


def _may_be_text(entry: Entry) -> bool:
    # Generators of agent files write prose with colons in it; what is ignored may be anything.
    return snake(entry.key) in foreign.KEYS or (entry.key == "description" and entry.plain)


def _name(path: Path, given: Any, warn: Warn) -> str:
    """Return the name of the agent, in the form that names have here."""
    written = str(given) if given else re.sub(r"\.(?:agent|chatmode)$", "", path.stem)
    name = re.sub(r"[^a-z0-9_-]+", "-", written.strip().lower()).strip("-")
    if not re.match(r"[a-z]", name):
        raise AgentFileError(f"{path}: 'name' begins with a letter from a to z; got {written!r:.60}")
    if name != written:
        warn(f"{path}: the agent is called {name!r} here: a name is small letters, digits, '_' and '-'")
    return name


def _tool_names(path: Path, given: Any, warn: Warn) -> tuple[str, ...]:
    if isinstance(given, dict):
        warn(f"{path}: 'tools' turns tools of another program on and off, and is ignored")
        return ()
    return tuple(dict.fromkeys(_words(path, "tools", given)))


def _models(file: AgentFile, known: Collection[str], warn: Warn) -> tuple[str, ...]:
    """Return the models that are meant for here: none of another program's file, and no words of one."""
    names = _words(file.path, "model", file.settings.get("model"))
    is_foreign = _is_foreign(file, known)
    for name in names:
        if is_foreign or foreign.is_model_word(name):
            why = "was chosen for another program" if is_foreign else "means something only elsewhere"
            warn(f"{file.path}: model {name!r} {why}; the run's model is used")
    return () if is_foreign else tuple(name for name in names if not foreign.is_model_word(name))


def _output(path: Path, given: Any) -> Any:
    what = "'output-schema'"
    return str if given is None else written_schema(_written(path, given, what), what=what)


def _input(path: Path, given: Any) -> JsonSchema | None:
    what = "'input-schema'"
    return None if given is None else written_inputs(_written(path, given, what), what=what)


def _written(path: Path, given: Any, what: str) -> Any:
    """Return what a schema is written as; text with a suffix names a file beside the agent."""
    if isinstance(given, str) and given.endswith((".json", ".yaml", ".yml")):
        place = path.parent / given
        if not place.resolve().is_relative_to(path.parent.resolve()):
            raise ConfigurationError(f"{what}: {given!r:.80} leads out of the agent's folder; put the schema beside it")
        try:
            return read_document(place).value
        except DocumentError as error:
            raise ConfigurationError(f"{what}: {given}: {error}") from None
    return given


def _words(path: Path, key: str, given: Any) -> tuple[str, ...]:
    """Return names from a list or from text with commas."""
    if given is None:
        return ()
    listed = cast("list[Any]", split_names(given) if isinstance(given, str) else given)
    if not isinstance(cast("Any", listed), list) or any(not isinstance(item, str) for item in listed):
        raise AgentFileError(f"{path}: {key!r} is a list of names; got {given!r:.60}")
    return tuple(item.strip() for item in listed if item.strip())


def split_names(text: str) -> list[str]:
    """Return the names between commas; those within parentheses belong to the name: `Agent(one, two), Read`."""
    return [name.strip() for name in re.findall(r"(?:\([^()]*\)|[^,])+", text)]


def _texts(given: Any) -> list[str]:
    listed = cast("list[Any]", given) if isinstance(given, list) else []
    return [item for item in listed if isinstance(item, str)]


def _text(path: Path, key: str, given: Any) -> str:
    if not isinstance(given, str):
        raise AgentFileError(f"{path}: {key!r} is text; got {given!r:.60}; put it in quotes")
    return " ".join(given.split())


def _whole_number(path: Path, key: str, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise AgentFileError(f"{path}: {key!r} is a whole number from 0; got {given!r:.60}")
    return given
