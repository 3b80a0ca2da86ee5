"""The fuzzers for as long as one likes: `python -m tests.hostile --seconds 600 [--target plan_texts]`.

Without atheris, hypothesis tries round after round of inputs, each round from its own seed; a failing round is printed
with the command that repeats it, its input made small. With atheris, one target is fuzzed by coverage.
"""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.hostile.targets import TARGETS

ROUND = 500
"""Inputs of a round."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz; return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="for how long, all targets together (60)")
    parser.add_argument("--target", choices=sorted(TARGETS), help="only this one")
    parser.add_argument("--seed", type=int, help="repeat this round")
    parser.add_argument("--input", type=Path, help="repeat an input that atheris has written")
    parser.add_argument("--no-atheris", action="store_true", help="use hypothesis alone")
    given = parser.parse_args(arguments)
    names = [given.target] if given.target else sorted(TARGETS)
    if given.input is not None:
        TARGETS[names[0]].from_bytes(given.input.read_bytes())
        return 0
    if given.seed is not None:
        return int(not all(tried(name, round_of(name), seeds=[given.seed]) for name in names))
    if find_spec("atheris") is None:
        say("atheris is not installed: hypothesis alone is used (atheris would be led by coverage)")
    elif not given.no_atheris and given.target:
        return by_coverage(given.target, given.seconds)
    else:
        say("atheris is installed, but not used: it takes one --target")
    held = [_for_a_while(name, given.seconds / len(names)) for name in names]
    return int(not all(held))


def say(line: str) -> None:
    """Write a line at once: a long mode is watched."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def round_of(name: str) -> Callable[[int], None]:
    """Return what tries ROUND inputs of a seed."""
    return lambda number: TARGETS[name].tried(ROUND, number=number)


def tried(name: str, run: Callable[[int], None], *, seeds: Iterable[int]) -> bool:
    """Run the rounds; print a failing one and how it is replayed. Return whether all held."""
    for number in seeds:
        try:
            run(number)
        except Exception:  # noqa: BLE001  # whatever it is, it is told and replayed
            traceback.print_exc(limit=-6)
            say(f"FAILED {name}; replay it with: python -m tests.hostile --target {name} --seed {number}")
            return False
    return True


def _for_a_while(name: str, seconds: float) -> bool:
    began = time.monotonic()
    number = 0
    while not number or time.monotonic() - began < seconds:
        number += 1
        if not tried(name, round_of(name), seeds=[number]):
            return False
    rounds = "1 round" if number == 1 else f"{number} rounds"
    say(f"{name}: {rounds} of {ROUND} inputs, {time.monotonic() - began:.0f} s")
    return True


def by_coverage(name: str, seconds: float) -> int:
    """Fuzz one target with atheris, which ends the process itself; a failing input is written to a file."""
    atheris: Any = import_module("atheris")
    say(f"a failing input is written to crash-*; replay it with: python -m tests.hostile --target {name} --input FILE")
    atheris.instrument_all()
    options = [sys.argv[0], f"-max_total_time={seconds:.0f}", "-max_len=65536"]
    atheris.Setup(options, TARGETS[name].from_bytes)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    sys.exit(main())
