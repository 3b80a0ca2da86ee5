"""What the fixture `make_orchestrator` takes."""

from pathlib import Path

from agentorch import agent
from agentorch.testing.kit import MakeOrchestrator

ECHO = """
from agentorch import agent

@agent(description="Repeats what it is told.")
def echo(question: str) -> str:
    return question
"""


@agent(description="Repeats what it is told.")
def parrot(question: str) -> str:
    return question


def test_one_agent_need_not_be_listed(make_orchestrator: MakeOrchestrator, tmp_path: Path) -> None:
    """The function itself, or its file: as any orchestrator takes them."""
    path = tmp_path / "echo.py"
    path.write_text(ECHO, encoding="utf-8")
    assert [make_orchestrator(one).run_sync("Hello").answer for one in (parrot, path, str(path))] == ["Hello"] * 3
