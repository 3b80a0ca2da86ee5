"""What surely fits is not counted; what is too much for notes is shown as one value."""

import pytest

from agentorch.agents import Agent
from agentorch.prompting import run_prompt_agent
from agentorch.prompts import Prompts
from tests.prompting.scripted import Scripted

PLAIN = Agent("plain", description="Answers.", prompt="Answer the question.")


class Uncounted(Scripted):
    def count(self, text: str) -> int:
        raise AssertionError(f"counted: {text[:60]}")


async def test_what_surely_fits_is_not_counted(prompts: Prompts):
    """No prompt has more tokens than bytes: one that is small enough costs no count, and is whole."""
    model = Uncounted("done", objective="Look at it.")
    await run_prompt_agent(PLAIN, {"ids": "7f3a9c01"}, model.services, prompts=prompts, token_budget=5_000)
    assert '<value name="ids">\n7f3a9c01\n</value>' in model.texts()[1]


@pytest.mark.parametrize("where", ["input", "objective"])
async def test_what_may_not_fit_is_counted_and_shown_alike(where: str, prompts: Prompts):
    """More bytes than tokens may be, but no more tokens: it stands there as it would below a larger budget."""
    text = "word " * (900 if where == "input" else 240)
    asked: list[list[str]] = []
    for budget in (1_600, 100_000, None):
        model = Scripted("done", objective=text if where == "objective" else "Read.")
        inputs = {"text": text} if where == "input" else {"text": "word"}
        await run_prompt_agent(PLAIN, inputs, model.services, prompts=prompts, token_budget=budget)
        asked.append(model.texts())
    assert asked[0] == asked[1] == asked[2]


async def test_more_inputs_than_notes_have_room_for_are_shown_as_one(prompts: Prompts):
    """A join of hundreds: as many are shown as fit, each below its name, and the last one can be found."""
    inputs = {f"part{number}": f"Words of {number}. The code is {number:05}." for number in range(500)}
    asked = [("read_input", '{"name": "inputs", "search": "00499"}')]
    model = Scripted(asked, "done")
    assert await run_prompt_agent(PLAIN, inputs, model.services, prompts=prompts, token_budget=3_000) == "done"
    assert all(model.size(request) <= 3_000 for request in model.requests)
    assert '<value name="inputs">\npart0:\nWords of 0. The code is 00000.\n\npart1:' in model.texts(0)[1]
    assert "part499:\nWords of 499. The code is 00499." in model.texts()[-1]
    assert [name for name, *_ in model.trims] == ["inputs"]
