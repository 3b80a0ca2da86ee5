"""Models and servers that answer anything: the run always ends, with a status and its problems in words.

Virtual time: what waits for a silence or a back-off takes no real time.
"""

import asyncio
import json
from typing import Any, Final

import pytest

from agentorch import Agent, Context, Orchestrator, Outcome, Plan, Policy, agent, tool
from agentorch.models.assembly import LONGEST
from agentorch.ports.model import MOST_CALLS, ToolCall
from agentorch.runtime.outcome import OutcomeStatus
from agentorch.testing.clock import LoopClock
from agentorch.testing.fake_openai import Answer, FakeOpenAI, Raw, Say

pytestmark = pytest.mark.looptime


@tool
def search(words: str) -> str:
    """Searches."""
    return f"found {words}"


TEXT: Final = Agent("texter", description="Writes a text.", prompt="Write.", tools=[search])
FIELDS: Final = Agent(
    "fielder", description="Fills fields.", prompt="Fill.", output={"name": "string", "size": "integer"}
)


@agent(description="Asks the model itself.")
async def asker(context: Context) -> list[str]:
    return await context.model("List three words.", output=list[str], tools=[search])


def event(**choice: Any) -> bytes:
    """Return a piece of a stream with this choice in it."""
    return b"data: " + json.dumps({"choices": [{"index": 0, **choice}]}).encode() + b"\n\n"


def stream(*pieces: Any, **more: Any) -> Raw:
    """Return a stream of these pieces as they are, and its proper end."""
    lines = [
        piece if isinstance(piece, bytes) else b"data: " + json.dumps(piece).encode() + b"\n\n" for piece in pieces
    ]
    return Raw([*lines, event(delta={}, finish_reason="stop"), b"data: [DONE]\n\n"], **more)


def call(count: int, name: str = "search", arguments: str = '{"words": "x"}') -> Say:
    return Say(tool_calls=[ToolCall(f"c{number}", name, arguments) for number in range(count)])


DEEP: Final = b'{"choices":' + b"[" * 100_000
GARBAGE: Final[dict[str, Answer]] = {
    "nothing": Say(""),
    "blanks": Say(" \n\t\u2028 "),
    "a thought": Say("<think>I should say something.</think>"),
    "half a plan": Say('{"tasks": [{"id": "a", "agent": "text'),
    "another shape": Say('{"value": [1, {"tasks": null}], "answer": 5}'),
    "null": Say("null"),
    "deep": Say("[" * 50_000 + "]" * 50_000),
    "deep and wrapped": Say('{"value": ' * 5_000 + "1" + "}" * 5_000),
    "a long integer": Say("9" * 100_000),
    "not a number": Say('{"name": NaN, "size": Infinity}'),
    "controls": Say("\x00\x1b]0;x\x07\x9b2J\u202e\ufffe"),
    "too long": Say(pieces=["word " * 400_000] * (LONGEST // 2_000_000 + 1)),
    "a refusal": Say(refusal="I would rather not.\nReally."),
    "an empty refusal": Say(refusal=""),
    "filtered": Say("half a", finish_reason="content_filter"),
    "cut off": Say("half a", finish_reason="length"),
    "an odd end": Say("all of it", finish_reason="banana"),
    "calls without end": call(1),
    "malformed arguments": call(3, arguments='{"words": '),
    "arguments of another shape": call(2, arguments='[["words"]]'),
    "deep arguments": call(1, arguments='{"words": ' + "[" * 100_000),
    "unknown tools": call(2, name="rm -rf /\n"),
    "tools without a name": call(2, name=""),
    "thousands of calls": call(5_000),
    "bytes that are no text": stream(b'data: {"choices": [{"delta": {"content": "\xff\xfe\xc3"}}]}\n\n'),
    "half a character": stream(b'data: {"choices": [{"index": 0, "delta": {"content": "\\ud800"}}]}\n\n'),
    "no JSON": stream(b"data: <html>\n\n"),
    "no fields": stream(b"\x00\x01\x02\n\n: comment\n\nfield\n\n"),
    "a number": stream(5),
    "a list": stream([1, 2]),
    "nothing but the end": Raw([b"data: [DONE]\n\n"]),
    "no bytes": Raw([]),
    "choices are text": stream({"choices": "many"}),
    "choices are numbers": stream({"choices": [1, None]}),
    "a delta that is a number": stream(event(delta=7)),
    "content that is a list": stream(event(delta={"content": ["a", "b"]})),
    "content that is a number": stream(event(delta={"content": 5})),
    "calls that are text": stream(event(delta={"tool_calls": "search"})),
    "a call without a function": stream(event(delta={"tool_calls": [{"index": 0, "id": "x"}]})),
    "an index that is text": stream(event(delta={"tool_calls": [{"index": "first", "function": {"name": "search"}}]})),
    "a name that is an object": stream(event(delta={"tool_calls": [{"index": 0, "function": {"name": {}}}]})),
    "an end that is an object": stream(event(delta={"content": "x"}, finish_reason={"why": 1})),
    "usage that is text": stream({"choices": [], "usage": "little"}, event(delta={"content": "x"})),
    "usage below nothing": stream({"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": 10**30}}),
    "an error of another shape": stream({"error": [1]}),
    "a model that is a list": stream({"model": ["x"], "choices": []}),
    "a body that is a list": Raw([b"[1]"], content_type="application/json"),
    "a body that is deep": Raw([DEEP], content_type="application/json"),
    "a body with odd choices": Raw([b'{"choices": [5, {"message": "x"}]}'], content_type="application/json"),
    "a body that is no text": Raw([b"\xff\xfe"], content_type="application/json"),
    "a page": Raw([b"<html>Sign in</html>"], content_type="text/html"),
    "empty pieces without end": Raw([], forever=event(delta={}), delay=0.5),
    "single letters without end": Raw([], forever=event(delta={"content": "x"}), delay=0.5),
    "comments without end": Raw([], forever=b": still here\n\n", delay=0.5),
    "a line without end": Raw([b"data: "], forever=b"x" * 100, delay=0.5),
    "silence": Say(pieces=["a", "b"], stall_after=1),
}  # fmt: skip


def plan() -> Plan:
    plan = Plan("Write.")
    plan.add("text", agent="texter")
    plan.add("fields", agent="fielder")
    plan.add("own", agent="asker")
    return plan


async def outcome_of(answer: Answer, what: str | Plan, *, planner: str | None = None) -> tuple[Outcome, FakeOpenAI]:
    policy = Policy(timeout=40, silence=20, replans=1)
    async with FakeOpenAI(otherwise=answer) as server:
        options: dict[str, Any] = {"model": server.model(), "policy": policy, "clock": LoopClock(), "planner": planner}
        async with Orchestrator([TEXT, FIELDS, asker], **options) as orchestrator:
            return await orchestrator.run(what), server


def assert_ended(outcome: Outcome) -> None:
    """It has a status; whatever is not whole says why, each in one line that can be shown."""
    assert outcome.status in {OutcomeStatus.SUCCEEDED, OutcomeStatus.PARTIAL, OutcomeStatus.FAILED}, outcome.problems
    assert outcome.status is OutcomeStatus.SUCCEEDED or outcome.problems
    for problem in outcome.problems:
        assert problem.message.strip()
        assert len(problem.message) <= 5_000
        assert "Traceback" not in problem.message
        assert not any("\ud800" <= letter <= "\udfff" for letter in problem.message)


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_a_run_ends_whatever_its_models_say(answer: Answer) -> None:
    """A text agent with tools, one with fields, and an agent that asks by itself."""
    outcome, server = await outcome_of(answer, plan(), planner="rules")
    assert_ended(outcome)
    assert len(server.requests) <= 200


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=GARBAGE)
async def test_a_goal_is_planned_whatever_the_planner_says(answer: Answer) -> None:
    """A planner of garbage gives way to the rules; the run ends with a status and words."""
    outcome, _ = await outcome_of(answer, "Write a text about buses.", planner="model")
    assert_ended(outcome)
    assert outcome.plan.tasks


async def test_a_planner_that_never_stops_talking_is_left() -> None:
    """Every letter is a sign of life; after ten times its silence the rules plan all the same."""
    began = asyncio.get_running_loop().time()
    outcome, _ = await outcome_of(GARBAGE["single letters without end"], "Write about buses.", planner="model")
    assert outcome.plan.tasks
    assert asyncio.get_running_loop().time() - began < 1_000


async def test_letter_by_letter_is_an_answer_like_any_other() -> None:
    """A stream of one-character deltas is whole at its end."""
    text = "Ünï-cødé \U0001f600 " * 100
    one = Plan("Write.")
    one.add("text", agent="texter")
    outcome, server = await outcome_of(Say(pieces=list(text)), one)
    assert (outcome.answer, len(server.requests)) == (text.strip(), 1)


async def test_too_many_calls_are_not_carried_out() -> None:
    """As many as may be are answered; one more, and none is."""
    counted: list[str] = []

    @tool
    def count(words: str) -> str:
        """Counts."""
        counted.append(words)
        return "ok"

    worker = Agent("worker", description="Works.", prompt="Work.", tools=[count])
    one = Plan("Work.")
    one.add("work", agent=worker)
    calls = call(MOST_CALLS, "count")
    policy = Policy(attempts=1, repairs=0, replans=0)
    answers = (calls, Say("done"), call(MOST_CALLS + 1, "count"))
    async with FakeOpenAI(*answers) as server:  # noqa: SIM117  # in the order in which they are left
        async with Orchestrator([worker], model=server.model(), policy=policy, clock=LoopClock()) as orchestrator:
            fine = await orchestrator.run(one)
            most = len(counted)
            over = await orchestrator.run(one)
    assert (fine.answer, most, len(counted)) == ("done", MOST_CALLS, MOST_CALLS)
    assert over.status is not OutcomeStatus.SUCCEEDED
    assert "more than 128 tool calls" in over.problems[0].message
