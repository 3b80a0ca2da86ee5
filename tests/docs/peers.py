"""The programs of docs/coming-from, each carried out in an environment of its own.

    python -m tests.docs.peers            all of them
    python -m tests.docs.peers crewai     one of them

The environments are made under build/peers, in the versions that benchmarks/peers and docs/coming-from pin; that takes
some minutes and a gigabyte the first time. Every program has to print the same line.
"""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
PROGRAMS: Final = ROOT / "docs" / "coming-from"
ENVIRONMENTS: Final = ROOT / "build" / "peers"
LINE: Final = "Bees hum while ants march."
PINS: Final = {
    "langgraph": ROOT / "benchmarks" / "peers" / "langgraph.txt",
    "crewai": ROOT / "benchmarks" / "peers" / "crewai.txt",
    "openai_agents": ROOT / "benchmarks" / "peers" / "openai_agents.txt",
    "llmcompiler": PROGRAMS / "llmcompiler.txt",
}
"""The frameworks, and what the environment of each holds."""
SECONDS: Final = 300


def program_of(name: str) -> Path:
    """Return the file of a framework's program."""
    return PROGRAMS / f"{name}_program.py"


def python_of(name: str) -> Path:
    """Return the interpreter of a framework's environment, made anew when its versions have changed."""
    folder, pins = ENVIRONMENTS / name, PINS[name].read_text(encoding="utf-8")
    python, made_of = folder / "bin" / "python", folder / "made-of.txt"
    if not made_of.exists() or made_of.read_text(encoding="utf-8") != pins:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--requirement", PINS[name]], check=True)
        made_of.write_text(pins, encoding="utf-8")
    return python


def said_by(program: Path, python: Path | str = sys.executable) -> str:
    """Return the last line that a program prints; raise CalledProcessError with its words when it fails."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(ENVIRONMENTS),
        "PYTHONPATH": str(ROOT) if program.stem == "ours" else "",
    }
    done = subprocess.run(
        [python, program], cwd=PROGRAMS, env=environment, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    return done.stdout.rstrip().rpartition("\n")[2].removeprefix("\x1b[0m")


def main(*names: str) -> int:
    """Carry out the programs; return 1 when one says something else."""
    wrong = 0
    for name in names or PINS:
        try:
            said = said_by(program_of(name), python_of(name))
        except subprocess.CalledProcessError as error:
            said = f"ended with {error.returncode}: {error.stderr or error.stdout}"
        print(f"{name}: {said}")
        wrong += said != LINE
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
