"""Data is never code: nothing that unpickles, evaluates, shells out or takes text for a template is anywhere here."""

import re
from pathlib import Path

import pytest

from tests.hostile.forbidden import HARMLESS, PLANTED, found_in

ROOT = Path(__file__).parents[2]
FOLDERS = ("agentorch", "agents", "tests", "benchmarks", ".ci")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if ".peers" not in path.parts)
SANDBOX = "agentorch/prompts/sandbox.py"


EXAMPLES = ("tests/test_examples.py", "uses exec")
"""The only exception: the pages of our own documentation are executed, to show that they are right."""


def test_nothing_forbidden_stands_anywhere() -> None:
    """In the product, its agents, its tests, its benchmarks and its scripts."""
    assert len(FILES) > 300
    names = [(path, path.relative_to(ROOT).as_posix()) for path in FILES]
    found = [line for path, name in names for line in found_in(path.read_text(encoding="utf-8"), name)]
    assert [line.split(":")[0::2] for line in found] == [[EXAMPLES[0], f" {EXAMPLES[1]}"]]


@pytest.mark.parametrize("source", PLANTED)
def test_each_check_can_fail(source: str) -> None:
    """A planted example of each is found."""
    assert found_in(source)


@pytest.mark.parametrize("source", HARMLESS)
def test_no_check_cries_wolf(source: str) -> None:
    """What only looks like it is left alone."""
    assert found_in(source) == []


def test_there_is_one_environment_of_templates_and_it_is_a_sandbox() -> None:
    """Templates are made by the class in one file, which derives from Jinja2's immutable sandbox."""
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
    importing = [name for name, text in texts.items() if re.search(r"^\s*(from|import) jinja2", text, re.MULTILINE)]
    product = [name for name in importing if name.startswith(("agentorch/", "agents/"))]
    assert product == ["agentorch/prompts/prompts.py", SANDBOX]
    assert "class Sandbox(ImmutableSandboxedEnvironment):" in (ROOT / SANDBOX).read_text(encoding="utf-8")
