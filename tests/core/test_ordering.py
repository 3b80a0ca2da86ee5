"""The order of a plan."""

from hypothesis import given
from hypothesis import strategies as st

from agentorch.core.ordering import ordered
from agentorch.core.task import Task


def tasks(**needs: str) -> list[Task]:
    return [Task(id, "a", needs=tuple(names.split())) for id, names in needs.items()]


def ids(given: tuple[Task, ...]) -> str:
    return " ".join(task.id for task in given)


def test_an_ordered_plan_stays_as_it_is() -> None:
    """Needs outside the plan do not count."""
    plan = tasks(b="z", a="", c="a b z")
    assert ordered(plan).tasks == tuple(plan)


def test_each_task_stands_below_its_needs_and_input_order_is_kept() -> None:
    """Among the free tasks, the one given first goes first."""
    order = ordered(tasks(d="c c", c="a b", b="", a="", e=""))
    assert (ids(order.tasks), order.cycles, order.rest) == ("b a c d e", (), ())


def test_cycles_are_named_and_what_is_behind_them_is_kept_apart() -> None:
    """Each cycle is an actual one, in the direction of the needs."""
    order = ordered(tasks(x="a", a="b free", b="c", c="a", free="", s="s", u="v", v="u", y="x"))
    assert (ids(order.tasks), ids(order.rest)) == ("free", "x a b c s u v y")
    assert order.cycles == (("a", "b", "c"), ("s",), ("u", "v"))


@given(st.permutations(range(8)), st.data())
def test_every_acyclic_plan_is_ordered(labels: list[int], data: st.DataObject) -> None:
    """Whatever order a plan comes in, every task ends up below its needs."""
    plan = [
        Task(f"t{label}", "a", needs=tuple(f"t{labels[n]}" for n in data.draw(st.sets(st.integers(0, 7))) if n < index))
        for index, label in enumerate(labels)
    ]
    order = ordered(data.draw(st.permutations(plan)))
    place = {task.id: index for index, task in enumerate(order.tasks)}
    assert not order.cycles
    assert len(place) == 8
    assert all(place[need] < place[task.id] for task in plan for need in task.needs)


def test_a_long_chain_backwards() -> None:
    """No recursion: a chain of fifty thousand in the wrong order."""
    plan = [Task(f"t{n}", "a", needs=(f"t{n - 1}",)) for n in range(50_000, 0, -1)]
    assert ordered(plan).tasks == tuple(reversed(plan))
