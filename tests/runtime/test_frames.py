"""`Outcome.to_frame()`: a row for each task."""

import importlib
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from agentorch import Orchestrator, Outcome, Plan, agent
from agentorch.errors import ConfigurationError
from agentorch.runtime.frames import frame_of

COLUMNS = [
    *("task", "agent", "state", "attempts", "seconds", "waiting"),
    *("input_tokens", "cached_tokens", "output_tokens", "money", "caller"),
]


@agent(description="Says it.")
async def says(text: str) -> str:
    return text


async def outcome() -> Outcome:
    plan = Plan("two", answer="$b")
    plan.add("a", agent=says, inputs={"text": "hm"})
    plan.add("b", agent=says, inputs={"text": "$a"})
    return await Orchestrator([says]).run(plan)


@pytest.mark.parametrize("library", ["pandas", "polars"])
async def test_a_frame_has_a_row_for_each_task(library: str):
    """In plan order, in the library that was asked for."""
    module: Any = importlib.import_module(library)
    frame = (await outcome()).to_frame(library)  # pyright: ignore[reportArgumentType]
    assert isinstance(frame, module.DataFrame)
    assert list(frame.columns) == COLUMNS
    assert list(frame["task"]) == ["a", "b"]
    assert list(frame["state"]) == ["succeeded", "succeeded"]


async def test_frames_of_polars_can_be_joined():
    """Whether or not something was delegated in a run, or anything was done: each column has its type."""
    polars: Any = importlib.import_module("polars")
    none = frame_of([], "polars")
    alone = (await outcome()).to_frame("polars")
    record = (await outcome()).tasks["a"]
    called = frame_of([replace(record, caller="b")], "polars")
    assert alone.schema == none.schema == called.schema
    assert list(polars.concat([alone, none, called])["caller"]) == [None, None, "b"]


async def test_another_library_is_refused():
    """In a line that names those that there are."""
    with pytest.raises(ConfigurationError, match=r"library='arrow': it can be 'pandas' or 'polars'"):
        (await outcome()).to_frame("arrow")  # pyright: ignore[reportArgumentType]


SCRIPT = """
import sys
sys.modules.update(dict.fromkeys({missing}))
from types import SimpleNamespace
if "polars" not in {missing}:
    sys.modules["polars"] = SimpleNamespace(DataFrame=lambda columns, schema: sorted(columns)[:2])
from agentorch.errors import AgentorchError
from agentorch.runtime.frames import frame_of
try:
    print(frame_of([], {library!r}))
except AgentorchError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("missing", "library", "said"),
    [
        (
            ("pandas", "polars"),
            None,
            "Outcome.to_frame() needs the extra [notebook]: pip install 'agentorch[notebook]'",
        ),
        (("pandas",), "pandas", "Outcome.to_frame() needs the extra [notebook]: pip install 'agentorch[notebook]'"),
        (("polars",), "polars", "to_frame(library='polars') needs polars: pip install polars"),
        (("pandas",), None, "['agent', 'attempts']"),
    ],
)
def test_what_is_missing_is_said_in_one_line(missing: tuple[str, ...], library: str | None, said: str):
    """With what installs it; where one library is missing the other does."""
    script = SCRIPT.format(missing=missing, library=library)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{said}\n"
