"""A project: a folder that says it is one by `agentorch.toml`, or by `[tool.agentorch]` in its `pyproject.toml`."""

import tomllib
from pathlib import Path


def is_project(folder: Path) -> bool:
    """Whether a folder is marked as a project."""
    if (folder / "agentorch.toml").is_file():
        return True
    try:
        settings = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "agentorch" in settings.get("tool", {})


def find_project(start: Path) -> Path | None:
    """Return the nearest project at or above a folder, or None: an unmarked folder is nobody's."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if is_project(folder)), None)
