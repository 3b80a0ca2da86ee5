"""Where the built-in templates and agents are: in the wheel, or beside our own pyproject.toml in a checkout."""

from pathlib import Path
from typing import Final, Literal

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def builtin_folder(kind: Literal["agents", "prompts"]) -> Path:
    """Return the folder of what is built in.

    A checkout is recognised by its pyproject.toml, and only the one right above this package counts: another project's
    `agents/` folder is never taken for ours.
    """
    shipped = _PACKAGE / "_builtin" / kind
    if shipped.is_dir():
        return shipped
    return _PACKAGE.parent / kind if _is_ours(_PACKAGE.parent / "pyproject.toml") else shipped


def _is_ours(project: Path) -> bool:
    try:
        return 'name = "agentorch"' in project.read_text(encoding="utf-8")
    except OSError:
        return False
