"""Which effect a call has, and what earlier attempts have left over that may be this call in other words."""

import pytest

from agentorch.core.effect_keys import enter_receipt, key_of, known_as, left_over, may_be_another_s, tool_of
from agentorch.core.identity import Key
from agentorch.core.special import Special
from agentorch.core.state import Receipt, RunState, TaskState
from agentorch.core.task import Task

CALL = "d" * 32


def state_with(*receipts: tuple[str, str], **options: bool) -> RunState:
    """Return a run with receipts: each is the dispatch that intended it, without the run, and its key's end."""
    state = RunState("run")
    for dispatch, end in receipts:
        task = dispatch.split("/", 1)[0]
        receipt = Receipt(task, "pay", CALL, done=True, key=f"run/{dispatch}")
        for name, value in options.items():
            setattr(receipt, name, value)
        enter_receipt(state, f"run/{task}/{end}", receipt)
    return state


def add(state: RunState, name: str, **steps: str) -> None:
    """Let the run have a task."""
    state.tasks[name] = TaskState(Task(name, "payer"), 1, 0, "payer", special=Special(steps=dict(steps)))


def found(state: RunState, dispatch: str, *taken: str) -> list[str]:
    """Return what is left over for a call of `pay` by a dispatch."""
    key = f"run/{dispatch}"
    state.revision = Key.parse(key).revision
    mine = {f"run/{one}" for one in taken}
    return [one for one in left_over(state, key, "pay") if may_be_another_s(state, key, one, mine)]


def test_a_key_is_of_the_arguments_and_not_of_the_order() -> None:
    """The same call has the same key wherever it comes; the next one with the same arguments another."""
    assert key_of("run/a", "pay", CALL, 1) == f"run/a/pay/{CALL[:16]}-1"
    assert tool_of(key_of("run/a/buy/x-1", "pay", CALL, 2)) == ("pay", CALL[:16])


def test_a_fork_finds_what_its_ancestors_have_done() -> None:
    """Under their keys; what is new has the fork's own."""
    state = state_with(("a/1/1/1", "pay/x-1"))
    assert known_as(state, "run/a/pay/x-1") == "run/a/pay/x-1"
    assert known_as(state, "other/a/pay/x-1") == "other/a/pay/x-1"
    state.ancestors = ("parent", "run")
    assert known_as(state, "fork/a/pay/x-1") == "run/a/pay/x-1"
    assert known_as(state, "fork/a/pay/x-2") == "fork/a/pay/x-2"


@pytest.mark.parametrize(
    ("receipt", "dispatch", "taken", "left"),
    [
        (("a/1/1/1", "pay/x-1"), "a/1/2/1", (), True),
        (("a/1/1/1", "pay/x-1"), "a/2/1/1", (), True),
        (("a/1/1/1", "pay/x-1"), "a/1/2/1", ("a/pay/x-1",), False),
        (("a/1/1/1", "buy/y-1/pay/x-1"), "a/1/2/1", (), True),
        (("a/1/1/1", "buy/y-1/pay/x-1"), "a/1/2/1", ("a/buy/y-1",), False),
        (("b/1/1/1", "pay/x-1"), "a/1/2/1", (), False),
        (("a/1/2/1", "pay/x-1"), "a/1/2/1", (), False),
        (("a/1/2/1", "pay/x-1"), "a/1/2/2", (), True),
        (("boss.1.cash-00000000/1/1/1", "pay/x-1"), "boss.2.cash-00000000/1/1/1", (), True),
        (("boss.1.cash-00000000/1/1/1", "pay/x-1"), "boss.2.cash-11111111.2/1/1/1", (), True),
        (("boss.1.cash-00000000/1/1/1", "pay/x-1"), "boss.1.cash-11111111/2/1/1", (), True),
        (("boss.1.till-00000000/1/1/1", "pay/x-1"), "boss.2.cash-11111111/1/1/1", (), True),
        (("boss.1.cash-00000000/1/1/1", "pay/x-1"), "boss/1/2/1", (), True),
        (("boss/1/1/1", "pay/x-1"), "boss.2.cash-00000000/1/1/1", (), True),
        (("boss.1.a-00000000.1.b-00000000/1/1/1", "pay/x-1"), "boss.1.a-00000000.2.c-00000000/1/1/1", (), True),
        (("boss.1.a-00000000.1.b-00000000/1/1/1", "pay/x-1"), "boss.2.c-00000000/1/1/1", (), True),
    ],
    ids=[
        "of an earlier attempt",
        "of an earlier revision",
        "made again",
        "inside another tool",
        "inside a tool whose call is made again",
        "of another task",
        "of this dispatch",
        "of a dispatch that was cut off",
        "of the same delegated task",
        "of a task delegated in other words",
        "of a delegated task that a patch has taken out",
        "of another agent",
        "of an agent that was called, and now its caller acts",
        "of the caller, and now an agent that it calls acts",
        "two calls down",
        "two calls down, and now one",
    ],
)
def test_what_is_left_over(receipt: tuple[str, str], dispatch: str, taken: tuple[str, ...], *, left: bool) -> None:
    """What may be this call in other words is what nobody has asked for again."""
    assert bool(found(state_with(receipt), dispatch, *taken)) is left


def test_what_has_ended_as_a_step_of_the_attempt_is_not_left_over() -> None:
    """The dispatch that continues it reads the step, whenever it comes to it."""
    state = state_with(("a/1/1/1", "pay/x-1"))
    add(state, "a")
    assert found(state, "a/1/1/2") == ["run/a/pay/x-1"]
    add(state, "a", **{f"pay:{CALL[:16]}:1": "paid"})
    assert found(state, "a/1/1/2") == []


def test_a_task_beside_asks_for_it_itself() -> None:
    """The caller's attempt has delegated the same task too: what that did before is its own."""
    state = state_with(("boss.1.cash-00000000/1/1/1", "pay/x-1"))
    add(state, "boss.2.cash-00000000")
    assert found(state, "boss.2.cash-11111111/1/1/1") == []


@pytest.mark.parametrize(
    "dispatch", ["boss.1.cash-11111111/1/1/1", "boss.1.till-00000000.1.x-00000000/1/1/1", "boss/1/1/1"]
)
def test_what_another_call_of_the_same_attempt_did_is_its_own(dispatch: str) -> None:
    """Whoever acts beside it, below it or above it means another effect."""
    state = state_with(("boss.1.cash-00000000/1/1/1", "pay/x-1"))
    for name in ("boss", "boss.1.cash-00000000"):
        add(state, name)
    assert found(state, dispatch) == []


@pytest.mark.parametrize(("attempt", "steps"), [("1/1", {}), ("1/2", {f"pay:{CALL[:16]}:1": "paid"})])
def test_what_the_attempt_of_a_caller_did_is_its_own(attempt: str, steps: dict[str, str]) -> None:
    """Just now, or in an earlier one and called again since: what it calls then means another effect."""
    state = state_with(("boss/1/1/1", "pay/x-1"))
    add(state, "boss", **steps)
    number = attempt[-1]
    assert found(state, f"boss.{number}.cash-00000000/1/1/1") == []
    add(state, "boss")
    assert found(state, "boss.2.cash-00000000/1/1/1") == ["run/boss/pay/x-1"]


def test_what_did_not_happen_is_not_left_over() -> None:
    """Voided by its tool or a person."""
    assert found(state_with(("a/1/1/1", "pay/x-1"), void=True, done=False), "a/1/2/1") == []


def test_what_is_intended_again_is_of_the_later_attempt() -> None:
    """It moves from one to the other."""
    state = state_with(("a/1/1/1", "pay/x-1"), ("a/1/2/1", "pay/x-1"))
    assert found(state, "a/1/2/1") == []
    assert found(state, "a/1/3/1") == ["run/a/pay/x-1"]
    enter_receipt(state, "run/a/pay/x-1", Receipt("a", "pay", CALL))
    assert found(state, "a/1/3/1") == []
