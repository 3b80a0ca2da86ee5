"""How what is durable grows with the length of a run: `python -m benchmarks.growth PYTHON MODULE SUBJECT`.

Chains whose tasks give 1 KB each are carried out, each in a process of its own and for at most `--limit` seconds. A
line of JSON per chain says what the folder held afterwards, what the process handed to the disk (as the kernel counts
it for the process, the log of a database and its copying back included), and how often it waited for the disk, all per
task. That these numbers stay the same is the point. Standard library only.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

SIZES: Final = (100, 1000, 5000)
BLOCK: Final = 512
"""Bytes in the blocks of `ru_oublock`."""
NOT_COUNTED: Final = "not counted"
SYNCS: Final = re.compile(r"^ *\S+ +\S+ +\S+ +(\d+) .*\b(?:fsync|fdatasync)$", re.MULTILINE)
"""The fourth column of the table of strace."""


@dataclass
class Growth:
    """What one chain took, per task."""

    subject: str
    tasks: int
    kept_bytes: float = 0.0
    """In the folder after closing."""
    written_bytes: float | str = NOT_COUNTED
    """Handed to the disk."""
    syncs: float | str = NOT_COUNTED
    """Calls of fsync and fdatasync."""
    error: str = ""


def main() -> None:
    """Carry the chains out, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="of the environment that the subject is installed in")
    parser.add_argument("module", help="such as benchmarks.ours")
    parser.add_argument("subject")
    parser.add_argument("--tasks", type=int, nargs="+", default=SIZES)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each chain")
    options = parser.parse_args()
    for tasks in options.tasks:
        command = [options.python, "-m", options.module, options.subject, "chain", str(tasks), "--results", "--memory"]
        growth = Growth(options.subject, tasks)
        try:
            _measure(growth, command, options.limit)
        except RuntimeError as error:
            growth.error = str(error)
        print(json.dumps(asdict(growth)), flush=True)


def _measure(growth: Growth, command: list[str], limit: float) -> None:
    strace = shutil.which("strace")
    with tempfile.TemporaryDirectory() as temporary:
        folder, counts = Path(temporary, "folder"), Path(temporary, "counts")
        folder.mkdir()
        # Only these calls stop the process: nothing else of it is slower.
        tracer = [strace, "-f", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync", "-o", counts] if strace else []
        cell, written = _carry_out([*map(str, tracer), *command, "--folder", str(folder)], limit)
        if strace:
            growth.syncs = round(sum(map(int, SYNCS.findall(counts.read_text()))) / growth.tasks, 3)
    growth.kept_bytes = round(cell["disk_bytes"] / growth.tasks, 1)
    if written:  # a file system in memory has no blocks
        growth.written_bytes = round(written / growth.tasks, 1)


def _carry_out(command: list[str], limit: float) -> tuple[dict[str, Any], int]:
    """Run a process to its end; return its cell, and the bytes that it, and what it started, handed to the disk."""
    late = threading.Event()
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complained:
        process = subprocess.Popen(command, stdout=said, stderr=complained, start_new_session=True)

        def end() -> None:
            late.set()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(limit, end)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        complained.seek(0)
        lines = said.read().decode().splitlines()
        if late.is_set():
            raise RuntimeError(f"not done within {limit:g} s")
        if not lines:
            raise RuntimeError(complained.read().decode()[-300:] or "the process said nothing")
    cell = json.loads(lines[-1])
    if cell["error"]:
        raise RuntimeError(cell["error"])
    return cell, usage.ru_oublock * BLOCK


if __name__ == "__main__":
    main()
