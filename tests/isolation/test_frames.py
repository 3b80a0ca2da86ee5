"""What crosses the boundary of a process: any JSON value, any exception, and never nothing at all."""

from pathlib import Path
from typing import Any, cast

import pytest

from agentorch import Orchestrator, Outcome, Plan, Policy
from agentorch.errors import BudgetExceeded, EffectUnknown
from agentorch.isolation.frames import LENGTH, Elsewhere, Fault, Frame, Reply, decode, encode, fault_of, raised
from agentorch.isolation.process import Child
from agentorch.testing import ScriptedModel
from tests.isolation.team import HALF

TEAM = str(Path(__file__).parent / "team.py")


@pytest.mark.parametrize(
    "frame",
    [
        Reply(1, HALF),
        Reply(2, {"x": [HALF]}),
        Reply(3, "\ufffd"),
        Reply(4, [None, 1.5, 2**70]),
        Reply(5, fault=Fault("PermanentError", "no")),
    ],
    ids=["half", "within", "replacement", "numbers", "fault"],
)
def test_a_frame_comes_out_as_it_went_in(frame: Frame) -> None:
    """Half a character too."""
    assert decode(encode(frame)[LENGTH:]) == frame


def test_every_exception_can_be_told() -> None:
    """Half a character in its words becomes a question mark, as in the journal."""
    frame = Reply(1, fault=fault_of(RuntimeError(HALF)))
    assert decode(encode(frame)[LENGTH:]) == Reply(1, fault=Fault("RuntimeError", "a?b"))


def test_a_limit_that_was_reached_is_one_on_the_other_side() -> None:
    """So that the caller's failure is of the same kind."""
    error = raised(fault_of(BudgetExceeded("'writer' failed: all is used")))
    assert (type(error), str(error)) == (BudgetExceeded, "'writer' failed: all is used")


def test_a_group_is_one_of_its_members_on_the_other_side() -> None:
    """Those of the groups in it too; each is what it was, or known by its name."""
    inner = ExceptionGroup("inner", [EffectUnknown("who knows", effect="e"), ValueError("no")])
    frame = Reply(1, fault=fault_of(BaseExceptionGroup(HALF, [inner, SystemExit(3)])))
    found = decode(encode(frame)[LENGTH:])
    assert isinstance(found, Reply)
    assert found.fault is not None
    group = cast("BaseExceptionGroup[Exception]", raised(found.fault))
    unknown, *others = group.exceptions
    assert isinstance(unknown, EffectUnknown)
    assert (group.message, unknown.effect) == ("a?b", "e")
    assert [isinstance(one, Elsewhere) and (one.name, str(one)) for one in others] == [
        ("ValueError", "no"), ("SystemExit", "3"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("how", "answer", "problems"),
    [
        ("step", {"x": HALF}, []),
        ("call", HALF, []),
        ("return", {"x": HALF}, []),
        ("tool", None, ["a?b"]),
        ("raise", None, ["a?b"]),
    ],
    ids=["step", "call", "return", "tool", "raise"],
)
async def test_half_a_character_hangs_no_call(how: str, answer: Any, problems: list[str]) -> None:
    """It passes as in process: no dispatch waits for an answer that could not be sent."""
    plan = Plan(how)
    plan.add("one", agent="halved", inputs={"how": how})
    async with Orchestrator([TEAM], model=ScriptedModel(), policy=Policy(replans=0)) as orchestrator:
        outcome: Outcome = await orchestrator.run(plan, timeout=20)
    assert (outcome.answer, [problem.message for problem in outcome.problems]) == (answer, problems)


async def test_a_child_that_cannot_read_what_it_is_sent_ends() -> None:
    """Nobody waits for it until a timeout; its last line says why."""
    child = await Child.start("agent 'x'")
    child._writer.write((4).to_bytes(LENGTH, "big") + b"nope")
    code = await child.gone()
    assert (code, child.last_line[:44]) == (1, "what was sent to this process cannot be read")
