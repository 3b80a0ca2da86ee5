"""A long run takes as many bytes a task as a short one, and is running again without doing anything twice."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(120)
async def test_the_bytes_of_a_task_do_not_grow_with_the_run(repository: Path) -> None:
    """Ten times the tasks, ten times the journal: nothing in it holds the whole state."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.restart", "--sizes", "100", "1000",
        cwd=repository, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(repository)},
    )  # fmt: skip
    said, _ = await program.communicate()
    short, long = json.loads(said)

    assert 0.9 < long["bytes_per_task"] / short["bytes_per_task"] < 1.1
    assert long["events"] == 2 * 1000 + 7, "begun, planned (2), the last task, and taken up three times"
