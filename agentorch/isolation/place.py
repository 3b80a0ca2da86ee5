"""Where an agent's function is, so that another process can load it: a module's name or a file, and a name in it.

1. A function at the top of a module, of an agent file, or of a script can be loaded; so can one in a class.
2. One that is defined inside another function cannot, nor one of a notebook or a prompt: they are in no file.
3. A script is loaded under another name than `__main__`, as `multiprocessing` does: what it does when it is run stands
   below `if __name__ == "__main__":`.
"""

import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from agentorch.agents import Agent, Context
from agentorch.agents.function import FunctionAgent
from agentorch.core.task import Task
from agentorch.errors import ConfigurationError
from agentorch.loading.folder_package import folder_of, import_file

SCRIPT: Final = "agentorch_script"
"""What a script's module is called in the child."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent is."""

    name: str
    """What leads to it in its module: `researcher`, `Team.researcher`."""
    module: str = ""
    file: str = ""
    in_folder: bool = False
    """Whether the file is of a folder of agents."""
    whole: bool = False
    """Whether other files of that folder may be imported."""


def place_of(agent: Agent) -> Place:
    """Return where an isolated agent is; ConfigurationError in one line when no other process could load it."""
    what = f"agent {agent.name!r}: isolate=True"
    if os.name != "posix":
        raise ConfigurationError(f"{what} needs Linux or macOS; leave it out here")
    if agent.memory is not None and sys.platform != "linux":
        raise ConfigurationError(f"{what}: memory= is held on Linux only; leave it out here")
    _refuse_resources(cast("FunctionAgent[..., Any]", agent), what)
    function = cast("Any", agent.function)
    module = sys.modules.get(function.__module__)
    if "<locals>" in function.__qualname__:
        raise ConfigurationError(f"{what}: {function.__qualname__} is defined inside a function; move it to a module")
    name = None if module is None else _name_in(module, agent)
    if module is None or name is None:
        raise ConfigurationError(f"{what}: module {function.__module__!r} has no name that holds it; give it one")
    return _placed(module, name, what)


def _refuse_resources(agent: "FunctionAgent[..., Any]", what: str) -> None:
    for name, kind in agent.injected:
        if kind not in {Task, Context}:
            raise ConfigurationError(f"{what}: resource '{name}: {kind.__name__}' cannot cross; make it in the agent")


def _name_in(module: ModuleType, agent: Agent) -> str | None:
    qualified = str(cast("Any", agent.function).__qualname__)
    for name in (qualified, *vars(module)):
        found = _at(module, name)
        if isinstance(found, Agent) and found.function is agent.function:
            return name
    return None


def _at(module: ModuleType, path: str) -> Any:
    value: Any = module
    for name in path.split("."):
        value = getattr(value, name, None)
    return value


def _placed(module: ModuleType, name: str, what: str) -> Place:
    file = getattr(module, "__file__", None) or ""
    if module.__name__ == "__main__":
        spec = module.__spec__
        if spec is not None:  # run by `python -m`
            return Place(name, module=spec.name)
        if not os.path.isfile(file):  # noqa: PTH113  # what a prompt calls its input is no path
            raise ConfigurationError(f"{what}: it is in a notebook or at a prompt, in no file; put it into one")
        return Place(name, module=SCRIPT, file=os.path.abspath(file))  # noqa: PTH100  # links are kept: they may be meant
    folder = folder_of(module)
    if folder is not None:
        return Place(name, file=file, in_folder=True, whole=folder)
    return Place(name, module=module.__name__, file=os.path.abspath(file) if file else "")  # noqa: PTH100


def found(place: Place) -> Agent:
    """Load the agent that is at a place; raises whatever its module raises."""
    agent = _at(_module(place), place.name)
    if not isinstance(agent, Agent):
        raise ConfigurationError(f"{place.file or place.module}: there is no agent at {place.name!r} any more")
    return agent


def _module(place: Place) -> ModuleType:
    if place.in_folder:
        return import_file(Path(place.file), whole=place.whole)
    if not place.file or _origin(place.module) == place.file:
        return importlib.import_module(place.module)
    spec = importlib.util.spec_from_file_location(place.module, place.file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[place.module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _origin(name: str) -> str | None:
    """Return the file of a module that can be imported by name."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, AttributeError, ValueError):  # a parent is missing, or is no package
        return None
    return spec.origin if spec is not None else None
