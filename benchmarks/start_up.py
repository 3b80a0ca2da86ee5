"""How long it takes to start: `python -m benchmarks.start_up`.

Fresh processes, in turns, with the page cache warm and everything compiled; the wall time of the whole process, from
its start to its end. For the first event of `agentorch run` it is the time to the first line of `--json`, with a mocked
model in a process of its own. Python alone, which starts in each of them, is beside them and not subtracted.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.measurement import Measurement, parser_of, several, show
from benchmarks.model_server import Saying, serving

REPEATS = 11
MODEL = "gpt-5-mini"
PLAN = '{"tasks": [{"id": "a", "agent": "writer", "objective": "Greet.", "inputs": [], "needs": []}], "answer": "$a"}'
"""What the mocked model says to everything: to whoever plans it is a plan, to whoever writes it is a text."""
COMMAND = Path(sys.executable).with_name("agentorch")

Start = Callable[[], float]
"""Starts a process; returns milliseconds."""


def ended(*command: str | Path, environment: Mapping[str, str]) -> Start:
    """Return what measures a whole process."""

    def start() -> float:
        before = time.perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        return (time.perf_counter() - before) * 1e3

    return start


def first_line(*command: str | Path, environment: Mapping[str, str], folder: Path) -> Start:
    """Return what measures the time to the first line of a process, which must then end well."""

    def start() -> float:
        before = time.perf_counter()
        with subprocess.Popen(
            command, env=environment, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            taken = (time.perf_counter() - before) * 1e3
            _, words = process.communicate()
        if process.returncode or '"RunStarted"' not in line:
            raise AssertionError(f"exit code {process.returncode}, first line {line!r:.200}: {words[-500:]}")
        return taken

    return start


def measure(repeats: int = REPEATS) -> list[Measurement]:
    """Return the figures."""
    with tempfile.TemporaryDirectory() as temporary, serving(Saying([PLAN])) as url:
        folder = Path(temporary)
        # As after an installation: compiled, wherever this process may write.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AGENTORCH_"))}
        environment = {**kept, "PYTHONPYCACHEPREFIX": str(folder / "compiled"), "HOME": temporary,
                       "OPENAI_API_KEY": "none", "OPENAI_BASE_URL": url}  # fmt: skip
        for name in [name for name in environment if name.startswith("XDG_")]:
            del environment[name]
        python = sys.executable
        run = (COMMAND, "run", "Say hello.", "--model", MODEL, "--json", "--no-progress")
        names = "Orchestrator, agent, Plan"
        starts: dict[str, tuple[Start, float | None]] = {
            "python -c pass": (ended(python, "-c", "pass", environment=environment), None),
            "python -c 'import asyncio, pydantic.main'": (
                ended(python, "-c", "import asyncio, pydantic.main", environment=environment), None),
            "import agentorch": (ended(python, "-c", "import agentorch", environment=environment), 120.0),
            f"from agentorch import {names}": (
                ended(python, "-c", f"from agentorch import {names}", environment=environment), None),
            "agentorch --help": (ended(COMMAND, "--help", environment=environment), 300.0),
            "agentorch run, to its first event": (
                first_line(*run, environment=environment, folder=folder), 500.0),
        }  # fmt: skip
        taken: dict[str, list[float]] = {name: [] for name in starts}
        for repeat in range(repeats + 1):  # the first time, which compiles, does not count
            for name, (start, _) in starts.items():
                found = start()
                if repeat:
                    taken[name].append(found)
    return [several(name, taken[name], "ms", goal=goal) for name, (_, goal) in starts.items()]


def main() -> None:
    """Print the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    options = parser.parse_args()
    show(measure(options.repeats), as_json=options.json)


if __name__ == "__main__":
    main()
