"""A plan as text: the drawing above the list, as far as it fits."""

import pytest

from agentorch.cli.plan_text import as_text
from agentorch.cli.screen import Sheet
from agentorch.core.task import Graph, Task
from agentorch.plans import Plan


def plan(*tasks: Task) -> Plan:
    """A plan as a planner could have written it: nothing of it was checked."""
    return Plan.from_graph(Graph(tasks, None), "Goal")


PLAN = plan(
    Task("bees", "researcher", inputs={"topic": "Bees"}),
    Task("flowers", "researcher", inputs={"topic": "Flowers"}),
    Task("both", "writer", inputs={"one": "$bees", "other": "$flowers"}),
)
LIST = """\
 1  bees     researcher
    topic: Bees
 2  flowers  researcher
    topic: Flowers
 3  both     writer      needs bees, flowers
    one: $bees
    other: $flowers
answer: $both"""
STATES = {"bees": "succeeded", "flowers": "failed"}


def drawn(*rows: str) -> str:
    """What stands above the list."""
    return "\n".join([*rows, "", LIST])


@pytest.mark.parametrize(
    ("sheet", "states", "said"),
    [
        (Sheet(), {}, drawn("○      bees     researcher", "│ ○    flowers  researcher", "╰─┴─●  both     writer")),
        (Sheet(26), {}, drawn("○      bees     researcher", "│ ○    flowers  researcher", "╰─┴─●  both     writer")),
        (Sheet(24), {}, drawn("○    bees     researcher", "○    flowers  researcher", "╰─●  both     writer")),
        (Sheet(23), {}, drawn("○      bees", "│ ○    flowers", "╰─┴─●  both")),
        (Sheet(12), {}, drawn("○    bees", "○    flowers", "╰─●  both")),
        (Sheet(11), {}, LIST),
        (
            Sheet(40),
            STATES,
            drawn(
                "○      bees     researcher  succeeded", "│ ○    flowers  researcher  failed", "╰─┴─●  both     writer"
            ),
        ),
        (Sheet(25), STATES, drawn("○      bees     succeeded", "│ ○    flowers  failed", "╰─┴─●  both")),
        (Sheet(23, unicode=False), {}, drawn("o      bees", "| o    flowers", "'-'-*  both")),
    ],
)
def test_the_drawing_has_what_fits(sheet: Sheet, states: dict[str, str], said: str) -> None:
    """Agents go first, then states; where the rails do not fit the list stands alone."""
    assert as_text(PLAN, sheet, states=states) == said


def test_nothing_is_drawn_where_nothing_is_needed() -> None:
    """Sixty tasks that have nothing to do with each other are a list."""
    many = plan(*(Task(f"t{index}", "writer") for index in range(60)))
    assert as_text(many, Sheet()).splitlines()[0] == " 1  t0   writer"


def test_a_circle_is_a_list() -> None:
    """A plan that no run would take is shown all the same."""
    circle = plan(Task("a", "x", needs=("b",)), Task("b", "x", needs=("a",)))
    assert as_text(circle, Sheet()).splitlines()[0] == " 1  a  x  needs b"
