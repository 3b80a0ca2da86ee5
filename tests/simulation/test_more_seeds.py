"""Fifteen hundred more simulated runs, and that a seed is the same each time."""

import pytest

from tests.simulation.seeds import CHUNK, is_rough, try_seeds


@pytest.mark.parametrize("chunk", range(10, 40))
@pytest.mark.timeout(300)
def test_no_seed_breaks_a_promise(chunk: int) -> None:
    """No violation here either."""
    report = try_seeds(chunk * CHUNK, CHUNK)
    assert report.failures == []
    assert is_rough(report)


def test_a_seed_is_the_same_each_time() -> None:
    """What it stands for, and what comes of it, depend on the number alone."""
    once, again = try_seeds(7, 1, trace=True), try_seeds(7, 1, trace=True)
    assert [_without_owner(line) for line in once.lines] == [_without_owner(line) for line in again.lines]
    assert (once.events, once.coverage) == (again.events, again.coverage)


def _without_owner(line: str) -> str:
    head, found, tail = line.partition('"owner":')
    return head + tail.partition(",")[2] if found else line
