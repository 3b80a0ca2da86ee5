"""What a durable run loses when its process is killed: `python -m benchmarks.killed PYTHON MODULE SUBJECT`.

A chain is begun in a process, which is killed (SIGKILL) when half of the tasks have begun. A second process takes up
what is in the folder. This is done with no-op tasks, several times: there the kill falls between a task's beginning and
what is made durable of it. And once with tasks that sleep for 20 ms, in the middle of one. Printed is a line of JSON
for each kill: how many tasks began again, milliseconds from the end of that process's imports to the first task that is
new, and whether the outputs were right. Standard library only.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

POLLING_SECONDS: Final = 0.0002
PATIENCE_SECONDS: Final = 90.0
TRIES: Final = 5
TOO_LATE: Final = "nothing was left to be taken up"
"""What is said where all tasks had begun before the kill: on a busy machine it may come late."""
SLEEPS: Final = (0.0, 0.0, 0.0, 0.02)
"""Seconds that each task sleeps, by kill."""

Line = tuple[str, float]


@dataclass
class Killed:
    """What came of it."""

    subject: str
    tasks: int
    sleep: float
    begun: int = 0
    """Tasks that had begun when the process was dead."""
    again: int = 0
    """How many of these began a second time."""
    first_again: str = ""
    """The first of them."""
    first_ms: float | None = None
    """From the end of the second process's imports to the first task that it began."""
    new_ms: float | None = None
    """From the end of the second process's imports to the first task that had not begun before."""
    whole_ms: float | None = None
    """From the start of the second process to the same."""
    error: str = ""
    """What was wrong, of the outputs too."""


def main() -> None:
    """Kill a subject, take it up, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="of the environment that the subject is installed in")
    parser.add_argument("module", help="such as benchmarks.ours")
    parser.add_argument("subject")
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--sleep", type=float, nargs="+", default=SLEEPS, help="seconds that each task sleeps, by kill")
    options = parser.parse_args()
    for sleep in options.sleep:
        for _ in range(TRIES):
            killed = _killed(options, sleep)
            if killed.error != TOO_LATE:
                break
        print(json.dumps(asdict(killed)), flush=True)


def _killed(options: argparse.Namespace, sleep: float) -> Killed:
    """Return what came of one kill."""
    killed = Killed(options.subject, options.tasks, sleep)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            _kill_and_resume(killed, options, Path(temporary))
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            killed.error = " ".join(str(error).split())[:300]
    return killed


def _kill_and_resume(killed: Killed, options: argparse.Namespace, folder: Path) -> None:
    log, kept, seconds = folder / "log", folder / "kept", folder / "seconds.json"
    kept.mkdir()
    seconds.write_text(json.dumps({f"c{i}": killed.sleep for i in range(killed.tasks)} if killed.sleep else {}))
    command = [options.python, "-m", options.module, options.subject, "chain", str(options.tasks)]
    command += ["--memory", "--log", str(log), "--folder", str(kept), "--seconds", str(seconds)]
    _kill_at(command, log, killed.tasks // 2, later=killed.sleep / 2)
    before = _lines(log)
    started = time.time()
    cell = _resume([*command, "--resume"])
    after = _lines(log)[len(before) :]
    had_begun = {task for task, _ in before}
    killed.begun = len(had_begun)
    again = [task for task, _ in after if task in had_begun]
    killed.again, killed.first_again = len(again), next(iter(again), "")
    killed.error = cell["error"]
    if after:
        killed.first_ms = round((after[0][1] - cell["began"]) * 1000, 2)
    if first := next((at for task, at in after if task not in had_begun), None):
        killed.new_ms = round((first - cell["began"]) * 1000, 2)
        killed.whole_ms = round((first - started) * 1000, 2)
    elif not killed.error:
        killed.error = TOO_LATE


def _kill_at(command: list[str], log: Path, count: int, *, later: float) -> None:
    """Start a process and kill it, and what it has started, `later` than the log has `count` lines."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while _count(log) < count and process.poll() is None and time.monotonic() < until:
            time.sleep(POLLING_SECONDS)
        time.sleep(later)
        ended = process.poll()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    if ended is not None:
        raise RuntimeError(f"the process ended before it could be killed: {said.decode()[-200:]}")


def _count(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def _lines(log: Path) -> list[Line]:
    pairs = [line.split() for line in log.read_text().splitlines()]
    return [(task, float(at)) for task, at in pairs]


def _resume(command: list[str]) -> dict[str, Any]:
    """Run a process to its end and return its cell."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    if not done.stdout.strip():
        raise RuntimeError(done.stderr[-300:] or "the process that was to take it up said nothing")
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
