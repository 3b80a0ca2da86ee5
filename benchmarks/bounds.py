"""What no schedule can beat."""

from benchmarks.shapes import Shape


def critical_path(shape: Shape) -> float:
    """Return the seconds of the longest path."""
    ends: dict[str, float] = {}
    for name, needs in shape.tasks:
        ends[name] = shape.seconds.get(name, 0.0) + max((ends[need] for need in needs), default=0.0)
    return max(ends.values())


def work(shape: Shape) -> float:
    """Return the seconds of all tasks together."""
    return sum(shape.seconds.get(name, 0.0) for name, _ in shape.tasks)


def bound(shape: Shape) -> float:
    """Return the seconds that one run of the shape takes at least, with its slots."""
    return max(critical_path(shape), work(shape) / shape.slots if shape.slots is not None else 0.0)
