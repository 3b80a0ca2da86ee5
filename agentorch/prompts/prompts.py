"""The prompt templates: files in `prompts/`, the user's before the built-in ones."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
)

from agentorch.core.identity import digest
from agentorch.core.nearest import did_you_mean
from agentorch.errors import PromptError
from agentorch.files import read_regular
from agentorch.prompts.folders import builtin_folder
from agentorch.prompts.sandbox import Sandbox, bounded

BUILTIN = "builtin/"
"""Begins the name of a template that is ours whatever the user's folder holds."""
SUFFIX = ".md.j2"
_LARGEST = 1024 * 1024
"""Bytes that a template may have."""


class Prompts:
    """Templates by name (`agent` is the file `agent.md.j2`); `builtin/agent` is always ours.

    A user's template of the same name takes the place of ours, or extends it: `{% extends "builtin/agent" %}`.
    """

    def __init__(self, folders: Sequence[str | Path] = (), *, builtin: Path | None = None) -> None:
        self._loader = _Loader(tuple(Path(folder) for folder in folders), builtin or builtin_folder("prompts"))
        self._environment = Sandbox(self._loader)
        self._templates: dict[str, Template] = {}
        """What was compiled: the sandbox's own table takes longer to look into than a template to fill."""

    def render(self, name: str, /, **values: Any) -> str:
        """Return the text of a template; values are data, never templates.

        Raises:
            PromptError: it is missing, does not compile, lacks a value, or makes too much; in one line.
        """
        template = self._template(name)
        try:
            return bounded(template.generate(values)).strip()
        except UndefinedError as error:
            raise PromptError(f"prompt {name!r}: {error.message}; the values are {', '.join(sorted(values))}") from None
        except TemplateNotFound as error:
            raise self._missing(str(error.name or name)) from None
        except TemplateError as error:
            raise PromptError(f"prompt {name!r}: {_one_line(error)}") from None
        except (TypeError, ValueError, KeyError, ArithmeticError, RecursionError) as error:
            raise PromptError(f"prompt {name!r}: {type(error).__name__}: {_one_line(error)}") from None

    def version(self, name: str) -> str:
        """Return a hash of a template's source, for the journal."""
        return digest(self._source(name))

    def names(self) -> tuple[str, ...]:
        """Return the names of all templates, sorted."""
        return self._loader.names()

    def _source(self, name: str) -> str:
        try:
            return self._loader.get_source(self._environment, name)[0]
        except TemplateNotFound:
            raise self._missing(name) from None

    def _template(self, name: str) -> Template:
        template = self._templates.get(name)
        if template is None:
            template = self._templates[name] = self._compiled(name)
        return template

    def _compiled(self, name: str) -> Template:
        try:
            return self._environment.get_template(name)
        except TemplateNotFound as error:
            raise self._missing(str(error.name or name)) from None
        except TemplateSyntaxError as error:
            raise PromptError(f"{error.filename or name}: line {error.lineno}: {error.message}") from None

    def _missing(self, name: str) -> PromptError:
        hint = did_you_mean(name, self.names()) or "put it into the prompts folder"
        return PromptError(f"prompt {name!r}: there is no file {name.removeprefix(BUILTIN)}{SUFFIX}; {hint}")


class _Loader(BaseLoader):
    """Finds templates by name in the user's folders, then in ours."""

    def __init__(self, folders: tuple[Path, ...], builtin: Path) -> None:
        self._folders = folders
        self._builtin = builtin

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        del environment
        name = template.removesuffix(SUFFIX)
        folders = (self._builtin,) if name.startswith(BUILTIN) else (*self._folders, self._builtin)
        plain = name.removeprefix(BUILTIN)
        if any(part in ("", ".", "..") for part in plain.split("/")) or "\\" in plain:
            raise TemplateNotFound(template)
        for folder in folders:
            path = folder / f"{plain}{SUFFIX}"
            try:
                # What came with agentorch are files, and small ones.
                data = path.read_bytes() if folder is self._builtin else read_regular(path, most=_LARGEST)
                source = data.decode().removeprefix("\ufeff")
                return source.replace("\r\n", "\n"), str(path), lambda: True
            except (FileNotFoundError, NotADirectoryError):
                continue
            except (OSError, UnicodeDecodeError) as error:
                raise PromptError(f"{path}: cannot be read: {_one_line(error)}") from None
        raise TemplateNotFound(template)

    def names(self) -> tuple[str, ...]:
        found = {
            Path(place, name).relative_to(folder).as_posix().removesuffix(SUFFIX)
            for folder in (*self._folders, self._builtin)
            for place, _, names in os.walk(folder)
            for name in names
            if name.endswith(SUFFIX)
        }
        return tuple(sorted(found))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
