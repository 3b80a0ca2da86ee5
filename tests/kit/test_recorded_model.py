"""A model that is recorded once is replayed by what it is asked, and says what has changed."""

import asyncio
import json
import multiprocessing
from pathlib import Path
from typing import Any

import anyio
import pytest

from agentorch import Agent, Judge, Orchestrator, Plan, agent
from agentorch.core.usage import Usage
from agentorch.errors import ConfigurationError, FailureKind, ModelError
from agentorch.ports.model import Message, ModelRequest, OutputSchema, ToolCall, ToolSpec
from agentorch.runtime.outcome import Outcome
from agentorch.testing import FakeOpenAI, RecordedModel, RecordingMiss, Reply, Say, ScriptedModel, ScriptMiss

poet = Agent("poet", description="Writes odes.", prompt="Write an ode to the topic.")
critic = Agent("critic", description="Judges odes.", prompt="Judge the ode.")


def ask(text: str = "Hello?", **labels: str) -> ModelRequest:
    return ModelRequest((Message("user", text),), labels=labels)


def written(path: Path) -> str:
    return path.read_text("utf-8")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written(path).splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "answers.jsonl"


async def run_odes(model: Any, *, delays: tuple[float, float] = (0, 0)) -> Outcome:
    """Two odes, each after its delay, and a judgement of each."""
    waits: dict[str, float] = dict(zip(("buses", "queues"), delays, strict=True))

    @agent(description="Waits.")
    async def waiter(topic: str) -> str:
        await anyio.sleep(waits[topic])
        return topic

    plan = Plan("Two odes")
    for topic in waits:
        chosen = plan.add(f"wait-{topic}", agent=waiter, inputs={"topic": topic})
        ode = plan.add(f"ode-{topic}", agent=poet, inputs={"topic": chosen})
        plan.add(f"judge-{topic}", agent=critic, inputs={"ode": ode})
    async with Orchestrator([waiter, poet, critic], model=model) as orchestrator:
        return await orchestrator.run(plan)


@pytest.mark.looptime
async def test_a_run_is_recorded_once_and_replayed_in_any_order(path: Path) -> None:
    """From a server, streamed; without one afterwards, whichever task asks first."""

    def speak(body: dict[str, Any]) -> Say:
        asked = str(body["messages"][-1]["content"])
        said = "good" if "ode" in asked else "To buses" if ">\nbuses" in asked else "To queues"
        return Say(pieces=[said[:3], said[3:]])

    async with FakeOpenAI(otherwise=speak) as server:
        live = await run_odes(RecordedModel(path, server.model(api_key="sk-" + "a1" * 20)))
    assert len(server.requests) == 5
    assert live.outputs["ode-buses"] == "To buses"

    replayed = RecordedModel(path)
    again = await run_odes(replayed, delays=(0.5, 0))
    unused = RecordedModel(path, mode="replay").never_replayed()
    assert (dict(again.outputs), again.usage.tokens) == (dict(live.outputs), live.usage.tokens)
    tasks = [one["labels"]["task"] for one in lines(path)]
    assert tasks == ["answer", "judge-buses", "judge-queues", "ode-buses", "ode-queues"]
    assert "a1a1" not in written(path)
    assert (replayed.never_replayed(), len(unused)) == ([], 5)


PLAN = {
    "tasks": [
        {"id": "ode", "agent": "poet", "objective": "", "inputs": [{"name": "topic", "value": "$goal"}], "needs": []}
    ],
    "answer": "$ode",
}


async def test_every_prompt_is_the_same_in_the_next_run(path: Path) -> None:
    """Of planner, agent, repair and judge: no time, no nonce and no run's id is in any."""
    verdicts: list[Any] = [{"accepted": False, "problems": ["It is short."]}, {"accepted": True, "problems": []}]
    script = ScriptedModel().on(PLAN, purpose="plan").on(verdicts, purpose="judge").on("Ode", agent="poet")
    judges = [Judge("It is long.", name="length")]
    for model in (RecordedModel(path, script), replayed := RecordedModel(path)):
        async with Orchestrator([poet], model=model, planner="model", validators=judges) as orchestrator:
            outcome = await orchestrator.run("Buses")
        assert outcome.answer == "Ode", outcome.problems
    assert {one["labels"]["purpose"] for one in lines(path)} == {"plan", "work", "repair", "judge"}
    assert (replayed.never_replayed(), replayed.misses) == ([], [])


async def test_the_same_request_gives_its_answers_in_turn(path: Path) -> None:
    """The n-th time of one request is its n-th answer, whatever else is asked between."""
    recorded = RecordedModel(path, ScriptedModel({"a": ["a1", "a2"], "b": ["b1"]}))
    assert [(await recorded.complete(ask(text))).text for text in "aba"] == ["a1", "b1", "a2"]

    replayed = RecordedModel(path)
    assert [(await replayed.complete(ask(text))).text for text in "baa"] == ["b1", "a1", "a2"]
    with pytest.raises(RecordingMiss, match="recorded 2 times, and is asked for once more"):
        await replayed.complete(ask("a"))


@pytest.mark.looptime
async def test_recording_at_the_same_time(path: Path) -> None:
    """Requests that overlap lose no answer, and answers are their own."""
    script = {name: [Reply(f"{name}{n}", delay=3 - n) for n in range(3)] for name in "abc"}
    recorded = RecordedModel(path, ScriptedModel(script))
    live = await asyncio.gather(*(recorded.complete(ask(name)) for name in "abcabcabc"))

    replayed = RecordedModel(path)
    again = [(await replayed.complete(ask(name))).text for name in "aaabbbccc"]
    assert sorted(again) == sorted(answer.text for answer in live)
    assert [text[0] for text in again] == [*"aaabbbccc"]


async def test_pieces_calls_and_usage_are_replayed(path: Path) -> None:
    """What the run sees is what it saw: deltas, tool calls, refusals, tokens and money."""
    replies = [
        Reply(pieces=["An ", "ode", "."], usage=Usage(7, 3, calls=1, money=0.25)),
        Reply(tool_calls=[ToolCall("1", "search", '{"q": "buses"}')]),
        Reply(refusal="No."),
    ]
    seen: list[str] = []
    recorded = RecordedModel(path, ScriptedModel(replies))
    live = [await recorded.complete(ask(str(n)), on_delta=seen.append) for n in range(3)]

    heard: list[str] = []
    replayed = RecordedModel(path)
    assert [await replayed.complete(ask(str(n)), on_delta=heard.append) for n in range(3)] == live
    assert heard == seen == ["An ", "ode", "."]
    assert replayed.priced
    assert replayed.cost(Usage(1, 1)) is None


async def test_a_model_that_knows_its_price_is_recorded_with_it(path: Path) -> None:
    """So that a replayed run costs what it cost."""

    class Priced(ScriptedModel):
        def cost(self, usage: Usage) -> float:
            return usage.tokens * 0.5

    recorded = RecordedModel(path, Priced([Reply("x", usage=Usage(6, 4))]))
    await recorded.complete(ask())
    assert (await RecordedModel(path).complete(ask())).usage.money == 5.0
    assert recorded.cost(Usage(1, 1)) == 1.0
    await recorded.close()


@pytest.mark.parametrize(
    "changed",
    [
        ModelRequest((Message("user", "Hi?"),), labels={"task": "t"}),
        ModelRequest((Message("user", "Hello?"),), labels={"task": "u"}),
        ModelRequest((Message("user", "Hello?"),), (ToolSpec("f", "", {}),), labels={"task": "t"}),
        ModelRequest((Message("user", "Hello?"),), output=OutputSchema("o", {"type": "string"}), labels={"task": "t"}),
    ],
    ids=["text", "task", "tools", "schema"],
)
async def test_a_changed_request_is_a_miss_that_says_what_changed(path: Path, changed: ModelRequest) -> None:
    """Loud, with the nearest recording, the difference, and how to record again."""
    await RecordedModel(path, ScriptedModel(["x", "y"])).complete(ask(task="t"))
    replayed = RecordedModel(path, ScriptedModel(), mode="replay")
    with pytest.raises(ScriptMiss) as raised:
        await replayed.complete(changed)
    assert raised.value.kind is FailureKind.UNCONFIGURED
    assert "the nearest recording (task 't') differs so:" in str(raised.value)
    assert "pytest --agentorch-network" in str(raised.value)
    assert replayed.misses == [str(raised.value)]
    if changed.labels == {"task": "t"}:
        assert "    --- recorded\n    +++ asked now" in str(raised.value)


async def test_a_model_is_opened_by_its_name_when_something_is_recorded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the key and the address that the environment gives; a replay needs neither."""
    async with FakeOpenAI(Say("An ode.")) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-fake-key")
        recorded = RecordedModel(path, "gpt-5-mini")
        live = await recorded.complete(ask())
        await recorded.close()
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("OPENAI_API_KEY")
    replayed = await RecordedModel(path, "gpt-5-mini").complete(ask())
    assert (live.text, replayed.text) == ("An ode.", "An ode.")
    assert (replayed.usage.tokens, replayed.usage.unpriced) == (15, 1)  # nobody knows what this server costs


async def test_an_empty_recording_says_so(path: Path) -> None:
    """Nothing is near; the line that records it names the model, where one was named; and nothing was written."""
    with pytest.raises(
        RecordingMiss, match=r"it holds no recordings\nrecord it: .*, 'the name of a model'\) with its key"
    ):
        await RecordedModel(path).complete(ask())
    with pytest.raises(RecordingMiss, match=r"record it: .*, 'gpt-5-mini'\) with its key"):
        await RecordedModel(path, "gpt-5-mini", mode="replay").complete(ask())
    assert [*path.parent.parent.glob("*/*.jsonl")] == []


async def test_what_changes_by_itself_is_no_part_of_the_request(path: Path) -> None:
    """Ids of runs, what `ignore` names, and secrets, which are not written either."""
    options: dict[str, Any] = {"ignore": [r"\d{4}-\d\d-\d\d"], "secrets": {"PIN": "hunter2"}}
    first = "Run 01a224cf-6063-7529-b19c-502f8ab8b80c of 2026-11-29: hunter2"
    await RecordedModel(path, ScriptedModel(["an answer with hunter2"]), **options).complete(ask(first))

    second = "Run 01a3185c-5000-76ef-8bc6-f219ef0232d6 of 2027-01-01: hunter2"
    assert (await RecordedModel(path, **options).complete(ask(second))).text == "an answer with [redacted:PIN]"
    assert "hunter2" not in written(path)
    assert "01a224cf" not in written(path)


async def test_one_pattern_is_not_split_into_letters(path: Path) -> None:
    """A text is one pattern, as a list of one is."""
    await RecordedModel(path, ScriptedModel(["x"]), ignore="today").complete(ask("A toad, today"))
    assert lines(path)[0]["request"] == "[user] A toad, [ignored]"


ODD_KEY = "my-very-odd-key-123456"


async def test_the_key_of_the_model_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes it: a request, its labels, an answer; a replay that knows the key finds the answer."""
    request = ask(f"Is it {ODD_KEY}?", task=f"t-{ODD_KEY}")
    call = ToolCall(f"1-{ODD_KEY}", f"f-{ODD_KEY}", json.dumps({"q": ODD_KEY}))

    class Keyed(ScriptedModel):
        secrets = (ODD_KEY,)

    answers = [Reply(f"It is {ODD_KEY}", tool_calls=[call], refusal=f"Not {ODD_KEY}")]
    await RecordedModel(path, Keyed(answers)).complete(request)
    async with FakeOpenAI(Say(f"Yes, {ODD_KEY}")) as server:
        await RecordedModel(path, server.model(api_key=ODD_KEY)).complete(ask(f"Really {ODD_KEY}?"))
    assert ODD_KEY not in written(path)

    found = await RecordedModel(path, Keyed(), mode="replay").complete(request)
    assert (found.text, found.refusal) == ("It is [redacted:api-key]", "Not [redacted:api-key]")
    with pytest.raises(RecordingMiss, match="redacted:api-key"):  # nobody says what the key was
        await RecordedModel(path).complete(request)
    monkeypatch.setenv("OPENAI_API_KEY", ODD_KEY)
    assert (await RecordedModel(path, "gpt-5-mini", mode="replay").complete(request)).text == found.text
    monkeypatch.setenv("OPENAI_BASE_URL", "nowhere")  # a wrong one is told when it is used
    await RecordedModel(path, "gpt-5-mini", mode="replay", secrets={"api-key": ODD_KEY}).complete(request)


@pytest.mark.parametrize("text", ["a\u2028b", "a\u0085b", "a\r\n\x0cb\n", "a\ud83d", "\udc00\\ud800"], ids=ascii)
async def test_any_text_is_recorded(path: Path, text: str) -> None:
    """Of questions and of answers: signs that end a line somewhere, and halves of characters."""
    recorded = RecordedModel(path, ScriptedModel([text, "next"]))
    await recorded.complete(ask(text, task=text))
    await recorded.complete(ask("Next?"))
    replayed = RecordedModel(path)
    assert (await replayed.complete(ask(text, task=text))).text == text
    assert (await replayed.complete(ask("Next?"))).text == "next"


async def test_record_replaces_what_the_same_requests_had(path: Path) -> None:
    """And keeps all others."""
    await gather_in_turn(RecordedModel(path, ScriptedModel({"a": ["1", "2"], "b": "3"})), "aab")
    await gather_in_turn(RecordedModel(path, ScriptedModel(["new"]), mode="record"), "a")
    assert sorted(one["answer"]["text"] for one in lines(path)) == ["3", "new"]

    auto = RecordedModel(path, ScriptedModel(["more"]))
    assert await gather_in_turn(auto, "aa") == ["new", "more"]
    assert len(lines(path)) == 3


async def gather_in_turn(model: RecordedModel, texts: str) -> list[str]:
    return [(await model.complete(ask(text))).text for text in texts]


async def test_what_goes_wrong_is_not_recorded(path: Path) -> None:
    """The next try is the first answer."""
    recorded = RecordedModel(path, ScriptedModel([ModelError("busy", kind=FailureKind.TRANSIENT), "fine"]))
    with pytest.raises(ModelError, match="busy"):
        await recorded.complete(ask())
    assert (await recorded.complete(ask())).text == "fine"
    assert (await RecordedModel(path).complete(ask())).text == "fine"


def record_many(path: str, name: str) -> None:
    """Record ten answers, in a process of its own."""

    async def main() -> None:
        model = RecordedModel(path, ScriptedModel({name: name}))
        for number in range(10):
            await model.complete(ask(f"{name}{number}"))

    anyio.run(main)


def test_processes_that_record_into_one_file_lose_nothing(path: Path) -> None:
    """As the workers of a parallel test run."""
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=record_many, args=(str(path), name)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(lines(path)) == 30
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_what_cannot_be_used_is_told(path: Path) -> None:
    """A wrong mode, a recording without a model, a line that is no recording."""
    with pytest.raises(ConfigurationError, match="it can be auto, replay, record"):
        RecordedModel(path, mode="rewind")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match=r"ignore='\(' is no regular expression: .*re\.escape"):
        RecordedModel(path, ignore=["x", "("])
    with pytest.raises(ConfigurationError, match="needs the model"):
        RecordedModel(path, mode="record")
    path.parent.mkdir()
    for line in ('{"key": 1}\n', '{"key": \n', "\n"):
        path.write_text(line, "utf-8")
        with pytest.raises(ConfigurationError, match=r"answers\.jsonl:1: this is no recording"):
            RecordedModel(path)
    path.write_bytes(b"\xff\xfe")
    for place in (path, path.parent):
        with pytest.raises(ConfigurationError, match=r"no recordings can be read there: .*; give a file of them"):
            RecordedModel(place)
