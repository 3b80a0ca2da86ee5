"""Numbers in a few letters."""

import pytest

from agentorch.pictures.amounts import counted, duration, joined, money, tokens


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.0003, "<1 ms"), (0.004, "4 ms"), (0.0096, "0.01 s"),
     (0.05, "0.05 s"), (0.999, "1.0 s"), (9.94, "9.9 s"), (59.6, "1 m 00 s"), (12, "12 s"),
     (185, "3 m 05 s"), (7800, "2 h 10 m")],
)  # fmt: skip
def test_durations(seconds: float, said: str):
    """As long as they are long."""
    assert duration(seconds) == said


def test_amounts():
    """Nothing is said of nothing."""
    assert (tokens(0), tokens(812), tokens(41_234, approximate=True)) == ("", "812 tokens", "~41.2k tokens")
    assert (money(0), money(0.00001)) == ("", "<$0.0001")
    assert (money(0.00123), money(12.4, approximate=True)) == ("$0.0012", "~$12.40")
    assert (counted(1, "task"), counted(1204, "task"), joined("a", "", "b")) == ("1 task", "1,204 tasks", "a · b")
    assert [counted(number, "box", "boxes") for number in (1, 2)] == ["1 box", "2 boxes"]
