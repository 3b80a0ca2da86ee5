"""How models spell ids."""

import pytest

from agentorch.planning.spelling import number_in


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        ("<node-1>", 1),
        ("#E12", 12),
        ("step 3", 3),
        ("{{ task_4 }}", 4),
        ("node", None),
        ("{" + " " * 40_000 + "x", None),
    ],
    ids=["angle", "hash", "step", "braces", "no number", "blanks"],
)
def test_the_number_of_a_spelling(spelling: str, number: int | None) -> None:
    """A number in any dress is read, and what is none is soon seen to be none."""
    assert number_in(spelling) == number
