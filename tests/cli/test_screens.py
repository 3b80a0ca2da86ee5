"""What stands on the screen: the living table, its notes, and numbers as people read them."""

import io

import pytest
from rich.console import Console

from agentorch.cli.progress import Progress
from agentorch.cli.task_table import TaskTable
from agentorch.cli.words import harmless, money, seconds, tokens
from agentorch.core import inbox
from agentorch.core.failures import FailureKind
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.core.usage import Usage
from tests.cli.stories import Story, chain


def progress_of(story: Story) -> Progress:
    progress = Progress("r1")
    for event in story.events:
        progress.see(event)
    return progress


def notes(story: Story) -> dict[str, str]:
    return {row.task: row.note for row in progress_of(story).rows(story.at + 1)}


def drawn(story: Story, *, width: int, height: int = 24) -> list[str]:
    """Return the lines of the table as it stands when the run is over."""
    written = io.StringIO()
    console = Console(file=written, width=width, height=height, force_terminal=True, color_system=None)
    console.print(TaskTable(console, progress_of(story), clock=lambda: story.at + 1).drawn(last=True))
    return [line.rstrip() for line in written.getvalue().splitlines()]


def test_a_row_says_what_its_task_waits_for() -> None:
    """Needs, a slot, an approval, a patch, the next try."""
    story = Story(*chain(attempts=1), Task("send", "keeper"), Task("idle", "spare"), planner="model")
    story.start("send")
    story.fail("load")
    assert notes(story) == {
        "load": "waits for a new plan: disk full",
        "merge": "needs load",
        "report": "needs merge",
        "send": "waits for approval",
        "idle": "waits for a slot",
        "answer": "needs report, send, idle",
    }


def test_a_plan_that_waits_to_be_signed_is_not_said_to_run() -> None:
    """The line for the whole run says what everything waits for."""
    story = Story(*chain(), policy=Policy(approval="plan"))
    assert progress_of(story).phase == "waits for the plan to be signed"
    (request,) = story.state.requests
    story.tell(inbox.Answer(story.tick(), request, value=True, by="user"))
    assert progress_of(story).phase == "running"


def test_a_row_says_what_went_wrong() -> None:
    """A next try, a repair, a fallback, a failure, a skip."""
    story = Story(
        Task("slow", "spare"),
        Task("ode", "poet"),
        Task("load", "loader", policy=Policy(attempts=1, fallback=("spare",))),
        Task("bad", "loader", policy=Policy(attempts=1)),
        Task("after", "loader", needs=("bad",)),
    )
    key = story.start("slow")
    story.tell(inbox.Fail(story.tick(), key, FailureKind.TRANSIENT, ("429 slow\ndown",), retry_after=20.0))
    story.fail("ode", "invalid", "it must rhyme", output="x")
    story.start("ode")
    story.fail("load")
    story.succeed("load")
    story.fail("bad")
    said = notes(story)
    assert said.pop("slow").endswith("s: 429 slow down")
    assert said == {
        "ode": "repair after: it must rhyme",
        "load": "in the place of loader",
        "bad": "disk full",
        "after": "'bad' brought nothing",
        "answer": "needs slow, ode",
    }


def test_the_table_at_80_columns() -> None:
    """A line a task, with its agent."""
    story = Story(*chain())
    story.succeed("load")
    story.start("merge")
    story.tell(inbox.Report(story.tick(), story.state.key_of(story.state.tasks["merge"]), "\x1b[31mpage\n2"))
    assert drawn(story, width=80) == [
        "✓ load   loader 1.0 s",
        "⠇ merge  loader 2.0 s ␛[31mpage 2",
        "· report loader       needs merge",
    ]


def test_the_table_at_40_columns() -> None:
    """State, task, agent and time on one line, what there is to say below; nothing is wider than the terminal."""
    story = Story(Task("a-name-that-is-much-too-long", "loader"), Task("b", "loader"))
    story.fail("b", problem="the disk is full and there is no more to be said")
    story.fail("b", problem="the disk is full and there is no more to be said")
    assert drawn(story, width=40)[:4] == [
        "· a-name-that-is… loader",
        "  waits for a slot",
        "✗ b               loader       1.0 s",
        "  the disk is full and there is no mor…",
    ]


def test_a_long_plan_on_a_small_terminal() -> None:
    """It is never higher than the terminal, two lines a task counted."""
    story = Story(*(Task(f"t{number}", "loader") for number in range(30)))
    lines = drawn(story, width=40, height=16)
    assert lines[-1] == "  and 25 more"
    assert len(lines) <= 16


def test_a_plan_that_is_longer_than_the_terminal() -> None:
    """What runs is shown, and how many are not."""
    story = Story(*(Task(f"t{number}", "loader") for number in range(30)))
    story.start("t29")
    lines = drawn(story, width=80, height=10)
    assert any("t29" in line for line in lines)
    assert lines[-1] == "  and 25 more"  # with the answer task
    assert len(lines) <= 10


@pytest.mark.parametrize(
    ("value", "said"), [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (65.2, "1 m 05 s"), (7500, "2 h 05 m")]
)
def test_durations(value: float, said: str) -> None:
    """As people read them."""
    assert seconds(value) == said


@pytest.mark.parametrize(
    ("usage", "counts", "cost"),
    [
        (Usage(), "no model used", None),
        (Usage(1204, 310, calls=2, money=0.0123), "1,204 in + 310 out tokens", "$0.0123"),
        (Usage(10, 5, calls=1, approximate=True, money=0.1), "~10 in + ~5 out tokens", "~$0.1000"),
        (Usage(10, 5, calls=1, unpriced=1), "10 in + 5 out tokens", "price unknown"),
        (Usage(10, 5, calls=2, unpriced=1, money=0.1), "10 in + 5 out tokens", "$0.1000 + unpriced calls"),
    ],
)
def test_what_a_model_used(usage: Usage, counts: str, cost: str | None) -> None:
    """Estimates bear a ~; an unknown price is said to be unknown."""
    assert (tokens(usage), money(usage)) == (counts, cost)


def test_nothing_a_terminal_obeys_passes() -> None:
    """Escapes, C1 controls and bidirectional overrides are shown or dropped; text, new lines and tabs stay."""
    assert harmless("a\tb\n\x1b]0;x\x07 \x9b2J \u202eabc\r ü 漢") == "a\tb\n␛]0;x␇ \ufffd2J abc ü 漢"
