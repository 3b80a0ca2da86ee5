"""The shape of the code: small files, small functions, and none of what this project does without."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*(ROOT / "agentorch").rglob("*.py"), *(ROOT / "agents").glob("*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EXAMPLES = sorted(path for path in (ROOT / "benchmarks").rglob("*.py") if ".peers" not in path.parts)

FILE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_FILE_LINES = 120
SHORT_FUNCTION_LINES = 20
SHORT_FUNCTIONS = 0.85

UNWANTED_NAMES = set(
    "base common crew handler handlers helper helpers manager managers misc node util utils".split()  # noqa: SIM905
)
UNWANTED_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve"}
UNWANTED_CALLS = {"eval", "exec", "print", "breakpoint"}
PRINTING = ("cli",)
"""Packages that may print: they are the terminal's side."""
EXECUTING = {"runpy"}
"""Standard modules that execute code by path."""
UNSAFE_YAML = {"load", "load_all", "unsafe_load", "unsafe_load_all", "full_load", "full_load_all"}
UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), name_of(path))


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """Go through the functions of a file with their lines, decorators and docstrings included."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, Function):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield f"{name_of(path)}:{node.lineno} {node.name}", (node.end_lineno or first) - first + 1


def calls_of(path: Path) -> Iterator[tuple[str, int]]:
    """Go through the calls of a file by name: `print`, `yaml.load`."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def imports_of(path: Path) -> Iterator[str]:
    """Go through the top-level packages that a file imports."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("files", [SOURCES, TESTS, EXAMPLES], ids=["sources", "tests", "benchmarks"])
def test_no_file_is_long(files: list[Path]):
    """A file holds one concept, and 400 lines are enough for it."""
    assert {name_of(path): lines_of(path) for path in files if lines_of(path) > FILE_LINES} == {}


@pytest.mark.parametrize("files", [SOURCES, TESTS, EXAMPLES], ids=["sources", "tests", "benchmarks"])
def test_no_function_is_long(files: list[Path]):
    """A function fits on a screen."""
    long = {name: lines for path in files for name, lines in functions_of(path) if lines > FUNCTION_LINES}
    assert long == {}


def test_the_usual_file_is_small():
    """Half of the files have at most 120 lines."""
    assert statistics.median(lines_of(path) for path in SOURCES) <= MEDIAN_FILE_LINES


def test_the_usual_function_is_small():
    """At least 85 of 100 functions have at most 20 lines."""
    lengths = [lines for path in SOURCES for _, lines in functions_of(path)]
    assert sum(length <= SHORT_FUNCTION_LINES for length in lengths) / len(lengths) >= SHORT_FUNCTIONS


@pytest.mark.parametrize("files", [SOURCES, TESTS, EXAMPLES], ids=["sources", "tests", "benchmarks"])
def test_nothing_is_left_undone(files: list[Path]):
    """What is missing is an issue, not a note in the code."""
    others = [path for path in files if path.name != Path(__file__).name]
    assert [name_of(path) for path in others if UNDONE.search(path.read_text(encoding="utf-8"))] == []


def test_the_library_does_not_print_or_execute_text():
    """What happened is in the journal; data is never code."""
    found = [
        f"{name_of(path)}:{line} {call}"
        for path in SOURCES
        for call, line in calls_of(path)
        if call in UNWANTED_CALLS and not (call == "print" and PRINTING[0] in path.parts)
    ]
    assert found == []


def test_nothing_is_pickled():
    """Values are JSON: no module can be made to execute what it reads."""
    unwanted = UNWANTED_IMPORTS | EXECUTING
    assert {name_of(path): used for path in SOURCES if (used := unwanted & set(imports_of(path)))} == {}


def test_yaml_is_read_by_one_safe_loader():
    """`yaml.load` stands in one place, with a loader derived from SafeLoader."""
    calls = [(path, call, line) for path in SOURCES for call, line in calls_of(path) if call.startswith("yaml.")]
    unsafe = [(name_of(path), call, line) for path, call, line in calls if call.removeprefix("yaml.") in UNSAFE_YAML]
    reading = [name for name, call, _ in unsafe if call == "yaml.load"]
    assert len(unsafe) == len(reading)
    assert set(reading) <= {"agentorch/documents/yaml_reading.py"}


def test_modules_are_named_by_their_nouns():
    """No module is called after the fact that nobody knew where to put things."""
    words = {name_of(path): set(path.stem.split("_")) | set(path.parent.name.split("_")) for path in SOURCES}
    assert {name: found for name, parts in words.items() if (found := parts & UNWANTED_NAMES)} == {}


def test_agents_is_no_package():
    """`agents/__init__.py` would shadow the `agents` package of openai-agents wherever this checkout is on the path."""
    assert not (ROOT / "agents" / "__init__.py").exists()


def test_type_checking_blocks_hide_no_cycle():
    """An import cycle is an import cycle: only the lazy public names are imported for type checkers alone."""
    found = [
        name_of(path) for path in SOURCES if re.search(r"^if TYPE_CHECKING", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert found == ["agentorch/__init__.py"]


def test_the_core_has_nothing_async():
    """The core decides; it waits for nothing."""
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    cores = [path for path in SOURCES + TESTS if "core" in path.parts]
    assert [name_of(path) for path in cores if any(isinstance(node, waiting) for node in ast.walk(tree_of(path)))] == []


def test_every_test_says_what_it_promises():
    """One line of docstring per test."""
    silent = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in ast.walk(tree_of(path))
        if isinstance(node, Function) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []
