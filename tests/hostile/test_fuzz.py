"""Fuzzing, as much as fits into a run of the tests; `python -m tests.hostile` goes on for as long as wanted."""

import pytest

from tests.hostile.__main__ import main, tried
from tests.hostile.promise import refused_in_words
from tests.hostile.targets import TARGETS

EXAMPLES = {"command_lines": 40}
"""Inputs a target; the command line is slow."""


@pytest.mark.parametrize("name", TARGETS)
def test_hostile_input_gives_a_value_or_a_documented_error(name: str) -> None:
    """Whatever comes in: a value, or an error of the tree in one line."""
    TARGETS[name].tried(EXAMPLES.get(name, 100))


@pytest.mark.parametrize(
    "error",
    [TypeError("not documented"), ValueError(""), ValueError("two\nlines"), ValueError("x" * 5000), ValueError("else")],
    ids=["another class", "no words", "two lines", "endless", "does not begin with the thing"],
)
def test_a_broken_promise_is_seen(error: Exception) -> None:
    """The fuzzers fail on an undocumented class, on no words, on two lines, on a message without end or beginning."""
    with pytest.raises((TypeError, pytest.fail.Exception)), refused_in_words(ValueError, begins="plan.yaml: "):
        raise error


def test_a_failing_input_can_be_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    """The long mode says what failed, the input itself, and the command that tries it again."""

    def broken(seed: int) -> None:
        if seed == 2:
            raise TypeError("not documented")

    assert not tried("answers", broken, seeds=range(1, 4))
    assert "python -m tests.hostile --target answers --seed 2" in capsys.readouterr().out


def test_the_long_mode_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """One round of one target, with a word on atheris."""
    assert main(["--seconds", "0", "--target", "chained_rows"]) == 0
    said = capsys.readouterr().out
    assert "chained_rows: 1 round of 500 inputs" in said
    assert "atheris" in said
