"""What a shell is given to show, without the kernel's process around it."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

from agentorch import Orchestrator, Plan, agent
from agentorch.notebook import live
from agentorch.pictures.bundles import bundle
from agentorch.testing import LoopClock
from tests.pictures.drawing import drawn, words

pytestmark = pytest.mark.looptime


@agent(description="Writes <i>odes</i> | and more.", effects="idempotent")
async def poet(topic: str = "buses") -> dict[str, str]:
    await anyio.sleep(2)
    return {"ode": f"To {topic} <b>"}


def plan() -> Plan:
    plan = Plan("An ode")
    plan.add("ode", agent=poet)
    return plan


@pytest.fixture
def published() -> Iterator[list[dict[str, Any]]]:
    """Everything that is shown in a shell that has a kernel, as a notebook's has."""
    shell: Any = InteractiveShell.instance()
    shell.kernel = "as a notebook has"
    shell.display_pub = CapturingDisplayPublisher(parent=shell)
    try:
        yield shell.display_pub.outputs  # pyright: ignore[reportUnknownMemberType]
    finally:
        InteractiveShell.clear_instance()


def test_a_picture_is_an_image():
    """And nothing else: VS Code shows nothing of an output with HTML or SVG in a folder that is not trusted."""
    data = plan()._repr_mimebundle_()
    assert drawn(data) == plan().to_svg()
    assert (set(data), data["text/plain"]) == ({"text/markdown", "text/plain"}, "Plan('An ode', 1 tasks)")


def test_the_words_for_an_image_are_no_markdown():
    """One tag on one line, with neither code, mathematics nor a paragraph's end in it."""
    image = bundle("<svg/>", '$5 `or`\n\n<b>\\(6\\)" $')["text/markdown"]
    assert image == (
        '<img alt="&#36;5 &#96;or&#96; &lt;b&gt;&#92;(6&#92;)&quot; &#36;" src="data:image/svg+xml;base64,PHN2Zy8+">'
    )


def test_a_plan_that_was_not_checked_is_drawn():
    """With needs that are not there, circles, and no answer."""
    odd = Plan("odd", answer="$c.rows")
    odd.add("a", agent="nobody", objective="Say ${b}", needs=["b", "missing"])
    odd.add("b", agent="nobody", inputs={"x": ["$a"]})
    odd.add("c", agent="nobody")
    assert {"a", "b", "c", "odd", "3 tasks"} <= set(words(odd.to_svg()))
    two = Plan("two")
    two.add("a", agent="nobody")
    two.add("b", agent="nobody")
    assert two.to_svg().count('stroke-width="2.4"') == 0
    assert odd.to_svg().count('stroke-width="2.4"') == 1


def test_a_team_is_a_table():
    """What takes a row of it apart is escaped."""
    data = Orchestrator([poet]).registry._repr_mimebundle_()
    assert data["text/plain"] == "Registry(poet)"
    row = r"| **poet** | Writes &lt;i>odes&lt;/i> \| and more\. | topic?: string | object | effects: idempotent |"
    assert data["text/markdown"].splitlines()[2] == row.replace(r"more\.", "more.")


async def test_a_view_draws_over_its_picture(published: list[dict[str, Any]]) -> None:
    """One picture is shown and then replaced, not oftener than was asked for; it ends with the run."""
    async with Orchestrator([poet], clock=LoopClock()) as opened:
        run = await opened.submit(plan())
        await live(run, every=0.5)
        status = run.status
    ids = {one["transient"]["display_id"] for one in published}
    said = [words(drawn(one["data"]))[:2] for one in published]
    assert (len(ids), [one.get("update", False) for one in published][:2]) == (1, [False, True])
    assert (said[-1], status) == (["✓ succeeded", "1 task · 2.0 s"], "succeeded")
    assert 5 <= len(said) <= 7
    assert run._repr_mimebundle_() == published[-1]["data"]


async def test_an_outcome_is_a_picture_and_an_answer(published: list[dict[str, Any]]) -> None:
    """A value that is no text is shown as JSON, in a fence."""
    outcome = await Orchestrator([poet], clock=LoopClock()).run(plan())
    outcome._ipython_display_()
    picture, answer = (one["data"] for one in published)
    assert drawn(picture) == outcome.to_svg()
    assert answer["text/markdown"] == '```json\n{\n  "ode": "To buses <b>"\n}\n```'


async def test_a_terminal_obeys_nothing_in_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """IPython without a notebook prints the words: control characters in them are shown, lines stay lines."""

    @agent(description="Forges.")
    async def forger() -> str:
        return "\x1b]0;owned\x07\x1b[2Jone\r\n\ttwo \x9b1m\u202e"

    plan = Plan("\x1b[2J")
    plan.add("one", agent=forger)
    outcome = await Orchestrator([forger], clock=LoopClock()).run(plan)
    InteractiveShell.instance()
    try:
        outcome._ipython_display_()
    finally:
        InteractiveShell.clear_instance()
    said = capsys.readouterr().out
    assert said.endswith("␛]0;owned␇␛[2Jone\n\ttwo \ufffd1m\n")
    assert not {"\x1b", "\x07", "\x9b", "\r"} & set(said)


async def test_what_is_missing_is_said_below_the_answer() -> None:
    """Without an answer too."""

    @agent(description="Fails.")
    async def fails() -> str:
        raise RuntimeError("no <tape>")

    plan = Plan("none")
    plan.add("one", agent=fails, attempts=1)
    outcome = await Orchestrator([fails], clock=LoopClock()).run(plan)
    assert outcome.to_markdown().startswith("*No answer.*\n\n**Problems**\n\n- crash one: RuntimeError: no &lt;tape>")
