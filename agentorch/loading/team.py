"""Loads a team: decorated functions, agents, files, folders, and what is built in.

1. What is listed is the whole team. When nothing is, it is the project's agents and the built-in ones; by name the
   project's win.
2. Python is executed only from files and folders that were named, from the project's `agents/`, and from ours.
3. A folder's files are taken in the order of their names; those that begin with `_` or `.` are left out.
4. A file of another program that cannot be used is left out of a folder, with a warning; it is an error when it was
   named, and so is every file of ours.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agentorch.agents import Agent
from agentorch.core.nearest import nearest
from agentorch.errors import AgentFileError, ConfigurationError
from agentorch.files import at_home, read_regular
from agentorch.loading.front_matter import has_front_matter
from agentorch.loading.markdown_agent import AgentFile, agent_of, is_foreign_file, read_agent_file
from agentorch.loading.python_file import LARGEST_AGENT_FILE, read_python_file
from agentorch.prompts import builtin_folder
from agentorch.tools import Tool, as_tool

_LOG: Final = logging.getLogger(__name__)
BUILTIN: Final = "builtin/"
"""Begins the name of an agent that is ours."""


@dataclass(slots=True)
class LoadedTeam:
    """What was loaded."""

    agents: list[Agent] = field(default_factory=list[Agent])
    tools: dict[str, Tool[..., Any]] = field(default_factory=dict[str, Tool[..., Any]])
    warnings: list[str] = field(default_factory=list[str])
    """What was ignored, one line each."""


def load_agents(
    specs: Iterable[Any] = (), *, project: str | Path | None = None, tools: Iterable[Any] = ()
) -> list[Agent]:
    """Return the agents of `load_team`; what it ignored is logged."""
    team = load_team(specs, project=project, tools=tools)
    for warning in team.warnings:
        _LOG.warning("%s", warning)
    return team.agents


def load_team(specs: Iterable[Any] = (), *, project: str | Path | None = None, tools: Iterable[Any] = ()) -> LoadedTeam:
    """Load agents, tools, paths and `builtin/` names; none of them is the project's team and the built-in one.

    `tools` (typed functions or `Tool`s) may be named by agent files, beside those that Python files define.

    Raises:
        AgentFileError: a file or folder is missing or wrong; the message begins with its path.
        ConfigurationError: something listed is no agent.
    """
    given = [as_tool(tool) for tool in tools]
    listed = [specs] if isinstance(specs, str | Path | Agent) else list(specs)
    if listed:
        loading = _Loading(given)
        for spec in listed:
            loading.take(spec)
        return loading.finish()
    own = _Loading(given)
    folder = None if project is None else Path(project) / "agents"
    if folder is not None and folder.is_dir():
        own.take_folder(folder)
    ours = _Loading(given)
    if builtin_folder("agents").is_dir():
        ours.take_folder(builtin_folder("agents"))
    return _joined(own.finish(), ours.finish())


def _joined(own: LoadedTeam, ours: LoadedTeam) -> LoadedTeam:
    names = {agent.name for agent in own.agents}
    agents = [*own.agents, *(agent for agent in ours.agents if agent.name not in names)]
    return LoadedTeam(agents, {**ours.tools, **own.tools}, [*own.warnings, *ours.warnings])


class _Loading:
    """One team on its way: Python at once, Markdown when all tools are known."""

    def __init__(self, tools: Iterable[Tool[..., Any]]) -> None:
        self._slots: list[Agent | AgentFile] = []
        self._team = LoadedTeam()
        self._given = {tool.name: tool for tool in tools}
        self._imported: dict[str, Tool[..., Any] | None] = {}

    def take(self, spec: Any) -> None:
        """Take one thing that was listed."""
        if isinstance(spec, Agent):
            self._slots.append(spec)
        elif isinstance(spec, Tool):
            self._add_tool(spec)  # pyright: ignore[reportUnknownArgumentType]
        elif isinstance(spec, str | Path):
            self._take_path(spec)
        elif callable(spec):
            name = getattr(spec, "__name__", repr(spec))
            raise ConfigurationError(f"{name} is a plain function; decorate it with @agent(description=...)")
        else:
            raise ConfigurationError(f"{spec!r:.80} is no agent; give a decorated function, an Agent or a path")

    def take_folder(self, folder: Path) -> None:
        """Take every agent file of a folder."""
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            raise AgentFileError(f"{folder}: cannot be read: {error.strerror}") from None
        for path in paths:
            if path.name.startswith(("_", ".")) or not path.is_file():
                continue
            if path.suffix == ".py":
                self._take_python(path, named=False)
            elif path.suffix == ".md":
                self._take_markdown(path, named=False)

    def finish(self) -> LoadedTeam:
        """Make the agents of Markdown files, whose tools are known now."""
        while not self._made():
            pass
        return self._team

    def _made(self) -> bool:
        """Make the agents; False when a file had to be left out, for others may have named its agent as a tool."""
        names = [item.name for item in self._slots]
        imported = {name: tool for name, tool in self._imported.items() if tool is not None}
        tools = {**imported, **self._given, **self._team.tools}
        agents: list[Agent] = []
        warnings: list[str] = []
        for item in self._slots:
            if isinstance(item, AgentFile):
                others = [name for name in names if name != item.name]
                warnings.extend(item.warnings)
                try:
                    agents.append(agent_of(item, tools, others, warnings.append))
                except AgentFileError as error:
                    self._leave_out(item.data, error, named=item.named)
                    self._slots.remove(item)
                    return False
            else:
                agents.append(item)
        self._team.agents.extend(agents)
        self._team.warnings.extend(warnings)
        return True

    def _leave_out(self, data: bytes, error: AgentFileError, *, named: bool) -> None:
        """Warn of a file of another program that lies in a folder; what is ours, or was named, is an error."""
        if named or not is_foreign_file(data):
            raise error
        self._warn(f"{error} (it is an agent file of another program, and is left out)")

    def _take_path(self, spec: str | Path) -> None:
        if isinstance(spec, str) and spec.startswith(BUILTIN):
            self._take_file(_builtin_file(spec))
            return
        path = at_home(spec)
        if path.is_dir():
            self.take_folder(path)
        elif path.exists():
            self._take_file(path)
        else:
            name = f"{BUILTIN}{spec}"
            remedy = f"; did you mean {name!r}?" if name in builtin_names() else ""
            raise AgentFileError(f"{spec}: there is no such file or folder{remedy}")

    def _take_file(self, path: Path) -> None:
        if path.suffix == ".py":
            self._take_python(path, named=True)
        elif path.suffix == ".md":
            self._take_markdown(path, named=True)
        else:
            raise AgentFileError(f"{path}: an agent file ends in .md or .py")

    def _take_python(self, path: Path, *, named: bool) -> None:
        found = read_python_file(path, named=named)
        self._slots.extend(found.agents)
        for tool in found.tools:
            self._add_tool(tool)
        for tool in found.imported:
            # Two that files have for their own use are nobody's fault; which one is meant cannot be known.
            self._imported[tool.name] = tool if self._imported.get(tool.name, tool) is tool else None

    def _take_markdown(self, path: Path, *, named: bool) -> None:
        try:
            data = read_regular(path, most=LARGEST_AGENT_FILE)
        except OSError as error:
            raise AgentFileError(f"{path}: cannot be read: {error.strerror}") from None
        if named or has_front_matter(data):
            self._read_markdown(path, data, named=named)
        elif path.stem.lower() != "readme":
            self._warn(f"{path}: it has no front matter and is taken for no agent")

    def _read_markdown(self, path: Path, data: bytes, *, named: bool) -> None:
        try:
            self._slots.append(read_agent_file(path, data, named=named))
        except AgentFileError as error:
            self._leave_out(data, error, named=named)

    def _add_tool(self, tool: Tool[..., Any]) -> None:
        known = self._team.tools.setdefault(tool.name, tool)
        if known is not tool:
            raise ConfigurationError(f"two tools are called {tool.name!r}; rename one of them")

    def _warn(self, line: str) -> None:
        self._team.warnings.append(line)


def builtin_names() -> tuple[str, ...]:
    """Return the names by which built-in agents are listed: `builtin/librarian`."""
    folder = builtin_folder("agents")
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return tuple(
        f"{BUILTIN}{path.stem}"
        for path in paths
        if path.suffix in (".md", ".py") and not path.name.startswith(("_", "."))
    )


def _builtin_file(spec: str) -> Path:
    names = builtin_names()
    if spec not in names:
        # What all of them begin with makes none of them a near miss.
        near = nearest(spec.removeprefix(BUILTIN), [name.removeprefix(BUILTIN) for name in names])
        hint = f"did you mean {BUILTIN + near!r}?" if near else f"built in are {', '.join(names) or 'none'}"
        raise AgentFileError(f"{spec}: there is no such agent; {hint}")
    stem = builtin_folder("agents") / spec.removeprefix(BUILTIN)
    return next(path for path in (stem.with_suffix(".md"), stem.with_suffix(".py")) if path.is_file())
