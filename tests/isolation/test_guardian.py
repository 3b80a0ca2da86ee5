"""The guardian: what an isolated agent has started ends with the process that started the agent."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentorch import Orchestrator, Plan
from agentorch.isolation import Guardian, guarding
from tests.isolation.test_isolated_agents import TEAM, begun, gone, state_of

PARENT = """
import asyncio, sys
from agentorch import Orchestrator, Plan

async def main():
    plan = Plan("stubborn")
    plan.add("one", agent="stubborn", inputs={"file": sys.argv[2], "hold_loop": True})
    async with Orchestrator([sys.argv[1]]) as orchestrator:
        await orchestrator.run(plan)

asyncio.run(main())
"""


STARTED: list[subprocess.Popen[bytes]] = []


def python(*arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start an interpreter in a group of its own."""
    STARTED.append(subprocess.Popen([sys.executable, *arguments], stdin=stdin, start_new_session=True))
    return STARTED[-1]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Have what a test started end with it, however that ends."""
    yield
    while STARTED:
        process = STARTED.pop()
        process.kill()
        process.wait()


def sleeping() -> subprocess.Popen[bytes]:
    """Start a process that does nothing."""
    return python("-c", "import time; time.sleep(600)")


def process_of(guardian: Guardian) -> int:
    """Return the process that a guardian has."""
    assert guardian._process is not None
    return guardian._process.pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGQUIT])
async def test_nothing_outlives_the_parent(tmp_path: Path, number: signal.Signals) -> None:
    """However it ends: neither its child, nor what that has started."""
    parent = python("-c", PARENT, TEAM, str(tmp_path / "pids"))
    processes = await begun(tmp_path / "pids")
    parent.send_signal(number)
    await asyncio.to_thread(parent.wait, 30)
    for process in processes:
        await gone(process)
    assert len(processes) == 2


async def test_closing_ends_the_guardian(tmp_path: Path) -> None:
    """It lives as long as its orchestrator, and guards nothing that was killed."""
    plan = Plan("stubborn")
    plan.add("one", agent="stubborn", inputs={"file": str(tmp_path / "pids"), "hold_loop": False})
    async with Orchestrator([TEAM]) as orchestrator:
        run = await orchestrator.submit(plan)
        child, _ = await begun(tmp_path / "pids")
        guardian = orchestrator._open_launch("x").engine.isolated._guardian
        guarded = child in guardian._groups
        await run.cancel()
        await run.outcome()
        left = child in guardian._groups
        process = process_of(guardian)

    assert (guarded, left, state_of(process)) == (True, False, "X")


async def test_a_group_that_was_left_is_let_be() -> None:
    """Its number may be another's by now; the others are killed when the pipe is closed."""
    guardian, let_be, guarded = Guardian(), sleeping(), sleeping()
    await guardian.guard(let_be.pid)
    await guardian.guard(guarded.pid)
    guardian.leave(let_be.pid)
    await guardian.close()
    await gone(guarded.pid)
    alive = let_be.poll() is None
    let_be.kill()
    assert (alive, let_be.wait(), guarded.wait()) == (True, -signal.SIGKILL, -signal.SIGKILL)


async def test_a_guardian_that_was_killed_is_replaced() -> None:
    """The next one guards what the last one did; a signal to end does not end it."""
    guardian, first, second = Guardian(), sleeping(), sleeping()
    await guardian.guard(first.pid)
    assert guardian._process is not None
    guardian._process.kill()
    await guardian._process.wait()
    await guardian.guard(second.pid)
    await guardian.close()
    assert (first.wait(), second.wait()) == (-signal.SIGKILL, -signal.SIGKILL)


async def test_closing_does_not_wait_for_a_guardian_that_stands_still() -> None:
    """It is killed then."""
    guardian, guarded = Guardian(), sleeping()
    await guardian.guard(guarded.pid)
    assert guardian._process is not None
    guardian._process.send_signal(signal.SIGSTOP)
    await guardian.close()
    guarded.kill()
    assert (guardian._process.returncode, guarded.wait()) == (-signal.SIGKILL, -signal.SIGKILL)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open")
async def test_a_pipe_that_a_fork_holds_open_hides_no_end() -> None:
    """The end of the process counts, not that of the pipe; signals that end others do not end the guardian."""
    parent, guarded = sleeping(), sleeping()
    guardian = python("-I", "-S", guarding.__file__, str(parent.pid), stdin=subprocess.PIPE)
    assert guardian.stdin is not None
    guardian.stdin.write(f"+{guarded.pid}\n".encode())
    guardian.stdin.flush()
    while Path(f"/proc/{guardian.pid}/cwd").readlink() != Path("/"):  # noqa: ASYNC110, ASYNC240
        await asyncio.sleep(0.01)
    guardian.send_signal(signal.SIGTERM)
    parent.kill()
    parent.wait()
    ended = await asyncio.to_thread(guarded.wait, 30)
    guardian.stdin.close()
    assert (ended, guardian.wait()) == (-signal.SIGKILL, 0)
