"""What is shipped: the wheel's content as it is configured, and a lock file that anybody can use.

The wheel itself is built, installed bare and run by `.ci/run build wheel`.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK_TEXT = (ROOT / "uv.lock").read_text(encoding="utf-8")
LOCK: dict[str, Any] = tomllib.loads(LOCK_TEXT)


def name_of(requirement: str) -> str:
    """Return the normalised name of a requirement: `pyright[nodejs]>=1.1` is `pyright`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ;]", requirement)[0]).lower()


def requirements() -> list[str]:
    """Return every requirement that pyproject.toml names, our own package left out."""
    project = PROJECT["project"]
    groups = [*project["optional-dependencies"].values(), *PROJECT["dependency-groups"].values()]
    named = [each for group in groups for each in group if isinstance(each, str)]
    return [each for each in [*project["dependencies"], *named] if name_of(each) != "agentorch"]


def test_agents_and_prompts_are_shipped_below_the_package():
    """In a wheel the built-in agents and prompts are under `agentorch/_builtin/`; in a checkout they are beside it."""
    build = PROJECT["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["only-include"] == ["agentorch", "agents", "prompts"]
    assert build["targets"]["wheel"]["sources"] == {
        "agents": "agentorch/_builtin/agents",
        "prompts": "agentorch/_builtin/prompts",
    }
    assert build["dev-mode-dirs"] == ["."]
    assert not (ROOT / "agentorch" / "_builtin").exists()


def test_the_package_says_that_it_is_typed():
    """Type checkers look for `py.typed`."""
    assert (ROOT / "agentorch" / "py.typed").is_file()


@pytest.mark.parametrize("requirement", sorted(set(requirements())))
def test_each_requirement_is_locked(requirement: str):
    """`uv lock` was run after the last change of pyproject.toml."""
    assert name_of(requirement) in {package["name"] for package in LOCK["package"]}


def test_the_lock_file_names_public_addresses_only():
    """Nothing of the machine that wrote it is left in it."""
    assert set(re.findall(r"(\w+://[^/\"]+)", LOCK_TEXT)) == {"https://pypi.org", "https://files.pythonhosted.org"}
    assert {tuple(package["source"]) for package in LOCK["package"]} == {("registry",), ("editable",)}


def test_the_bare_package_needs_no_web_server_and_no_terminal_library():
    """Extras are extra."""
    bare = {name_of(requirement) for requirement in PROJECT["project"]["dependencies"]}
    assert bare & {"typer", "rich", "starlette", "uvicorn", "nats-py", "mcp", "pypdf", "duckdb"} == set()
