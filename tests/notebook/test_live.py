"""A run in a notebook: drawn again while it goes on, in a real kernel."""

import io
import subprocess
import sys
from contextlib import redirect_stdout

import anyio
import pytest

from agentorch import Orchestrator, Plan, agent
from agentorch.notebook import live
from agentorch.runtime.run import Run
from tests.notebook.kernel import Shown, run_cells
from tests.pictures.drawing import drawn, words

BEGIN = """
import asyncio
from agentorch import Orchestrator, Plan, agent
from agentorch.notebook import live

@agent(description="Works for some seconds.")
async def works(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "**done** <script>alert(1)</script>"

plan = Plan("Two in a row", answer="$b")
plan.add("a", agent=works, inputs={"seconds": 1.4})
plan.add("b", agent=works, inputs={"seconds": 0.3}, needs=["a"])
orchestrator = Orchestrator([works], on_run=live)
"""


@pytest.fixture(scope="module")
def shown() -> Shown:
    """What a notebook shows that does everything once."""
    return run_cells(
        BEGIN,
        "plan",
        "outcome = await orchestrator.run(plan)",
        "outcome = orchestrator.run_sync(plan)",
        "outcome",
        "orchestrator.registry",
        """
async with Orchestrator([works]) as opened:
    run = await opened.submit(plan)
    await live(run, every=0.1)
    print(run.status)
run
""",
        """
async with orchestrator as opened:
    run = await opened.submit(plan)
    await live(run)
    print(run.status)
""",
    )


def test_a_plan_shows_itself(shown: Shown):
    """As an image that every notebook shows, trusted or not, and in words."""
    (data,) = shown.data(1)
    assert set(data) == {"text/markdown", "text/plain"}
    assert data["text/markdown"].startswith(
        '<img alt="Plan(&#x27;Two in a row&#x27;, 2 tasks)" src="data:image/svg+xml;base64,'
    )
    assert {"a", "b", "Two in a row"} <= set(words(drawn(data)))


@pytest.mark.parametrize("cell", [2, 3], ids=["await", "run_sync"])
def test_a_run_is_drawn_while_it_goes_on(shown: Shown, cell: int):
    """One picture below the cell, drawn over; the last one shows the end and stays."""
    pictures = shown.pictures(cell)
    stood = [words(picture)[0] for picture in pictures]
    (left,) = shown.data(cell)
    assert "▸ running" in stood
    assert stood[-1] == "✓ succeeded"
    assert drawn(left) == pictures[-1]
    assert 3 <= len(pictures) <= 12


def test_an_outcome_shows_the_picture_and_the_answer(shown: Shown):
    """The answer is Markdown in which no HTML is obeyed."""
    picture, answer = shown.data(4)
    assert words(drawn(picture))[0] == "✓ succeeded"
    assert answer["text/markdown"] == "**done** &lt;script>alert(1)&lt;/script>"


def test_a_team_shows_itself(shown: Shown):
    """As a table."""
    (data,) = shown.data(5)
    assert "| **works** | Works for some seconds. | seconds: number | string |  |" in data["text/markdown"]


def test_a_run_in_hand_can_be_watched(shown: Shown):
    """`live(run)` ends with the run; the run shows itself afterwards too."""
    assert shown.text(6) == "succeeded\n"
    pictures = shown.pictures(6)
    assert words(pictures[-1])[0] == "✓ succeeded"
    assert len(pictures) > 5


def test_a_run_that_is_drawn_already_is_not_drawn_a_second_time(shown: Shown):
    """`await live(run)` only waits where `on_run=live` draws."""
    (left,) = shown.data(7)
    assert words(drawn(left))[0] == "✓ succeeded"
    assert shown.text(7) == "succeeded\n"


@agent(description="Works for a second.")
async def second() -> str:
    await anyio.sleep(1)
    return "done"


@pytest.mark.looptime
async def test_outside_of_a_notebook_it_only_waits():
    """A script that was a notebook prints nothing of it."""
    plan = Plan("one")
    plan.add("one", agent=second)
    said = io.StringIO()
    with redirect_stdout(said):
        outcome = await Orchestrator([second], on_run=live).run(plan)
    assert (outcome.answer, said.getvalue()) == ("done", "")


@pytest.mark.looptime
async def test_a_run_that_is_lost_ends_its_view():
    """Whoever asks for the outcome hears why; the view does not raise it a second time."""
    plan = Plan("one")
    plan.add("one", agent=second)
    async with Orchestrator([second]) as opened:
        run: Run = await opened.submit(plan)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(live, run)
            await anyio.sleep(0.3)
            await run.cancel()
    assert run.status == "cancelled"


def test_without_ipython_it_only_waits():
    """A notebook that became a script runs where no notebook was ever installed, and says nothing of it."""
    code = """
import sys
sys.modules["IPython"] = None
from agentorch import Orchestrator, Plan, agent
from agentorch.notebook import live

@agent(description="Says it.")
async def says() -> str:
    return "done"

plan = Plan("one")
plan.add("one", agent=says)
print(Orchestrator([says], on_run=live).run_sync(plan).answer)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("done\n", "")
