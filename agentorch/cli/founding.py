"""`agentorch init`: a project with an agent in Python, one in Markdown, their tests, and its settings.

What is there already stays as it is.
"""

import shlex
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from agentorch.cli.result import ENVIRONMENT
from agentorch.cli.screen import Screen
from agentorch.cli.settings_files import PROJECT_FILE
from agentorch.errors import ConfigurationError
from agentorch.files import at_home

_FILES: Final = {
    PROJECT_FILE: "agentorch.toml.txt",
    "agents/keywords.py": "keywords.py.txt",
    "agents/explainer.md": "explainer.md.txt",
    "prompts/README.md": "prompts.md.txt",
    "tests/test_agents.py": "test_agents.py.txt",
    ".gitignore": "gitignore.txt",
    "pytest.ini": "pytest.ini.txt",
}
"""What is written, from what."""
_SETTINGS_OF_PYTEST: Final = ("pytest.toml", ".pytest.toml", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
"""Where settings of pytest may stand already: a pytest.ini beside them would be read in their place."""


def found(folder: str) -> int:
    """Write the files of a new project; return the exit code."""
    screen = Screen()
    root = at_home(folder)
    if root.exists() and not root.is_dir():
        raise ConfigurationError(f"{root} is a file: name a folder")
    try:
        wanted = _wanted(root)
        written = [name for name, source in wanted.items() if _written(root / name, source)]
    except OSError as error:
        screen.say(f"agentorch: {error.filename or root}: {error.strerror}: check the path and its permissions")
        return ENVIRONMENT
    for name in wanted:
        screen.say(f"{'written' if name in written else 'kept   '}  {root / name}", whole=True)
    there = "" if root.resolve() == Path.cwd() else f"cd {shlex.quote(str(root))}; "
    tests = "pytest" if find_spec("pytest") else "pip install 'agentorch[testing]'; pytest"
    screen.say(f"go on with: {there}agentorch agents; agentorch chat; {tests}", "dim", whole=True)
    return 0


def _wanted(root: Path) -> dict[str, str]:
    """Return the files that belong into a folder."""
    has_settings = any((root / name).exists() for name in _SETTINGS_OF_PYTEST)
    return {name: source for name, source in _FILES.items() if name != "pytest.ini" or not has_settings}


def _written(path: Path, source: str) -> bool:
    """Write a file, unless one is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (files("agentorch.cli") / "new_project" / source).read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True
