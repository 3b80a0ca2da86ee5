"""What few tasks have takes nothing where there is none of it."""

from agentorch.core.special import Ladder, Memo, Rare, carried_over
from agentorch.core.state import TaskState
from agentorch.core.task import Task
from agentorch.core.usage import Usage


def made() -> TaskState:
    """Return the state of a task."""
    return TaskState(Task("a", "worker"), 1, 0, "worker")


def test_a_task_has_none_of_it_until_it_is_given_some() -> None:
    """Each field reads as what it is without, and to say that again makes nothing."""
    task = made()
    task.memo, task.works, task.questions = None, False, 0

    assert (task.ladder, task.depth, task.approved, task.children, task.special) == (None, 0, False, None, None)
    assert isinstance(TaskState.ladder, Rare)


def test_each_task_has_its_own() -> None:
    """What one is given, no other has."""
    task, other = made(), made()
    task.climb(Ladder("mender", starts=2))
    task.questions += 1

    assert (task.agent, task.questions, task.blocked) == ("mender", 1, True)
    assert (other.agent, other.questions, other.special) == ("worker", 0, None)
    task.questions -= 1
    assert (task.questions, task.blocked, other.blocked) == (0, False, False)


def test_what_a_new_revision_goes_on_with() -> None:
    """A memo, and what was spent; nothing where there is neither."""
    memo = Memo("digest", 1, ())

    assert carried_over() is None
    special = carried_over(memo=memo, spent=Usage(calls=1))
    assert special is not None
    assert (special.memo, special.spent) == (memo, Usage(calls=1))
