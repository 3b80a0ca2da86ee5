"""The benchmark suite: agentorch side by side with its peers and with the floor, one command, one table.

    python -m benchmarks                              # all of it, in about an hour
    python -m benchmarks --quick --peers none         # a look, in a minute or two; nothing of it is a result
    python -m benchmarks --only chain fan --peers langgraph,dbos
    python -m benchmarks --set-up                     # makes an environment for each peer
    python -m benchmarks --write                      # writes the tables of docs/performance.md from what is kept

agentorch and the floors come first, the slow peers last. What is measured is kept at once, so that an end by Ctrl-C
loses only the cell that is being measured. The command ends with 1 where a goal is not met.
"""

import argparse
import sys
import time
from pathlib import Path

from benchmarks import grids, machine
from benchmarks.cells import Limits
from benchmarks.entrants import set_up, written
from benchmarks.kept import QUICK, RESULTS, Results
from benchmarks.page import write
from benchmarks.recorded import DATA
from benchmarks.suite import Suite


def main() -> int:
    """Do what the command line says."""
    options = _parser().parse_args()
    peers = _peers(options.peers)
    if options.set_up:
        for line in set_up(peers):
            print(line, flush=True)
        return 0
    if options.write:
        write(Results(RESULTS))
        return 0
    results = Results(QUICK if options.quick else RESULTS, machine.facts())
    repeats = options.repeats or (2 if options.quick else 5)
    limits, peer_limits = Limits(repeats), Limits(repeats, seconds=45.0, patience=8.0)
    if options.quick:
        limits, peer_limits = Limits(repeats, seconds=30.0, patience=20.0), Limits(repeats, seconds=20.0, patience=5.0)
    print(f"{machine.busy()}", file=sys.stderr)
    began = time.monotonic()
    try:
        Suite(results, options.only, peers, options.quick, limits, peer_limits, options.data).run()
    except KeyboardInterrupt:
        print("ended by hand; what was measured is kept", file=sys.stderr)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes; {machine.busy()}", file=sys.stderr)
    return _shown(results, options.only)


def _shown(results: Results, only: list[str]) -> int:
    """Print all that is kept of what was asked for."""
    names = [name for name in grids.NAMES if not only or any(word in name for word in only)]
    for name in ("machine", *names, "idioms", "errors", "versions", "goals"):
        grid = grids.by_name(name, results, names)
        if not grid.empty:
            print(f"{grid.text()}\n")
    return int(any(one.met is False and not one.beyond for one in grids.goal_figures(results, names)))


def _peers(words: str | None) -> list[str] | None:
    if words is None:
        return None
    named = [] if words == "none" else words.split(",")
    there = sorted(path.stem for path in written())
    for name in named:
        if name not in there:
            sys.exit(f"no peer is called '{name}'; there are: {', '.join(there)}")
    return named


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="what has one of the words in its name")
    parser.add_argument("--peers", metavar="none|NAME,...", help="default: all; the floors always take part")
    parser.add_argument("--quick", action="store_true", help="a tenth of the sizes, two repeats")
    parser.add_argument("--repeats", type=int, metavar="N", help="of each cell; default: 5")
    parser.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="where the recorded data lies")
    parser.add_argument("--set-up", action="store_true", help="make an environment for each peer, and end")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md from what is kept, and end")
    return parser


if __name__ == "__main__":
    sys.exit(main())
