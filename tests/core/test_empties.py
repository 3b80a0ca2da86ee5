"""What fields begin with."""

import copy

import pytest

from agentorch.core.empties import own
from agentorch.core.state import RunState


def test_what_one_run_fills_is_its_own() -> None:
    """Two runs begin with the same empty dict, and neither sees what the other writes."""
    one, other = RunState("one"), RunState("other")
    assert one.receipts is other.receipts
    own(one, "answers")["q"] = 1
    own(one, "answers")["r"] = 2

    assert (one.answers, other.answers, one.receipts) == ({"q": 1, "r": 2}, {}, {})


def test_the_shared_one_cannot_be_written_to() -> None:
    """Whoever forgets to ask for his own is told, and a copy is as it was."""
    state = RunState("run")
    for write in (
        lambda: state.answers.update(q=1),
        lambda: state.answers.setdefault("q", 1),
        lambda: state.answers.__setitem__("q", 1),
    ):
        with pytest.raises(TypeError, match="shared: write into what `own` returns"):
            write()
    copied = copy.deepcopy(state)
    own(copied, "answers")["q"] = 1

    assert (state.answers, copied.answers) == ({}, {"q": 1})
