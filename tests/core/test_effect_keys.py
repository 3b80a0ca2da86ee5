"""Which effect a call has: its own, or one that an earlier attempt had with the same arguments."""

import pytest

from agentorch.core.effect_keys import EffectKey, drop_receipt, enter_receipt, key_of
from agentorch.core.state import Receipt, RunState


def state_with(**receipts: str) -> RunState:
    """Return a run with receipts: `pay1="x"` is the first call of `pay` in the task `a`, with the arguments "x"."""
    state = RunState("run")
    for name, arguments in receipts.items():
        place = name.replace("__", "/")
        accepted = arguments.endswith("*")
        key = f"run/a/{place[:-1]}/{place[-1]}"
        enter_receipt(state, key, Receipt("a", "pay", arguments.rstrip("*"), done=True, accepted=accepted))
    return state


def found(state: RunState, own: str, arguments: str, *taken: str) -> EffectKey:
    """Return the effect of the call whose own key is `own`."""
    return key_of(state, f"run/a/{own}", arguments, {f"run/a/{one}" for one in taken})


@pytest.mark.parametrize(
    ("receipts", "own", "arguments", "taken", "key", "same"),
    [
        ({}, "pay/1", "x", (), "pay/1", True),
        ({"pay1": "x"}, "pay/1", "x", (), "pay/1", True),
        ({"pay2": "x"}, "pay/1", "x", (), "pay/2", True),
        ({"pay1": "y", "pay2": "x"}, "pay/1", "x", (), "pay/2", True),
        ({"pay1": "y", "pay2": "x"}, "pay/2", "y", ("pay/2",), "pay/1", True),
        ({"pay1": "y"}, "pay/1", "x", (), "pay/1", False),
        ({"pay1": "y*"}, "pay/1", "x", (), "pay/1", True),
        ({"pay1": "y*", "pay2": "x"}, "pay/1", "x", (), "pay/2", True),
        ({"pay2": "x"}, "pay/2", "z", ("pay/2",), "pay/1", True),
        ({"pay1": "y", "pay2": "x"}, "pay/2", "z", ("pay/2",), "pay/1", False),
        ({"pay1": "y*", "pay2": "x"}, "pay/2", "z", ("pay/2",), "pay/1", True),
        ({"pay1": "x", "pay2": "x"}, "pay/2", "x", ("pay/1", "pay/2"), "pay/3", True),
        ({"buy/1/pay1": "x"}, "buy/2/pay/1", "x", (), "buy/1/pay/1", False),
        ({"buy/1/pay1": "x*"}, "buy/2/pay/1", "x", (), "buy/1/pay/1", True),
        ({"buy/1/pay1": "x"}, "buy/2/pay/1", "x", ("buy/1/pay/1",), "buy/2/pay/1", True),
        ({"buy/1/pay1": "x", "buy/2/pay1": "x"}, "buy/2/pay/1", "x", (), "buy/2/pay/1", True),
    ],
    ids=[
        "the first ever",
        "its own",
        "under another number: the first call had not happened",
        "another order",
        "the other of two in another order",
        "other arguments",
        "a person accepted it",
        "the same arguments before what a person accepted",
        "a free number, its own being taken",
        "left over with other arguments, its own being taken",
        "left over and accepted, its own being taken",
        "once more with the same arguments",
        "from another tool",
        "from another tool, accepted",
        "from another tool, whose call was made again",
        "its own before one from another tool",
    ],
)
def test_a_call_finds_its_effect(
    receipts: dict[str, str], own: str, arguments: str, taken: tuple[str, ...], key: str, *, same: bool
) -> None:
    """Never a second time under another number, and never one that is not its own."""
    effect = found(state_with(**receipts), own, arguments, *taken)
    assert effect == EffectKey(f"run/a/{key}", same)


def test_a_fork_finds_what_its_ancestors_have_done() -> None:
    """Under their keys; what is new has the fork's own."""
    state = state_with(pay1="x", pay2="y")
    state.run_id, state.ancestors = "fork", ("parent", "run")
    assert key_of(state, "fork/a/pay/1", "x", set()) == EffectKey("run/a/pay/1")
    assert key_of(state, "fork/a/pay/1", "y", set()) == EffectKey("run/a/pay/2")
    assert key_of(state, "fork/a/pay/1", "z", set()) == EffectKey("run/a/pay/1", same=False)
    assert key_of(state, "fork/a/pay/3", "z", {"run/a/pay/1", "run/a/pay/2"}) == EffectKey("fork/a/pay/3")


def test_what_is_dropped_is_not_found() -> None:
    """Also when it is dropped twice."""
    state = state_with(pay1="x", pay2="x")
    drop_receipt(state, "run/a/pay/1")
    drop_receipt(state, "run/a/pay/1")
    assert found(state, "pay/1", "x") == EffectKey("run/a/pay/2")
    drop_receipt(state, "run/a/pay/2")
    assert found(state, "pay/1", "x") == EffectKey("run/a/pay/1")
