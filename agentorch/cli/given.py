"""What `run` was given and `resume` needs again: kept with the run, as its tag `command`.

1. Names and paths only: keys and servers come from the environment, and are never kept.
2. Relative paths are kept with the folder that they were given in, so that `resume` may be typed in any other.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from agentorch.cli.settings import Setup
from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.loading import BUILTIN

TAG: Final = "command"
"""The tag of a run that the command line started."""


class Given(BaseModel):
    """What a run was started with."""

    model_config = ConfigDict(frozen=True)

    folder: str
    """Where the command was typed."""
    model: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    project: str | None = None
    parallel: int | None = None

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return what `setup` was given."""
        return cls(
            folder=str(Path.cwd()),
            model=setup.model,
            agents=setup.agents,
            files=setup.files,
            project=None if setup.project is None else str(setup.project.absolute()),
            parallel=setup.parallel,
        )

    @classmethod
    def kept(cls, tags: Mapping[str, str]) -> Self | None:
        """Return what was kept with a run of these tags; None when another program started it."""
        try:
            return cls.model_validate_json(tags.get(TAG, ""))
        except ValidationError:
            return None

    @property
    def tags(self) -> dict[str, str]:
        """The tags to keep it by."""
        return {TAG: self.model_dump_json(exclude_defaults=True)}

    def complete(self, setup: Setup) -> tuple[Setup, str]:
        """Return `setup` with what it was not given anew, and that as it would be typed.

        ConfigurationError when a file or folder is not there any more.
        """
        anew = {name for name, _ in setup.options}
        taken: list[tuple[str, str]] = []
        if "-m" not in anew and self.model:
            setup = replace(setup, model=self.model, key_unused=False)
            taken += [("-m", name) for name in self.model]
        if "-a" not in anew:
            setup = replace(setup, agents=tuple(self._place("-a", agent) for agent in self.agents))
            taken += [("-a", agent) for agent in setup.agents]
        if "-f" not in anew:
            setup = replace(setup, files=tuple(self._place("-f", file) for file in self.files))
            taken += [("-f", file) for file in setup.files]
        if "--project" not in anew:
            project = None if self.project is None else Path(self._place("--project", self.project))
            setup = replace(setup, project=project)
        if "--parallel" not in anew and self.parallel is not None:
            setup = replace(setup, parallel=self.parallel)
        return setup, " ".join(f"{name} {shlex.quote(value)}" for name, value in taken)

    def _place(self, option: str, path: str) -> str:
        """Return a path as it reaches the same place from here."""
        if option == "-a" and path.startswith(BUILTIN):
            return path
        here = path if self.folder == str(Path.cwd()) else os.path.join(self.folder, at_home(path))  # noqa: PTH118
        if not at_home(here).exists():
            raise ConfigurationError(f"the run was given {option} {here}, which is not there: give {option} anew")
        return here
