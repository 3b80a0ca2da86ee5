"""A Python agent file: executed, and asked for the agents and tools that it defines.

1. It is executed only when its path was named, or its folder was named or is that of a project. So are the files beside
   it that it imports; see `agentorch.loading.folder_package`.
2. Agents are of the file that makes them; a tool that was imported may be named by agent files too, if no file defines
   one of that name.
3. Whatever it raises, an attempt to end the program included, is an error of the file.
"""

import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from agentorch.agents import Agent
from agentorch.core.values import clipped
from agentorch.errors import AgentFileError
from agentorch.files import read_regular
from agentorch.loading.folder_package import beside, import_file
from agentorch.loading.project import find_project
from agentorch.tools import Tool

LARGEST_AGENT_FILE: Final = 4 * 1024 * 1024
"""Bytes that an agent file may have."""
_LONGEST: Final = 500
"""Characters that are told of what a file raised."""


@dataclass(frozen=True, slots=True)
class PythonFile:
    """What a Python file defines."""

    agents: tuple[Agent, ...]
    tools: tuple[Tool[..., Any], ...]
    imported: tuple[Tool[..., Any], ...]
    """Tools that it has from elsewhere."""


def read_python_file(path: Path, *, named: bool) -> PythonFile:
    """Execute a file and return its agents and tools; AgentFileError says the line where it failed.

    `named` says that the file was named, not its folder.
    """
    place = path.parent.resolve() / path.name
    module = _module(place, path, whole=not named or find_project(place.parent) is not None)
    values = [value for name, value in vars(module).items() if not name.startswith("__")]
    agents = [value for value in values if isinstance(value, Agent) and _is_of(value, module, path)]
    listed: list[Tool[..., Any]] = [value for value in values if isinstance(value, Tool)]
    tools = tuple(dict.fromkeys(listed))
    for agent in agents:
        agent.source = path
    own = tuple(tool for tool in tools if getattr(tool.function, "__module__", None) == module.__name__)
    return PythonFile(tuple(dict.fromkeys(agents)), own, tuple(tool for tool in tools if tool not in own))


def _is_of(agent: Agent, module: ModuleType, path: Path) -> bool:
    """Whether an agent was made here, not imported from elsewhere."""
    if agent.function is not None:
        return agent.function.__module__ == module.__name__
    if any(value is agent for other in beside(module) for value in vars(other).values()):
        return False
    return agent.source is None or agent.source == path


def _module(path: Path, shown: Path, *, whole: bool) -> ModuleType:
    try:
        read_regular(path, most=LARGEST_AGENT_FILE)
    except OSError as error:
        raise AgentFileError(f"{shown}: cannot be read: {error.strerror}") from None
    try:
        return import_file(path, whole=whole)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise AgentFileError(f"{shown}: {_line(error, path)}{type(error).__name__}: {_words(error, path)}") from error


def _line(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: "
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"line {lines[-1]}: " if lines else ""


def _words(error: BaseException, path: Path) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  # its words are the file's code too
        text = "no message"
    if isinstance(error, SystemExit):
        text = f"{error.code}; an agent file defines agents and must not end the program"
    elif isinstance(error, SyntaxError):
        elsewhere = error.filename if error.filename != str(path) else None
        text = f"{elsewhere}, line {error.lineno}: {error.msg}" if elsewhere else error.msg
    elif isinstance(error, ModuleNotFoundError) and error.name and (path.parent / f"{error.name}.py").is_file():
        text = f"{error}; for the file beside it write 'from .{error.name} import ...'"
    return clipped(" ".join(text.split()), _LONGEST)
