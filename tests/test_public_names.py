"""The public surface: just these names, each from one place, typed and lazy alike."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import agentorch

PUBLIC = {
    "Agent",
    "AgentCard",
    "AgentorchError",
    "Budget",
    "Context",
    "Event",
    "Judge",
    "Orchestrator",
    "Outcome",
    "Plan",
    "Policy",
    "Registry",
    "Run",
    "Task",
    "Validator",
    "Verdict",
    "across",
    "agent",
    "tool",
}
SOURCE = Path(agentorch.__file__)


def places_for_type_checkers() -> dict[str, str]:
    """Return name -> module of the imports that only a type checker reads."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in guarded.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name: str(node.module) for node in imports for alias in node.names}


def places_at_run_time() -> dict[str, str]:
    """Return name -> module of the table that `__getattr__` reads."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    table = next(
        node for node in tree.body if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_PLACES"
    )
    assert table.value is not None
    return ast.literal_eval(table.value)


def test_the_public_names_are_pinned():
    """Additions are decided, not slipped in; renames never happen."""
    assert set(agentorch.__all__) == PUBLIC | {"__version__"}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_each_name_can_be_imported(name: str):
    """Every public name is there, and listed by `dir`."""
    assert getattr(agentorch, name) is not None
    assert name in dir(agentorch)


def test_type_checkers_and_the_interpreter_see_the_same():
    """The imports for type checkers and the lazy table name the same places."""
    assert places_for_type_checkers() == places_at_run_time()


def test_an_unknown_name_is_an_attribute_error():
    """A wrong name fails as in any module."""
    with pytest.raises(AttributeError, match="module 'agentorch' has no attribute 'Crew'"):
        getattr(agentorch, "Crew")  # noqa: B009


def test_no_module_bears_the_name_of_a_public_function():
    """A module `agentorch/agent.py` would take the place of the decorator `agent` once it was imported."""
    functions = {name for name in PUBLIC if name.islower()}
    beside = {path.stem for path in SOURCE.parent.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert functions & beside == set()


def loaded_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter holds after running `code`."""
    script = f"import sys\n{code}\nprint(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_agentorch_loads_almost_nothing():
    """`import agentorch` is quick because it imports neither its own parts nor anyone else's."""
    loaded = loaded_after("import agentorch")
    heavy = {"openai", "tiktoken", "rich", "typer", "pydantic", "anyio", "jinja2", "starlette", "nats", "mcp"}
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("agentorch.")} == set()


def test_using_the_public_names_loads_no_client_and_no_terminal():
    """A program without a model never pays for the openai client, nor a library for the command line's parts."""
    loaded = loaded_after("import agentorch\nfor name in agentorch.__all__: getattr(agentorch, name)")
    assert loaded & {"openai", "tiktoken", "rich", "typer", "prompt_toolkit", "starlette", "nats", "mcp"} == set()


def test_a_command_that_styles_nothing_loads_no_terminal():
    """What writes data for a program, and is quiet, does not wait for a library that draws tables and Markdown."""
    loaded = loaded_after("from agentorch.cli import running\nrunning.Screen().json([])")
    assert loaded & {"openai", "rich", "pygments", "markdown_it", "prompt_toolkit"} == set()
