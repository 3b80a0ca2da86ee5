"""One program in a process of its own: it has a limit of time, and nothing of it outlives it. Standard library only."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
MARK: Final = "BENCHMARK_CELL"
"""Variable by which what a program has started is found, also in other process groups."""
ERROR_LENGTH: Final = 300


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    told: Any = None
    """What it printed as JSON: all of it, its lines where each is some, or the last line that is."""
    said: str = ""
    """What it printed."""
    problem: str = ""
    """Why there is none."""
    in_time: bool = True


def carried_out(python: Path, module: str, arguments: Sequence[str], *, limit: float) -> Ended:
    """Run a module from the root of the checkout, for at most `limit` seconds; return what it told."""
    mark = uuid.uuid4().hex
    # Hashes are the same each time, and so is the order of sets.
    environment = os.environ | {MARK: mark, "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as complained:
        # Files, not pipes: a pipe stays open for as long as anything that the program has started.
        process = subprocess.Popen(
            [python, "-m", module, *arguments], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
            stdout=said, stderr=complained, start_new_session=True,
        )  # fmt: skip
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            return Ended(problem=f"not done within {limit:g} s", in_time=False)
        finally:
            _end(process, mark)
        said.seek(0)
        words = said.read()
        told = _json(words)
        if code == 0 and words.strip():
            return Ended(told, words.rstrip(), "" if told is not None else "it told nothing as JSON")
        complained.seek(0)
        lines = complained.read().strip().splitlines() or ["it said nothing"]
        return Ended(problem=in_line(f"ended with {code}: {lines[-1]}"))


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    process.kill()
    process.wait()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
        except OSError:  # it has ended, or is somebody else's
            continue


def _json(said: str) -> Any:
    lines = said.strip().splitlines()
    for text in (said, f"[{','.join(lines)}]" if len(lines) > 1 else "", *reversed(lines)):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return None


def without_paths(text: str) -> str:
    """Return words without the folders of this machine."""
    text = text.replace(sys.executable, "python").replace(f"{ROOT}{os.sep}", "")
    return re.sub(r"(?<![\w/:.])(?:/[\w.@+-]+)+/([\w.@+-]+)", r"\1", text)


def in_line(text: str) -> str:
    """Return a complaint on one line that is not too long, without the folders of this machine."""
    return " ".join(without_paths(text).split())[:ERROR_LENGTH]
