"""Loading the client: in a thread, once in a process, while the event loop goes on. Each test has a fresh process."""

import subprocess
import sys

import pytest

BEGIN = """
import asyncio, sys
from agentorch.models.sdk import loaded

async def main():
    assert "openai" not in sys.modules
"""
END = """
asyncio.run(main())
print("done")
"""
WAITERS = """
    turns = 0
    async def turn():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1
    turning = asyncio.create_task(turn())
    impatient = asyncio.create_task(loaded())
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.gather(loaded(), loaded())
    assert impatient.cancelled() and turns > 10, turns
    assert hasattr(sys.modules["openai"], "AsyncOpenAI")
    await loaded()
"""
MISSING = """
    sys.modules["openai"] = None
    told = await asyncio.gather(loaded(), loaded(), return_exceptions=True)
    try:
        await loaded()
    except ImportError as error:
        told.append(error)
    assert [type(error) for error in told] == [ModuleNotFoundError] * 3, told
"""


@pytest.mark.parametrize("body", [WAITERS, MISSING], ids=["waiters", "missing"])
def test_it_is_loaded_once_beside_the_loop(body: str) -> None:
    """The loop turns meanwhile; who stops waiting stops nothing; what goes wrong is told to everybody."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + body + END], capture_output=True, text=True, check=False, timeout=50
    )
    assert (done.stdout, done.stderr) == ("done\n", "")
