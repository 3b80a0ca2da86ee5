"""Who takes part: agentorch, and each program in `benchmarks/peers`, every one in an environment of its own.

`NAME.txt` beside `NAME.py` pins what the environment of a peer holds; a program without one needs nothing but the
standard library and what agentorch itself needs.
"""

import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.processes import ROOT, carried_out

PEERS: Final = ROOT / "benchmarks" / "peers"
ENVIRONMENTS: Final = ROOT / "benchmarks" / ".peers"
OURS: Final = "agentorch"
FLOOR: Final = "asyncio_floor"
FLOORS: Final = (FLOOR, "anyio_floor", "sqlite_floor")
SLOW: Final = ("llama_index", "crewai", "dask", "ray", "openai_agents", "dbos", "prefect")
"""Peers that take long, the slowest last: these are measured at the end."""
PATIENCE: Final = 60.0
"""Seconds within which a program says what can be measured."""


@dataclass(frozen=True)
class Program:
    """Something with subjects."""

    peer: str
    module: str
    python: Path

    @property
    def missing(self) -> bool:
        """Whether its environment has not been made."""
        return not self.python.exists()


@dataclass(frozen=True)
class Entrant:
    """One subject of a program."""

    program: Program
    name: str
    lacks: dict[str, str] = field(default_factory=dict[str, str])
    resumes: bool = False
    own_threads: bool = False
    problem: str = ""
    """Why nothing of it can be measured."""


def programs(peers: Sequence[str] | None = None) -> list[Program]:
    """Return agentorch and these peers, or all of them, in the order in which they are measured.

    The floors are always among them: what is measured is held against what they take in the same hour.
    """
    here = Path(sys.executable)
    found = [Program(OURS, "benchmarks.ours", here)]
    order = {name: place for place, name in enumerate((*FLOORS, "others", *SLOW))}
    for path in sorted(written(), key=lambda path: (order.get(path.stem, order["others"]), path.stem)):
        if peers is None or path.stem in (*FLOORS, *peers):
            own = path.with_suffix(".txt").exists()
            found.append(Program(path.stem, f"benchmarks.peers.{path.stem}", python_of(path.stem) if own else here))
    return found


def written() -> list[Path]:
    """Return the programs of all peers; what they share is no program."""
    return [path for path in PEERS.glob("[a-z]*.py") if '__name__ == "__main__"' in path.read_text(encoding="utf-8")]


def python_of(peer: str) -> Path:
    """Return the interpreter of a peer's own environment."""
    return ENVIRONMENTS / peer / "bin" / "python"


def entrants(program: Program) -> list[Entrant]:
    """Ask a program for its subjects; where it does not say, one that has the problem stands for them."""
    if program.missing:
        return [Entrant(program, program.peer, problem="not installed: python -m benchmarks --set-up")]
    ended = carried_out(program.python, program.module, ["--subjects"], limit=PATIENCE)
    if ended.problem:
        return [Entrant(program, program.peer, problem=ended.problem)]
    return [Entrant(program, **described) for described in ended.told]


def set_up(peers: Sequence[str] | None) -> Iterator[str]:
    """Make the environments that are missing, or hold something else than what is pinned; say what was done."""
    for program in programs(peers):
        pins = PEERS / f"{program.peer}.txt"
        if not pins.exists():
            continue
        made = ENVIRONMENTS / program.peer / "pinned.txt"
        if made.exists() and made.read_text() == pins.read_text():
            yield f"{program.peer}: is there"
            continue
        made.unlink(missing_ok=True)
        venv.create(ENVIRONMENTS / program.peer, clear=True, with_pip=True)
        install = [program.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", pins]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            yield f"{program.peer}: {(done.stderr.strip().splitlines() or ['pip failed'])[-1]}"
            continue
        made.write_text(pins.read_text())
        yield f"{program.peer}: made"
