"""The context, over services that only write down what they are asked."""

from pathlib import Path
from typing import Any, cast

import pytest

from agentorch.agents import Artifact, Context, agent
from agentorch.core.task import Task
from agentorch.core.usage import Budget
from agentorch.core.values import blob_ref
from agentorch.errors import FileAccessError
from agentorch.ports.services import Services


class Recording:
    """Services that answer every question with the same and keep it."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.asked: list[Any] = []
        self.task = Task("t", "a")
        self.key = "r/t/1/1/1"
        self.run_id = "r"
        self.attempt = 2
        self.budget = Budget(max_calls=3)
        self.deadline = 5.0
        self.idempotency_key = "r/t"
        self.blobs: dict[str, bytes] = {}

    def check(self) -> None:
        pass

    async def call(self, name: str, inputs: Any) -> Any:
        self.asked.append(("call", name, inputs))
        return self.answer

    async def converse(self, prompt: str, *, output: Any, tools: Any) -> Any:
        self.asked.append(("converse", prompt, output, tools))
        return self.answer

    async def use(self, tool: Any, arguments: Any) -> Any:
        self.asked.append(("use", tool, arguments))
        return self.answer

    async def step(self, name: str, function: Any, *args: Any) -> Any:
        return function(*args)

    async def ask(self, question: str, schema: Any) -> Any:
        self.asked.append(("ask", question, schema))
        return self.answer

    def report(self, text: str) -> None:
        self.asked.append(text)

    async def put_blob(self, data: bytes) -> str:
        self.blobs["0" * 64] = data
        return "0" * 64

    async def get_blob(self, sha256: str) -> bytes:
        return self.blobs[sha256]


def _context(services: Recording) -> Context:
    return Context(cast("Services", services))


@agent(description="d")
def counting(text: str) -> dict[str, set[int]]:
    return {text: {1}}


async def test_calling_an_agent_revives_its_output():
    """By the agent itself; by name the output stays JSON. Inputs travel as JSON."""
    services = Recording({"a": [1]})
    context = _context(services)
    assert await context.call(counting, text=Path("x")) == {"a": {1}}
    assert await context.call("counting", text="x") == {"a": [1]}
    assert services.asked == [("call", "counting", {"text": "x"})] * 2


async def test_services_are_passed_on():
    """Model, tool, step, question and report."""
    services = Recording(3)
    context = _context(services)
    assert await context.model("p", output=int, tools=[counting]) == 3
    assert await context.tool("tool", a=1) == 3
    assert await context.step("s", max, 1, 2) == 2
    assert await context.ask("how many?", int) == 3
    context.report("half")
    assert services.asked == [
        ("converse", "p", int, [counting]),
        ("use", "tool", {"a": 1}),
        ("ask", "how many?", {"type": "integer"}),
        "half",
    ]


def test_what_it_says_of_the_dispatch():
    """Task, attempt, run, budget, deadline, key."""
    context = _context(Recording())
    said = (context.task.id, context.attempt, context.run_id, context.budget.max_calls, context.deadline)
    assert (*said, context.idempotency_key) == ("t", 2, "r", 3, 5.0, "r/t")


async def test_a_file_becomes_a_value(tmp_path: Path):
    """Saved by its content; read by artifact, blob reference or SHA-256."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b")
    context = _context(Recording())
    artifact = await context.save(path)
    assert artifact == Artifact(name="a.csv", sha256="0" * 64, size=3, media_type="text/csv")
    for named in (artifact, artifact.sha256, blob_ref("0" * 64, 3), artifact.model_dump()):
        assert await context.read(named) == b"a,b"


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path):
    """By its path."""
    with pytest.raises(FileAccessError, match=r"none\.txt: cannot be read"):
        await _context(Recording()).save(tmp_path / "none.txt")
