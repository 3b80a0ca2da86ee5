"""The notebooks with a key: a real model answers what it likes, and each of them still runs from top to bottom."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.cli.chat.model_server import Answering, Body, serving
from tests.notebook.answering import PROSE, answer
from tests.notebook.test_notebooks import NOTEBOOKS

MODELS = {"05_comparing": {"gpt-5-nano", "gpt-5-mini", "gpt-5"}}
"""Which models are asked, where it is more than one."""

# Nearly all of their time the notebooks sleep or start: so they run at the same time.
pytestmark = pytest.mark.timeout(180)


async def with_a_key(path: Path, says: Answering) -> tuple[list[Body], str, str]:
    """Run a notebook as somebody does who has set a key; an error in a cell is raised.

    Return what the model was asked, what the cells showed, and what they complained of.
    """
    read: Any = nbformat
    notebook = read.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": path.parent}})
    with serving(says) as server:
        key = {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": server.url}
        await client.async_execute(env=os.environ | key)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [text for output in outputs for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    complaints = [output["text"] for output in outputs if output.get("name") == "stderr"]
    return server.requests, "\n".join(shown), "".join(complaints)


def test_a_model_may_answer_otherwise_than_the_script():
    """The models that a notebook names are asked, what they say is shown, and nothing complains."""

    async def all_of_them() -> list[tuple[list[Body], str, str]]:
        return await asyncio.gather(*(with_a_key(path, answer) for path in NOTEBOOKS))

    for path, (requests, shown, complaints) in zip(NOTEBOOKS, asyncio.run(all_of_them()), strict=True):
        assert complaints == "", path.stem
        assert {body["model"] for body in requests} == MODELS.get(path.stem, {"gpt-5-mini"}), path.stem
        assert PROSE in shown or ": 2\n}" in shown, path.stem


def test_a_model_may_never_get_it_right():
    """What stays off the scale after its repairs is a failed task, and no failed cell."""
    (path,) = (path for path in NOTEBOOKS if path.stem == "02_agents_and_tests")
    requests, shown, complaints = asyncio.run(with_a_key(path, partial(answer, number=11)))
    assert complaints == ""
    assert "the strength is 11: it goes from 1 to 5" in shown
    assert len(requests) > 2
