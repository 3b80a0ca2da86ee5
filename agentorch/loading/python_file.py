"""A Python agent file: executed, and asked for the agents and tools that it defines.

1. It is executed only when its path was named, or its folder was named or is that of a project.
2. It is in `sys.modules` before it executes, so that dataclasses and pydantic models in it can read their annotations.
3. The same content at the same path is executed once in a process: its types stay the same types.
"""

import hashlib
import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from agentorch.agents import Agent
from agentorch.errors import AgentFileError
from agentorch.tools import Tool


@dataclass(frozen=True, slots=True)
class PythonFile:
    """What a Python file defines."""

    agents: tuple[Agent, ...]
    tools: tuple[Tool[..., Any], ...]


def read_python_file(path: Path) -> PythonFile:
    """Execute a file and return its agents and tools; AgentFileError says the line where it failed."""
    module = _module(path.resolve(), path)
    values = [value for name, value in vars(module).items() if not name.startswith("__")]
    agents = [value for value in values if isinstance(value, Agent) and _is_of(value, module, path)]
    tools: list[Tool[..., Any]] = [value for value in values if isinstance(value, Tool)]
    for agent in agents:
        agent.source = path
    return PythonFile(tuple(dict.fromkeys(agents)), tuple(dict.fromkeys(tools)))


def _is_of(agent: Agent, module: ModuleType, path: Path) -> bool:
    """Whether an agent was made here, not imported from elsewhere."""
    if agent.function is not None:
        return agent.function.__module__ == module.__name__
    return agent.source is None or agent.source == path


def _module(path: Path, shown: Path) -> ModuleType:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise AgentFileError(f"{shown}: cannot be read: {error.strerror}") from None
    mark = hashlib.sha256(str(path).encode() + b"\0" + source).hexdigest()[:12]
    name = f"agentorch_file_{mark}_{path.stem.replace('-', '_')}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise AgentFileError(f"{shown}: it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise AgentFileError(f"{shown}: {_line(error, path)}{type(error).__name__}: {_words(error)}") from error
    return module


def _line(error: Exception, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: "
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"line {lines[-1]}: " if lines else ""


def _words(error: Exception) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return " ".join(text.split())
