"""Fifty agents on one key whose limits the server counts and enforces, for ten minutes of virtual time.

All rows: `python benchmarks/storm.py`. Here are those that differ most.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


def _storm() -> Any:
    path = Path(__file__).parents[2] / "benchmarks" / "storm.py"
    spec = importlib.util.spec_from_file_location("storm", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["storm"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


storm = _storm()


@pytest.mark.timeout(300)  # ten minutes of fifty agents are seconds of work; machines are shared
@pytest.mark.parametrize(
    ("kind", "tells", "knows", "error", "binding"),
    [
        ("sliding", "headers", "limits", "either", "tokens"),
        ("sliding", "nothing", "nothing", "either", "tokens"),
        ("fixed", "nothing", "limits", "+50 %", "tokens"),
        ("fixed", "retry-after", "nothing", "+50 %", "tokens"),
        ("bucket", "headers", "nothing", "either", "tokens"),
        ("bucket", "nothing", "nothing", "-50 %", "tokens"),
        ("sliding", "headers", "nothing", "either", "requests"),
    ],
)
def test_a_storm_is_weathered(kind: str, tells: str, knows: str, error: str, binding: str) -> None:
    """No task fails, at most eight requests of any minute are refused, and 95 % of the limit are used."""
    figures = storm.in_virtual_time(storm.Storm(kind, tells, knows, error, binding))
    assert figures.failed == 0
    assert figures.tasks > 400
    assert len(figures.refused) == 10
    assert max(figures.refused) <= storm.MOST
    assert figures.used >= storm.FLOOR
