"""The promise that every target is held to: a value, or a documented error in one line that says what is wrong."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from agentorch.errors import AgentorchError

LONGEST_MESSAGE = 2_000
"""Characters of an error message: it quotes the beginning of what it was given, not all of it."""


@contextmanager
def refused_in_words(*documented: type[Exception], begins: str = "") -> Generator[None]:
    """Let documented errors pass that keep the promise (by default the tree); whatever else is raised is a failure."""
    classes = documented or (AgentorchError,)
    try:
        yield
    except classes as error:
        text = str(error)
        if (
            not text.strip()
            or len(text) > LONGEST_MESSAGE
            or len(text.splitlines()) != 1
            or not text.startswith(begins)
        ):
            pytest.fail(f"{type(error).__name__} says: {text[:300]!r} ({len(text)} characters)")
