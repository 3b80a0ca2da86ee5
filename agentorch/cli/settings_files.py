"""Settings that are kept in files: the project's (`agentorch.toml`, or `[tool.agentorch]` in its `pyproject.toml`), and
the user's (`config.toml` in the XDG configuration folder).

1. What is given beats the environment, which beats `.env`, the project's file, and the user's, in this order.
2. A project may be somebody else's folder: its file names nothing outside of it, and no server, key or secret.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentorch.core.nearest import did_you_mean
from agentorch.errors import ConfigurationError

PROJECT_FILE: Final = "agentorch.toml"
_EMPTY: Final[Mapping[str, Any]] = {}


class ModelPrice(BaseModel):
    """US dollars for a million tokens."""

    model_config = ConfigDict(extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)


class FileSettings(BaseModel):
    """What such a file may say."""

    model_config = ConfigDict(extra="forbid")

    model: str | list[str] | None = None
    """A name, or several, tried in order."""
    files: list[str] = Field(default_factory=list[str])
    """What agents may read: relative to the project, and within it."""
    journal: str | None = None
    """Where runs are kept: relative to the project, and within it."""
    parallel: int | None = Field(default=None, ge=1)
    context: int | None = Field(default=None, ge=0)
    """Tokens that a turn of a chat may see of those before it."""
    prices: dict[str, ModelPrice] = Field(default_factory=dict[str, ModelPrice])
    quirks: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])

    @property
    def models(self) -> tuple[str, ...]:
        """The names."""
        return (self.model,) if isinstance(self.model, str) else tuple(self.model or ())


def user_file() -> Path:
    """Return where the user's settings are looked for."""
    return platformdirs.user_config_path("agentorch", appauthor=False) / "config.toml"


def read_settings(project: Path | None) -> FileSettings:
    """Return the project's settings over the user's; ConfigurationError names the file and the key."""
    user = _checked(user_file(), _table(user_file()))
    if project is None:
        return user
    path, table = _of_project(project)
    return user.model_copy(update=_within(_checked(path, table), path, project))


def _of_project(project: Path) -> tuple[Path, Mapping[str, Any]]:
    own = project / PROJECT_FILE
    if own.is_file():
        return own, _table(own)
    path = project / "pyproject.toml"
    tools = cast("Mapping[str, Mapping[str, Any]]", _table(path).get("tool", _EMPTY))
    return path, tools.get("agentorch", _EMPTY)


def _table(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _EMPTY
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None


def _checked(path: Path, table: Mapping[str, Any]) -> FileSettings:
    try:
        return FileSettings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = did_you_mean(str(first["loc"][-1]), FileSettings.model_fields)
            raise ConfigurationError(f"{path}: unknown key {key!r}; {known or 'see the guide'}") from None
        raise ConfigurationError(f"{path}: {key} is {first['input']!r:.80}: {first['msg']}") from None


def _within(settings: FileSettings, path: Path, project: Path) -> dict[str, Any]:
    """Return what the project says, its paths made whole; ConfigurationError for one that leads out of it."""
    said = {name: getattr(settings, name) for name in settings.model_fields_set}
    if settings.files:
        said["files"] = [_inside(one, "files", path, project) for one in settings.files]
    if settings.journal not in {None, "memory:"}:
        said["journal"] = _inside(settings.journal or "", "journal", path, project)
    return said


def _inside(name: str, key: str, path: Path, project: Path) -> str:
    root = project.resolve()
    whole = (root / name).resolve()
    if not whole.is_relative_to(root):
        raise ConfigurationError(f"{path}: {key} {name!r} leads out of the project: give it by an option instead")
    return str(whole)
