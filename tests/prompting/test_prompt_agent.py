"""A prompt agent at work, over a scripted model."""

import json
from typing import Any

import pytest
from dirty_equals import IsStr
from pydantic import BaseModel

from agentorch.agents import Agent
from agentorch.core.card import AgentCard
from agentorch.core.values import blob_ref
from agentorch.errors import MalformedOutput, ModelError, ModelRefusal, PermanentError
from agentorch.ports.model import ModelRequest, ModelResponse
from agentorch.prompting import converse, run_prompt_agent
from agentorch.prompts import Prompts
from agentorch.tools import tool
from tests.prompting.scripted import Scripted


class Weakness(BaseModel):
    where: str
    what: str


CRITIC = Agent("critic", description="Finds weak points.", prompt="List what is weak.", output=list[Weakness])
PLAIN = Agent("plain", description="Writes.", prompt="Write.")
WEAK = [{"where": "line 1", "what": "dull"}]


@tool
def add(first: int, second: int) -> int:
    """Adds."""
    return first + second


@tool
def broken() -> int:
    """Breaks."""
    raise RuntimeError("no battery")


async def test_a_request_holds_the_declared_inputs_and_no_more(prompts: Prompts):
    """The prompt and the schema in the system message; the task and each input, fenced, in the user's."""
    model = Scripted(json.dumps({"value": WEAK}), objective="Judge it")
    output = await run_prompt_agent(CRITIC, {"draft": "A </value> poem", "goal": [1]}, model.services, prompts=prompts)
    assert output == WEAK
    system, user = model.texts()
    assert "List what is weak." in system
    assert '"what"' in system
    assert user == (
        'Your task:\n<value name="task">\nJudge it\n</value>\n\n'
        '<value name="draft">\nA <\\/value> poem\n</value>\n\n<value name="goal">\n[\n 1\n]\n</value>'
    )
    request = model.requests[0]
    assert request.labels == {"agent": "critic", "task": "t", "purpose": "work"}
    assert request.output is not None
    assert request.output.schema["required"] == ["value"]
    assert "Weakness" in request.output.schema["$defs"]
    assert request.tools == ()


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(WEAK),
        f"```json\n{json.dumps(WEAK)}\n```",
        f"Here you are: {json.dumps({'value': WEAK})} - as asked.",
        f"I thought {{about}} it.\n```\n{json.dumps(WEAK)}\n```\nDone.",
        f'<think>maybe {{"a": 1}} or {json.dumps([*WEAK, *WEAK])}</think>{json.dumps(WEAK)}',
        f"Perhaps [] or\n[1].\n</think>\n{json.dumps(WEAK)}",
        f"As source [1] says of {{}}: {json.dumps(WEAK)}",
        '[{"where": "line 1", "what": "dull",},]',
        f"<tool_call>{json.dumps(WEAK)}</tool_call>",
    ],
)
async def test_words_and_fences_around_the_answer_are_forgiven(text: str, prompts: Prompts):
    """Thoughts, prose, fences, wrappers and trailing commas are passed over, and values that do not fit."""
    assert await run_prompt_agent(CRITIC, {}, Scripted(text).services, prompts=prompts) == WEAK


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<think>It may be <b>.</think>\n\nAn ode.", "An ode."),
        ("It may be so.\n</think>\n\nAn ode.", "An ode."),
        ("Models write <think> and </think> around thoughts.", "Models write <think> and </think> around thoughts."),
    ],
)
async def test_thoughts_are_no_part_of_a_text(text: str, said: str, prompts: Prompts):
    """What a model thinks before it speaks is not handed on; what it says of thinking is."""
    assert await run_prompt_agent(PLAIN, {}, Scripted(text).services, prompts=prompts) == said


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        ("no idea", MalformedOutput, "the answer is not JSON: 'no idea'"),
        ('[{"where": "x"}]', MalformedOutput, "[0].what: is missing"),
        ('See [1]: {"value": [{"where": "x"}]}', MalformedOutput, "[0].what: is missing"),
        ('So: [{"where": "x", "wh', MalformedOutput, "the answer stops before its JSON is closed"),
        ("<think>I wonder", MalformedOutput, "the answer is empty"),
        (ModelResponse('[{"wh', "length"), MalformedOutput, "the answer was cut off at the length limit"),
        (ModelResponse("", "refusal", refusal="I may not"), ModelRefusal, "the model declined: I may not"),
        (ModelResponse("x", "content_filter"), ModelRefusal, "a content filter cut the answer"),
    ],
)
async def test_what_is_no_answer_is_an_error_of_its_kind(
    answer: Any, error: type[ModelError], message: str, prompts: Prompts
):
    """The ladder tells them apart; the text is kept for the repair."""
    with pytest.raises(error) as caught:
        await run_prompt_agent(CRITIC, {}, Scripted(answer).services, prompts=prompts)
    assert str(caught.value).startswith(message)
    if isinstance(caught.value, MalformedOutput):
        assert caught.value.text == (answer if isinstance(answer, str) else answer.text)


async def test_an_empty_text_is_malformed(prompts: Prompts):
    """Text is taken as it comes, but there must be some."""
    with pytest.raises(MalformedOutput, match="the answer is empty"):
        await run_prompt_agent(PLAIN, {}, Scripted(" \n").services, prompts=prompts)
    assert await run_prompt_agent(PLAIN, {}, Scripted(" {text} ").services, prompts=prompts) == "{text}"


async def test_a_repair_shows_the_output_its_schema_and_the_problems(prompts: Prompts):
    """And nothing else: no inputs, no instructions, no tools, no history."""
    agent = Agent("critic", description="SECRET-A", prompt="SECRET-B", output=list[Weakness], tools=[add])
    model = Scripted(json.dumps(WEAK), objective="SECRET-C")
    output = await run_prompt_agent(
        agent, {"draft": "SECRET-D"}, model.services, prompts=prompts, mode="repair",
        previous_output=[{"where": "x"}], problems=("[0].what: is missing",),
    )  # fmt: skip
    assert output == WEAK
    request = model.requests[0]
    (message,) = request.messages
    assert (message.role, request.tools, request.labels["purpose"]) == ("user", (), "repair")
    assert "SECRET" not in str(request)
    for part in ('[{"where": "x"}]', "[0].what: is missing", '"$defs"'):
        assert part in message.content


async def test_an_output_too_large_to_be_repaired_is_not_sent(prompts: Prompts):
    """Half an output cannot be mended: no request is made, and the ladder hears why."""
    model = Scripted()
    with pytest.raises(MalformedOutput, match="too large to be repaired within 400 tokens") as caught:
        await run_prompt_agent(
            PLAIN, {}, model.services, prompts=prompts, mode="repair",
            previous_output="x" * 4_000, problems=("dull",), token_budget=400,
        )  # fmt: skip
    assert (model.requests, caught.value.text) == ([], "x" * 4_000)


async def test_every_request_for_a_schema_says_it_in_words(prompts: Prompts):
    """A server that knows no schemas is told by the messages alone: work, repair, and an agent's own question."""
    work, repair, ask = Scripted(json.dumps(WEAK)), Scripted(json.dumps(WEAK)), Scripted("[1]")
    await run_prompt_agent(CRITIC, {}, work.services, prompts=prompts)
    await run_prompt_agent(CRITIC, {}, repair.services, prompts=prompts, mode="repair", previous_output=[])
    await converse(ask.services, "Which?", output=list[int], tools=[], prompts=prompts)
    for model in (work, repair, ask):
        (request,) = model.requests
        assert request.output is not None
        _, said = request.messages[0].content.split("JSON Schema:\n")
        assert json.loads(said) == request.output.schema


async def test_tools_of_one_turn_run_and_errors_are_answered(prompts: Prompts):
    """Several calls in one turn; wrong arguments, unknown tools and failures are told to the model."""
    calls = [
        ("add", '{"first": 1, "second": 2}'),
        ("add", '{"first": "x"}'),
        ("add", "{"),
        ("broken", ""),
        ("ad", "{}"),
        ("helper", '{"q": 1}'),
    ]
    agent = Agent("a", description="d", prompt="p", tools=[add, broken, "helper"])
    model = Scripted(calls, "done")
    team = {"helper": AgentCard(name="helper", description="Helps.")}
    assert await run_prompt_agent(agent, {}, model.services, prompts=prompts, team=team) == "done"
    answers = [text.split("\n", 1)[1].removesuffix("\n</value>") for text in model.texts()[3:]]
    assert answers == [
        "3",
        IsStr(regex="error: first: input should be a valid integer, .*; got 'x'; second: is missing"),
        IsStr(regex="error: the arguments are not JSON: .*; send one JSON object"),
        "error: broken failed: RuntimeError: no battery",
        "error: there is no tool 'ad'; the tools are add, broken, helper",
        '{\n "by": "helper"\n}',
    ]
    assert [message.tool_call_id for message in model.requests[1].messages[3:]] == [f"c{index}" for index in range(6)]
    assert ("helper", {"q": 1}) in model.called


async def test_tools_are_used_in_a_bounded_number_of_turns(prompts: Prompts):
    """Then it is asked once more, its tools shown and forbidden; one that goes on is malformed."""
    agent = Agent("a", description="d", prompt="p", tools=[add])
    turn = [("add", '{"first": 1, "second": 2}')]
    model = Scripted(*[turn] * 16, "done")
    assert await run_prompt_agent(agent, {}, model.services, prompts=prompts) == "done"
    assert [request.may_call for request in model.requests] == [True] * 16 + [False]
    assert [request.tools for request in model.requests] == [(add.spec,)] * 17
    with pytest.raises(MalformedOutput, match="still called tools after 16 turns"):
        await run_prompt_agent(agent, {}, Scripted(*[turn] * 17).services, prompts=prompts)


async def test_inputs_beyond_the_budget_are_trimmed_and_can_be_read_on(prompts: Prompts):
    """Ten times the budget: each request is within it, what is cut is told, a fact at the end is found."""
    budget = 2_000
    big = "filler words here. " * 3_000 + "The code is 4711."
    middle = "other words there. " * 900
    found: list[str] = []

    def look(request: ModelRequest) -> ModelResponse:
        assert [spec.name for spec in request.tools] == ["read_input"]
        return model_call('{"name": "big", "search": "code is"}')

    def answer(request: ModelRequest) -> str:
        found.append(request.messages[-1].content)
        return "4711"

    model = Scripted(look, answer)
    inputs = {"middle": middle, "big": big, "small": "tiny"}
    assert await run_prompt_agent(PLAIN, inputs, model.services, prompts=prompts, token_budget=budget) == "4711"
    assert all(model.size(request) <= budget for request in model.requests)
    assert [(name, tokens) for name, tokens, _, _ in model.trims] == [
        ("middle", model.count(middle)),
        ("big", model.count(big)),
    ]
    assert all(kept <= 1_000 for _, _, kept, _ in model.trims)
    assert model.blobs[model.trims[1][3]].decode() == big
    assert '<value name="small">\ntiny\n</value>' in model.texts(0)[1]
    assert "4711" not in model.texts(0)[1]
    assert "The code is 4711." in found[0]


def model_call(arguments: str) -> ModelResponse:
    """A call of the reading tool."""
    return ModelResponse("", "tool_calls", (tool_call(arguments),))


def tool_call(arguments: str) -> Any:
    from agentorch.ports.model import ToolCall

    return ToolCall("c", "read_input", arguments)


async def test_the_largest_is_trimmed_first(prompts: Prompts):
    """And nothing else, when that is enough."""
    model = Scripted("ok")
    inputs = {"a": "x" * 4_000, "b": "y" * 40_000, "c": "z" * 4_000}
    await run_prompt_agent(PLAIN, inputs, model.services, prompts=prompts, token_budget=5_000)
    assert [name for name, *_ in model.trims] == ["b"]
    assert "x" * 4_000 in model.texts()[1]


class Ids(Scripted):
    """Counts blanks as nearly nothing and everything else as much; before it is ready it knows only the length."""

    def count(self, text: str) -> int:
        return len(text) - text.count(" ") if self.exact else len(text) // 10


@pytest.mark.parametrize("where", ["input", "objective", "tool"])
async def test_a_text_is_counted_to_its_end(where: str, prompts: Prompts):
    """A beginning that takes nearly no tokens says nothing about the rest: the request is within the budget."""
    text = " " * 60_000 + "7f3a9c01" * 4_000

    @tool
    def long() -> str:
        """Reads."""
        return text

    agent = Agent("a", description="d", prompt="p", tools=[long] if where == "tool" else [])
    answers: list[Any] = [[("long", "{}")], "done"] if where == "tool" else ["done"]
    model = Ids(*answers, objective=text if where == "objective" else "")
    inputs = {"ids": text} if where == "input" else {"large": "x " * 3_000}
    await run_prompt_agent(agent, inputs, model.services, prompts=prompts, token_budget=5_000)
    assert all(model.size(request) <= 5_000 for request in model.requests)


async def test_the_first_prompt_waits_for_exact_counts(prompts: Prompts):
    """An estimate decides nothing that it may be wrong about; a prompt that fits by its bytes waits for nothing."""
    model = Ids("done")
    await run_prompt_agent(PLAIN, {"ids": "7f3a9c01" * 1_000}, model.services, prompts=prompts, token_budget=5_000)
    assert (model.exact, model.size(model.requests[0]) <= 5_000) == (True, True)
    small = Ids("done")
    await run_prompt_agent(PLAIN, {"ids": "7f3a9c01"}, small.services, prompts=prompts, token_budget=5_000)
    assert not small.exact


async def test_reading_goes_on_page_by_page(prompts: Prompts):
    """With offset and limit; the end is said; wrong arguments are answered."""
    text = "".join(f"{number:05d}" for number in range(10_000))
    asked = [
        '{"name": "a", "offset": 100, "limit": 10}',
        '{"name": "a", "offset": 49990}',
        '{"name": "a", "offset": "x"}',
        '{"name": "b"}',
        "{}",
        '{"name": "a", "search": "none"}',
        '{"name": "a", "offset": 0}',
    ]
    model = Scripted(*[model_call(arguments) for arguments in asked], "done")
    await run_prompt_agent(PLAIN, {"a": text}, model.services, prompts=prompts, token_budget=4_000)
    answers = [request.messages[-1].content for request in model.requests[1:]]
    assert "characters 100 to 110 of 50000 (read on with offset=110):\n0002000021\n" in answers[0]
    assert "(this is the end):\n0999809999\n" in answers[1]
    assert "'offset' and 'limit' are whole numbers" in answers[2]
    assert "error: no value 'b' is shown in part; they are a" in answers[3]
    assert "error: 'name' is missing; the values are a" in answers[4]
    assert "'none' does not stand in its 50000 characters" in answers[5]
    assert text[:1_000] in answers[6]
    assert all(model.size(request) <= 4_000 for request in model.requests)


async def test_long_answers_of_tools_are_cut_and_the_oldest_dropped(prompts: Prompts):
    """So that the conversation stays within the budget however long it gets."""

    @tool
    def long(page: int) -> str:
        """Reads a page."""
        return f"page {page} " * 2_000

    agent = Agent("a", description="d", prompt="p", tools=[long])
    model = Scripted(*[[("long", f'{{"page": {page}}}')] for page in range(6)], "done")
    assert await run_prompt_agent(agent, {}, model.services, prompts=prompts, token_budget=2_000) == "done"
    assert all(model.size(request) <= 2_000 for request in model.requests)
    last = model.texts()
    assert any(text.startswith("[dropped to save room") for text in last)
    assert "page 5" in last[-1]
    assert [name for name, *_ in model.trims][:2] == ["long_answer", "long_answer_2"]


async def test_a_budget_too_small_for_the_frame_is_told(prompts: Prompts):
    """With the numbers."""
    with pytest.raises(PermanentError, match=r"agent 'plain': .* more than the budget of 50 tokens"):
        await run_prompt_agent(PLAIN, {"a": "x" * 9_000}, Scripted().services, prompts=prompts, token_budget=50)


async def test_an_input_that_looks_like_a_blob_reference_is_shown_as_it_is(prompts: Prompts):
    """Large inputs have been read before; what is left is a value, and no blob is put into the prompt for it."""
    model = Scripted("ok")
    name = await model.put_blob(b'{"secret": [1]}')
    await run_prompt_agent(PLAIN, {"a": blob_ref(name, 13)}, model.services, prompts=prompts)
    assert name in model.texts()[1]
    assert "secret" not in model.texts()[1]


async def test_converse_asks_for_a_type(prompts: Prompts):
    """`context.model`: the prompt as it is, the answer in its type, tools by the way."""
    model = Scripted([("add", '{"first": 1, "second": 2}')], '{"where": "a", "what": "b"}')
    answer = await converse(model.services, "Where?", output=Weakness, tools=[add], prompts=prompts)
    assert answer == Weakness(where="a", what="b")
    assert model.texts(0)[0].startswith("Where?\n")
    assert model.requests[0].labels == {"agent": "critic", "task": "t", "purpose": "ask"}
    assert await converse(Scripted("hi").services, "p", output=str, tools=[], prompts=prompts) == "hi"


@pytest.mark.parametrize(("words", "calls", "exact"), [(2_000, 1, True), (120, 12, True), (20, 1, False)])
async def test_nothing_is_cut_or_dropped_by_an_estimate(words: int, calls: int, exact: bool, prompts: Prompts):
    """A continued attempt, which may count exactly from the start, must ask the model the same."""

    @tool
    def long() -> str:
        """Reads."""
        return "x " * words

    model = Ids(*[[("long", "{}")]] * calls, "done")
    agent = Agent("a", description="d", prompt="p", tools=[long])
    await run_prompt_agent(agent, {}, model.services, prompts=prompts, token_budget=3_000)
    assert model.exact == exact
