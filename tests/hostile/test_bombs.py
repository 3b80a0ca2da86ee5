"""Small inputs that want to become large, and large ones that want to stay: refused in words, or kept as blobs."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from agentorch import Orchestrator, Plan, Policy, agent
from agentorch.core.values import BLOB_BYTES
from agentorch.documents import DocumentError, json_values, read_json, read_yaml
from agentorch.errors import AgentFileError
from agentorch.events import TaskSucceeded
from agentorch.loading import load_team
from agentorch.messages.envelope import decode
from agentorch.planning.streaming import TaskStream
from agentorch.runtime.outcome import OutcomeStatus

LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [{(f'*{old}, ' * 9)}*{old}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMBS: dict[str, str] = {
    "laughs": LAUGHS,
    "a merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    "a loop": "a: &a [*a]\n",
    "deep lists": "a: " + "[" * 30_000,
    "deep mappings": "a: " + "{a: " * 20_000,
    "deep blocks": "\n".join(" " * level + "a:" for level in range(300)),
    "deep dashes": "- " * 30_000,
    "questions": "? " * 30_000,
    "an object": "!!python/object/apply:os.system ['true']",
    "a name": "a: !!python/name:os.system",
    "a long integer": "a: " + "9" * 60_000,
    "a large float": "a: 1e99999",
    "too long": "a: " + "x" * 70_000,
    "twice": "a: 1\na: 2\n",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_yaml_bombs_are_refused(text: str, tmp_path: Path) -> None:
    """Aliases, tags, depth, digits, length: refused in one line, in front matter too, and in little memory."""
    tracemalloc.start()
    with pytest.raises(DocumentError) as refused:
        read_yaml(text)
    (tmp_path / "bomb.md").write_text(f"---\n{text}\ndescription: d\n---\nDo.\n", encoding="utf-8")
    with pytest.raises(AgentFileError):
        load_team([tmp_path / "bomb.md"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(str(refused.value).splitlines()) == 1
    assert peak < 50 * len(text) + 5_000_000


@pytest.mark.parametrize(
    "text",
    ["[" * 5_000_000, '{"a":' * 1_000_000, "9" * 5_000_000, "1e400", "NaN", '{"a": 1, "a": 2}', "1" * 17_000_000],
)
def test_json_bombs_are_refused(text: str) -> None:
    """Depth, digits, infinity, keys that appear twice, length: DocumentError in one line."""
    with pytest.raises(DocumentError) as refused:
        read_json(text)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        '{"a":' * 50_000,
        "[{" * 100_000,
        '"' * 1_000_000,
        "```json\n" * 100_000,
        "<think>" * 200_000,
        "[1]," * 300_000,
    ],
)
def test_model_text_is_read_in_one_pass(text: str) -> None:
    """Megabytes of brackets, quotes, fences and thoughts: read at once, and piece by piece, within the test's time."""
    assert len(list(json_values(text))) <= 100
    stream = TaskStream()
    assert all(not stream.feed(text[start : start + 1_000]) for start in range(0, len(text), 1_000))


@agent(description="Gives a lot.", attempts=1)
async def giver(count: int) -> str:
    return "x" * count


@agent(description="Measures.")
async def measure(text: str) -> int:
    return len(text)


@pytest.mark.timeout(240)  # a busy machine takes its time for so much
@pytest.mark.parametrize("count", [10_000_000, 100_000_000])
async def test_huge_outputs_are_blobs(count: int, tmp_path: Path) -> None:
    """10 MB and 100 MB: one blob, a reference of a hundred bytes in the journal, and the whole value downstream."""
    plan = Plan("Much.")
    plan.add("much", agent=giver, inputs={"count": count})
    plan.add("long", agent=measure, inputs={"text": "$much"})
    async with Orchestrator([giver, measure], journal=tmp_path / "runs.db") as orchestrator:
        run = await orchestrator.submit(plan)
        events = [event async for event in run]
        outcome = await run.outcome()
    assert outcome.answer == count
    assert [len(event.model_dump_json()) < 2_000 for event in events if isinstance(event, TaskSucceeded)] == [
        True,
        True,
    ]
    assert sum(len(event.model_dump_json()) for event in events) < BLOB_BYTES


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [90, 200, 255, 300, 600, 900, 990, 5_000, 100_000])
@pytest.mark.parametrize("sqlite", [False, True], ids=["memory", "sqlite"])
async def test_deep_outputs_end_their_task_at_most(levels: int, sqlite: bool, tmp_path: Path) -> None:
    """A value of any depth is kept whole, or is its task's failure in words; the run beside it goes on."""

    @agent(description="Gives depth.", attempts=1)
    async def digger() -> Any:
        return nested(levels)

    @agent(description="Takes it.", attempts=1)
    async def taker(value: Any) -> int:
        count = 0
        while value != 1:
            value, count = value[0], count + 1
        return count

    plan = Plan("Deep.")
    plan.add("dig", agent=digger)
    plan.add("take", agent=taker, inputs={"value": "$dig"})
    plan.add("beside", agent=measure, inputs={"text": "four"})
    journal = tmp_path / "runs.db" if sqlite else None
    async with Orchestrator(
        [digger, taker, measure], journal=journal, policy=Policy(replans=0, repairs=0)
    ) as orchestrator:
        outcome = await orchestrator.run(plan)
    assert outcome.outputs["beside"] == 4
    if "dig" in outcome.outputs:
        assert outcome.outputs["take"] == levels
    else:
        assert outcome.status is OutcomeStatus.PARTIAL
        assert outcome.problems[0].task == "dig"
    assert levels > 200 or "dig" in outcome.outputs


def test_envelopes_of_any_depth_are_refused() -> None:
    """A bus that hands over brackets without end."""
    for data in (b"[" * 1_000_000, b'{"type": "Work", "data": ' + b"[" * 100_000, b"9" * 1_000_000):
        with pytest.raises(Exception, match="envelope") as refused:
            decode(data)
        assert type(refused.value).__name__ == "BusError"
