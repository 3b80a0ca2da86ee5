"""The planted faults fit the code as it is; `.ci/run planted` shows that each is seen."""

import ast
import tomllib
from pathlib import Path
from typing import Any

import pytest

PLANTED = Path(__file__).parent / "planted"
FAULTS: list[dict[str, Any]] = [
    fault for path in sorted(PLANTED.glob("*.toml")) for fault in tomllib.loads(path.read_text("utf-8"))["fault"]
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault["name"])
def test_a_fault_is_one_line_of_the_code_and_its_tests_exist(fault: dict[str, Any], repository: Path) -> None:
    """The line stands once, what takes its place is Python too, and the tests named are there."""
    text = (repository / fault["file"]).read_text(encoding="utf-8")
    assert text.count(fault["find"]) == 1
    compile(text.replace(fault["find"], fault["replace"]), fault["file"], "exec")
    for test in fault["tests"]:
        file, *names = test.split("::")
        tree = ast.parse((repository / file).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef | ast.ClassDef)}
        defined |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert {name.partition("[")[0] for name in names} <= defined


def test_every_promise_and_every_port_has_a_fault() -> None:
    """Ten promises, journals, blobs, bus, verifier, ladder, readers: each is guarded against at least one fault."""
    names = [fault["name"] for fault in FAULTS]
    kinds = {name.split(":")[0] for name in names}
    tests = {test.partition("::")[2] for fault in FAULTS for test in fault["tests"]}
    assert len(names) == len(set(names))
    assert {f"promise {number}" for number in range(1, 11)} <= kinds
    assert {"journal", "blobs", "bus", "verifier", "ladder", "context", "readers", "resume"} <= kinds
    assert {"TestMemoryJournal", "TestSqliteJournal", "TestMemoryBlobs", "TestSqliteBlobs", "TestMemoryBus"} <= tests
