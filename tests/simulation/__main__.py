"""python -m tests.simulation [--seed N [--trace]] [--seeds N] [--first N] [--jobs N] [--json]: seeds, carried out."""

import argparse
import json
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from statistics import median

from tests.simulation.seeds import CHUNK, Report, try_seeds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Carry out simulated runs.")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="print the journal of --seed")
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.seed is not None:
        report = try_seeds(given.seed, 1, trace=given.trace)
        print(*report.lines, *report.failures, sep="\n")
        return bool(report.failures)
    starts = range(given.first, given.first + given.seeds, CHUNK)
    with ProcessPoolExecutor(given.jobs) as pool:
        reports = list(pool.map(try_seeds, starts, [min(CHUNK, given.seeds)] * len(starts)))
    return _tell(reports, as_json=given.json)


def _tell(reports: list[Report], *, as_json: bool) -> int:
    failures = [line for report in reports for line in report.failures]
    tasks, faults, crashes = ([value for report in reports for value in getattr(report, name)] for name in MEASURED)
    figures = {
        "seeds": len(tasks),
        "violations": len(failures),
        "median_tasks": median(tasks),
        "median_faults": median(faults),
        "median_crashes": median(crashes),
        "events": sum(report.events for report in reports),
    }
    coverage: Counter[tuple[str, str]] = Counter()
    for report in reports:
        coverage.update(report.coverage)
    if as_json:
        table = {f"{kind} / {state}": count for (kind, state), count in sorted(coverage.items())}
        print(json.dumps({**figures, "coverage": table, "failures": failures[:20]}))
    else:
        print(*(f"{name:<16} {value}" for name, value in figures.items()), "", _table(coverage), *failures, sep="\n")
    return bool(failures)


MEASURED = ("tasks", "faults", "crashes")


def _table(coverage: Counter[tuple[str, str]]) -> str:
    states = sorted({state for _, state in coverage})
    head = f"{'fault / state':<18}" + "".join(f"{state:>11}" for state in states)
    kinds = sorted({kind for kind, _ in coverage})
    rows = [f"{kind:<18}" + "".join(f"{coverage[kind, state]:>11}" for state in states) for kind in kinds]
    return "\n".join([head, *rows, ""])


if __name__ == "__main__":
    sys.exit(main())
