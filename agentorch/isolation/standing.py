"""Whether this process is a child that is loading its agent: then nothing may start a run."""

from collections.abc import Generator
from contextlib import contextmanager

from agentorch.errors import ConfigurationError

_loading = False


@contextmanager
def loading() -> Generator[None]:
    """Say that an agent is being loaded."""
    global _loading  # noqa: PLW0603  # a fact of the process
    _loading = True
    try:
        yield
    finally:
        _loading = False


def refuse_while_loading() -> None:
    """Raise ConfigurationError where a module that a child loads for its agent would start a run of its own."""
    if _loading:
        raise ConfigurationError(
            "a module with an isolated agent starts a run when it is imported, and its child imports it: "
            'put the start below `if __name__ == "__main__":`'
        )
