"""Plants each fault of tests/planted/*.toml in a copy of the code, and demands that the tests named with it fail.

python .ci/planted.py CHECKOUT

A fault is one line that somebody might write by mistake. A test that passes with it guards nothing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "build", "dist", "docs", "notebooks", "__pycache__", ".hypothesis")
FAILED = 1
"""What pytest returns when tests ran and some failed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted line and the tests that must see it."""

    name: str
    file: str
    find: str
    replace: str
    tests: list[str]


def faults_of(checkout: Path) -> Iterator[Fault]:
    """Go through the faults, in the order of the files and in them."""
    for path in sorted((checkout / "tests" / "planted").glob("*.toml")):
        for fault in tomllib.loads(path.read_text(encoding="utf-8"))["fault"]:
            yield Fault(**fault)


def planted(checkout: Path, fault: Fault) -> str | None:
    """Return what is wrong with the guards against a fault, or None when they saw it."""
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(checkout, copy, ignore=LEFT_OUT)
        source = copy / fault.file
        text = source.read_text(encoding="utf-8")
        if text.count(fault.find) != 1:
            return f"its line stands {text.count(fault.find)} times in {fault.file}, not once"
        source.write_text(text.replace(fault.find, fault.replace), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, "--timeout=30", *fault.tests],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode == FAILED:
        return None
    last = done.stdout.strip().splitlines()[-1:] or ["nothing was said"]
    return f"pytest returned {done.returncode} for {' '.join(fault.tests)}: {last[0]}"


def main() -> int:
    """Plant every fault; return 0 when each was seen."""
    checkout = Path(sys.argv[1]).resolve()
    faults = list(faults_of(checkout))
    if not faults:
        print("there are no planted faults in tests/planted/*.toml")
        return 1
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        verdicts = list(pool.map(lambda fault: planted(checkout, fault), faults))
    for fault, verdict in zip(faults, verdicts, strict=True):
        print(f"{'seen  ' if verdict is None else 'MISSED'} {fault.name}" + (f": {verdict}" if verdict else ""))
    return int(any(verdicts))


if __name__ == "__main__":
    sys.exit(main())
