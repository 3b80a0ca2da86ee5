"""The set-up of the command line: options over the environment (AGENTORCH_*), `.env`, files of settings, defaults.

`.env` is read from the current folder, by the command line only. It may also hold OPENAI_API_KEY and OPENAI_BASE_URL;
a base URL from `.env` is not used with a key from outside of it, so that a foreign folder cannot send a key elsewhere.
"""

import os
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from agentorch.cli.settings_files import ModelPrice, read_settings
from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.loading import find_project
from agentorch.models import Price
from agentorch.models.access import secrets
from agentorch.models.quirks import quirks_for
from agentorch.runtime.redaction import Redactor

ENV_FILE: Final = ".env"
_EXAMPLES: Final = {
    "prices": """write it as {"llama-3.3-70b": {"input": 0.20, "output": 0.60}}""",
    "quirks": """write it as {"llama-3.3-70b": {"output": "object"}}""",
}
_LAST_PORT: Final = 65535
_KEY, _URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"


class CliSettings(BaseSettings):
    """What AGENTORCH_* says."""

    model_config = SettingsConfigDict(
        env_prefix="AGENTORCH_", env_file=ENV_FILE, env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    model: str | None = None
    """Names, by comma, tried in order."""
    journal: str | None = None
    project: Path | None = None
    parallel: int | None = Field(default=None, ge=1)
    prices: dict[str, ModelPrice] = Field(default_factory=dict[str, ModelPrice])
    quirks: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    secrets: str | None = None
    """Names of variables, by comma, whose values are secrets."""
    local_ports: str = "11434,1234,8080,8000"
    """Ports of this machine, by comma, at which a chat looks for a model server to offer: those of Ollama, LM Studio,
    llama.cpp and vLLM. "none" is none."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What holds for one command."""

    model: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    journal: str = "memory:"
    project: Path | None = None
    parallel: int | None = None
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    quirks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    secrets: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Values that are never journaled, by name."""
    key_unused: bool = False
    """Whether a key is set and no model is named: none is used unasked."""
    server: str | None = None
    """The address of a server on this machine that was chosen by hand; it gets no key."""
    local_ports: tuple[int, ...] = ()
    """Where a model server may be offered from."""
    context: int | None = None
    """Tokens that a turn of a chat may see of those before it; None is the usual."""
    options: tuple[tuple[str, str], ...] = ()
    """What was given, by option."""

    def redactor(self) -> Redactor:
        """Return what takes out the secrets that this process knows of, for what it writes without a team."""
        return Redactor(self.secrets, known=_of_provider(os.environ.get(_URL, ""), os.environ.get(_KEY)))

    def flags(self, *names: str) -> tuple[str, ...]:
        """Return the options of these names as they can be typed again; all of them when none is named."""
        return tuple(part for name, value in self.options if not names or name in names for part in (name, value))

    def only(self, *names: str) -> "Setup":
        """Return the same, with no more than the options of these names to be typed again."""
        return replace(self, options=tuple(option for option in self.options if option[0] in names))


def setup(
    *,
    model: Sequence[str] | None = None,
    agents: Sequence[str] | None = None,
    files: Sequence[str] | None = None,
    journal: str | None = None,
    project: Path | None = None,
    parallel: int | None = None,
) -> Setup:
    """Return what holds for a command that was given these options; ConfigurationError names what is wrong."""
    settings = _read(os.environ)
    folder = _project("AGENTORCH_PROJECT=" if project is None else "--project ", project or settings.project)
    kept = read_settings(folder)
    models = tuple(model or _names(settings.model) or kept.models)
    prices = {**kept.prices, **settings.prices}
    return Setup(
        model=models,
        agents=tuple(agents or ()),
        files=_existing(files or kept.files),
        journal=journal or settings.journal or kept.journal or str(default_journal()),
        project=folder,
        parallel=parallel or settings.parallel or kept.parallel,
        context=kept.context,
        prices={name: Price(**price.model_dump()) for name, price in prices.items()},
        quirks=_quirks({**kept.quirks, **settings.quirks}),
        secrets=_secrets(settings.secrets or ""),
        key_unused=not models and bool(os.environ.get(_KEY)),
        local_ports=_ports(settings.local_ports),
        options=_options(
            ("-m", model),
            ("-a", agents),
            ("-f", files),
            ("--journal", journal),
            ("--project", project),
            ("--parallel", parallel),
        ),
    )


def _names(listed: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (listed or "").split(",") if name.strip())


def _options(*given: tuple[str, Sequence[str] | Path | int | None]) -> tuple[tuple[str, str], ...]:
    listed = ((name, [str(value)] if isinstance(value, str | Path | int) else value or ()) for name, value in given)
    return tuple((name, one) for name, values in listed for one in values)


def data_folder() -> Path:
    """Return the folder in which the command line keeps what it keeps."""
    return platformdirs.user_data_path("agentorch", appauthor=False)


def default_journal() -> Path:
    """Return the file that runs are kept in when nothing else is said."""
    return data_folder() / "runs.db"


def _read(environment: MutableMapping[str, str]) -> CliSettings:
    try:
        _take_provider(environment, dotenv_values(ENV_FILE) if Path(ENV_FILE).is_file() else {})
        return CliSettings()
    except ValidationError as error:
        first: Any = error.errors()[0]
        name, *inner = (str(part) for part in first["loc"])
        where = f", {'.'.join(inner)}" if inner else ""
        raise ConfigurationError(f"AGENTORCH_{name.upper()}{where} is {first['input']!r}: {first['msg']}") from None
    except SettingsError as error:
        named = next((name for name in ("prices", "quirks") if f'"{name}"' in str(error)), "prices")
        raise ConfigurationError(f"AGENTORCH_{named.upper()} is no JSON object; {_EXAMPLES[named]}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{ENV_FILE}: cannot be read: {error}; mend or remove it") from None


def _take_provider(environment: MutableMapping[str, str], file: dict[str, str | None]) -> None:
    has_key = bool(environment.get(_KEY))
    if file.get(_URL) and not has_key:
        environment.setdefault(_URL, str(file[_URL]))
    if file.get(_KEY):
        environment.setdefault(_KEY, str(file[_KEY]))


def _quirks(given: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for model, quirks in given.items():
        try:
            quirks_for("", model, given=quirks)
        except ConfigurationError as error:
            raise ConfigurationError(f"AGENTORCH_QUIRKS, {model}: {str(error).removeprefix('quirks: ')}") from None
    return given


def _secrets(names: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in filter(None, map(str.strip, names.split(","))):
        if name not in os.environ:
            raise ConfigurationError(
                f"AGENTORCH_SECRETS: there is no environment variable {name}; set it, or leave it out"
            )
        values[name] = os.environ[name]
    return values


def _ports(given: str) -> tuple[int, ...]:
    words = [word.strip() for word in given.split(",") if word.strip()]
    if words == ["none"]:
        return ()
    for word in words:
        if not (word.isdecimal() and 0 < int(word) <= _LAST_PORT):
            raise ConfigurationError(f"AGENTORCH_LOCAL_PORTS: {word!r} is no port; write it as 11434,1234 or none")
    return tuple(map(int, words))


def _of_provider(url: str, key: str | None) -> tuple[str, ...]:
    try:
        return secrets(url, key)
    except ValueError:  # it is no address: who calls a model hears of it
        return secrets("", key)


def _existing(files: Sequence[str]) -> tuple[str, ...]:
    for file in files:
        path = at_home(file)
        if not path.exists():
            raise ConfigurationError(f"--files {file}: no such file or folder")
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            raise ConfigurationError(f"--files {file}: it cannot be read; check its permissions")
    return tuple(str(at_home(file)) for file in files)


def _project(given_by: str, named: Path | None) -> Path | None:
    if named is None:
        return find_project(Path.cwd())
    if not named.is_dir():
        raise ConfigurationError(f"{given_by}{named}: no such folder")
    return named
