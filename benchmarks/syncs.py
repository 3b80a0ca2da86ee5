"""How often a chain that is durable against power loss waits for the disk, beside how often it must.

    python -m benchmarks.syncs [--quick] [--json]

What happens once only must not begin before the disk holds that it does: such a task needs one fsync, and what came of
the task before it rides along. Whoever keeps each result before the next task begins needs one too. Counted are the
calls of fsync and fdatasync (strace) of chains of two lengths, each in a process of its own: what the longer one has
more, over the tasks that it has more.
"""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

from agentorch import Orchestrator, Plan, agent
from benchmarks.growth import SYNCS
from benchmarks.measurement import Measurement, absent, parser_of, show
from benchmarks.processes import ROOT

SIZES: Final = (100, 600)
GOAL: Final = 1.5
"""Times the fsyncs that are needed."""
KINDS: Final[dict[Literal["none", "once"], str]] = {
    "once": "tasks that act once only",
    "none": "tasks without effects",
}
NO_STRACE: Final = "strace is not installed"


async def chain(effects: Literal["none", "once"], tasks: int, folder: Path) -> None:
    """Carry a chain out."""

    @agent(description="Does nothing.", effects=effects)
    async def nothing() -> int:
        return 1

    plan = Plan("chain", answer=f"$c{tasks - 1}")
    for number in range(tasks):
        plan.add(f"c{number}", agent="nothing", needs=[f"c{number - 1}"] if number else [])
    async with Orchestrator([nothing], journal=folder / "runs.db", durability="power") as orchestrator:
        outcome = await orchestrator.run(plan)
        outcome.raise_for_problems()


def counted(strace: str, effects: Literal["none", "once"], tasks: int) -> int:
    """Return how often a process that carries a chain out waits for the disk."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, counts = Path(temporary, "folder"), Path(temporary, "counts")
        folder.mkdir()
        tracer = [strace, "-f", "--seccomp-bpf", "-c", "-e", "trace=fsync,fdatasync", "-o", str(counts)]
        child = [sys.executable, "-m", "benchmarks.syncs", "--chain", effects, str(tasks), str(folder)]
        subprocess.run([*tracer, *child], check=True, cwd=ROOT)
        return sum(map(int, SYNCS.findall(counts.read_text())))


def measure(small: int, large: int) -> list[Measurement]:
    """Return the figures."""
    strace = shutil.which("strace")
    if strace is None:
        return absent("fsyncs over those that are needed", NO_STRACE)
    found: list[Measurement] = []
    for effects, words in KINDS.items():
        few, many = (counted(strace, effects, size) for size in (small, large))
        note = f"{few} in a chain of {small:,}, {many} in one of {large:,}"
        name = f"{words}: fsyncs over one a task"
        found.append(Measurement(name, (many - few) / (large - small), "times", GOAL, note=note))
    return found


def main() -> None:
    """Print the figures; or be the process whose calls are counted."""
    parser = parser_of(__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the tasks")
    parser.add_argument("--chain", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chain:
        effects, tasks, folder = options.chain
        asyncio.run(chain(effects, int(tasks), Path(folder)))
        return
    small, large = (size // 10 for size in SIZES) if options.quick else SIZES
    show(measure(small, large), as_json=options.json)


if __name__ == "__main__":
    main()
