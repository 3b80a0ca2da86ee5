"""Prints what a task costs now, in counts: `python -m tests.performance`, to set the limits of `test_counts` anew."""

from tests.performance.counting import COUNTERS, SHAPES, added

if __name__ == "__main__":
    for shape in SHAPES:
        for counter in COUNTERS:
            for name, count in added(shape, counter).items():
                print(f"{shape:6} {name:20} {count:10.3f}")
