"""A plain function that never returns, in virtual time: the test ends with one line, and the process of tests ends."""

import asyncio
import subprocess
import sys
import threading

import pytest

from agentorch.errors import ConfigurationError
from agentorch.testing import VirtualClock
from agentorch.testing.leaving import end_with
from agentorch.threads import in_thread
from tests.kit.project import pytest_in

STUCK = """
import threading

import pytest
from agentorch import agent
from agentorch.testing import VirtualClock


@agent(description="Never returns.")
def stuck() -> str:
    threading.Event().wait()
    return "never"


@pytest.fixture
def virtual_clock(virtual_clock):
    virtual_clock.patience = 0.2
    return virtual_clock


async def test_of_the_kit(make_orchestrator, virtual_clock):
    async with make_orchestrator([stuck]) as orchestrator:
        await orchestrator.run("Go")


@pytest.mark.asyncio
async def test_of_pytest_asyncio(make_orchestrator, virtual_clock):
    async with make_orchestrator([stuck]) as orchestrator:
        await orchestrator.run("Go")


def test_sync(make_orchestrator, virtual_clock):
    make_orchestrator([stuck]).run_sync("Go")


async def test_that_takes_no_notice(make_orchestrator, virtual_clock):
    async with make_orchestrator([stuck]) as orchestrator:
        try:
            await orchestrator.run("Go")
        except BaseException:
            pass


async def test_that_comes_next(make_orchestrator, scripted_model):
    pass
"""


@pytest.mark.timeout(180)  # it starts pytest anew
def test_a_function_that_never_returns_ends_its_test_and_not_the_others(pytester: pytest.Pytester) -> None:
    """Whoever runs the test: it says where the thread stands; then pytest ends, with its own exit code."""
    result = pytest_in(pytester, STUCK)("--tb=short")
    result.assert_outcomes(passed=1, failed=4)
    line = (
        "virtual time: for 0.2 real seconds it was waited only for plain functions in threads: "
        "stuck (*test_team.py:10); let them return, write them as `async def` (then their time-outs end them), "
        "or wait longer: virtual_clock.patience = 2"
    )
    result.stdout.fnmatch_lines([f"*{line}"] * 4)
    assert (result.ret, "CancelledError" in result.stdout.str()) == (1, False)


def wait_for(event: threading.Event) -> None:
    event.wait(50)


def test_without_fixtures_what_waits_is_cancelled_with_the_line() -> None:
    """A thread that still does something in time is waited for; two that do not are both named."""
    clock, slow, never = VirtualClock(patience=0.3), threading.Event(), threading.Event()

    async def body() -> None:
        clock.now()
        for _ in range(3):  # together longer than its patience
            await in_thread(lambda: slow.wait(0.2))
        await asyncio.gather(in_thread(lambda: wait_for(never)), in_thread(lambda: never.wait(50)))

    try:
        with asyncio.Runner(loop_factory=clock.new_loop) as runner, pytest.raises(asyncio.CancelledError) as raised:
            runner.run(body())
    finally:
        never.set()
    said = str(clock.stuck)
    assert (said.count("<lambda> ("), said.count(f"{__file__}:"), clock.elapsed) == (2, 2, 0)
    assert str(raised.value) == said


@pytest.mark.parametrize("patience", [0, -1.0, float("nan")])
def test_a_patience_is_some_time(patience: float) -> None:
    """One that is none is refused."""
    with pytest.raises(ConfigurationError, match=r"VirtualClock: patience=.*; give real seconds above 0, or math.inf"):
        VirtualClock(patience=patience)


def test_where_all_threads_have_ended_nobody_waits_to_end_the_process() -> None:
    """The interpreter ends in its own way."""
    before = threading.active_count()
    end_with(lambda: 1)
    assert threading.active_count() == before


LEFT_BEHIND = """
import asyncio
import sys
import threading

from agentorch.testing.leaving import end_with
from agentorch.threads import at_work, in_thread


async def body():
    call = asyncio.ensure_future(in_thread(threading.Event().wait))
    while not at_work():
        await asyncio.sleep(0.01)
    call.cancel()


asyncio.run(body())
end_with(lambda: 3)
sys.stdout.close()
"""


@pytest.mark.timeout(120)  # it starts a process
def test_a_process_whose_output_is_closed_ends_too() -> None:
    """Nobody may be left to read what it says: it ends all the same, with its own exit code."""
    ended = subprocess.run([sys.executable, "-c", LEFT_BEHIND], check=False, timeout=60)
    assert ended.returncode == 3
