"""What was acknowledged with `durability="power"` survives a power cut; see `tests.faults.power`."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from tests.faults.disk import missing


@pytest.mark.timeout(120)
async def test_no_acknowledged_event_is_lost_in_a_power_cut(repository: Path) -> None:
    """The journal is whole up to the last event that anybody was told of, and its run goes on; "process" loses some."""
    lack = missing()
    if lack is not None:
        pytest.skip(f"the power cannot be cut here: {lack}")
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.power", "--cuts", "3",
        cwd=repository, stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(repository)},
    )  # fmt: skip
    said, _ = await program.communicate()
    figures = json.loads(said)

    power, process = figures["power"], figures["process"]
    assert power["acknowledged"] > 3
    assert (power["cuts"], power["lost"], power["resumed"]) == (3, 0, 3)
    assert process["lost"] > 0, "the cut cuts: else it says nothing of the other durability"
    assert process["resumed"] == 3
