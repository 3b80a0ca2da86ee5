"""A project: a folder that says it is one by `agentorch.toml`, or by `[tool.agentorch]` in its `pyproject.toml`.

A project's agents are executed. So a file of another user marks none that is merely found: anybody may put one above
us, in a folder that all may write in.
"""

import os
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
    """Return the nearest project of ours at or above a folder, or None: an unmarked folder is nobody's."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if is_project(folder) and _is_ours(folder)), None)


def _is_ours(folder: Path) -> bool:
    """Whether we, or the system's administrator, own what marks the folder."""
    marker = folder / "agentorch.toml"
    if not hasattr(os, "getuid"):  # on Windows
        return True
    marker = marker if marker.is_file() else folder / "pyproject.toml"
    return marker.stat().st_uid in {0, os.getuid()}
