"""How things go wrong: several at once."""

from agentorch.core.failures import WORST_FIRST, Code, FailureKind, Problem, members_of


def test_every_kind_of_failure_has_its_place() -> None:
    """A new one is to be put in order too; what passes by itself counts last."""
    assert sorted(WORST_FIRST) == sorted(FailureKind)
    assert (WORST_FIRST[0], WORST_FIRST[-1]) == (FailureKind.UNKNOWN, FailureKind.TRANSIENT)


def test_what_is_no_group_is_its_own_member() -> None:
    """One thing went wrong."""
    error = ValueError("one")
    assert members_of(error) == [error]


def test_the_members_of_groups_in_groups_come_in_order_and_once() -> None:
    """However deep, and however often a group stands in others."""
    first, second, third = ValueError("1"), SystemExit(2), KeyError("3")
    within = ExceptionGroup("within", [first])
    whole = BaseExceptionGroup("whole", [within, second, BaseExceptionGroup("more", [within, third, second])])
    for _ in range(2_000):
        whole = BaseExceptionGroup("again", [whole, whole])
    assert members_of(whole) == [first, second, third]


def test_a_problem_says_where_its_message_begins() -> None:
    """Also one that concerns no task, and whose code is a word."""
    problems = [
        Problem("plan", "no agent can be used"),
        Problem(FailureKind.CRASH, "KeyError: 'x'", task="adder"),
        Problem(Code.EMPTY, "the plan has no tasks", remedy="add one"),
    ]
    assert [str(problem) for problem in problems] == [
        "plan: no agent can be used",
        "crash adder: KeyError: 'x'",
        "E_EMPTY the plan has no tasks (add one)",
    ]
