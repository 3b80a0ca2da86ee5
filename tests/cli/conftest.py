"""The command line in this process: arguments in; exit code, stdout and stderr out."""

import logging
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from agentorch.cli import main

TEAM = '''
"""Agents for the tests of the command line."""

import asyncio

from agentorch.agents import agent


@agent(description="Finds facts about a topic.")
async def researcher(topic: str) -> list[str]:
    return [f"{topic} carry envelopes."]


@agent(description="Writes a short poem from facts.")
async def poet(facts: list[str]) -> str:
    return "Ode: " + " ".join(facts)


@agent(description="Always fails.", attempts=1)
async def breaker(number: int) -> dict[str, int]:
    raise ValueError("disk full")


@agent(description="Counts a table.")
async def counter(table: dict[str, int]) -> int:
    return len(table)


@agent(description="Takes its time.")
async def sleeper(topic: str) -> str:
    await asyncio.sleep(30)
    return topic


@agent(description="Says what a terminal would obey.")
async def painter(topic: str) -> str:
    return "\\x1b[31mred\\x1b[0m \\x9b2J"


@agent(description="Sends a letter.", approval="before")
async def sender(letter: str) -> str:
    return f"sent {letter}"
'''

PLAN = """
goal: An ode to message buses
answer: $ode
tasks:
  - {id: facts, agent: researcher, inputs: {topic: Buses}}
  - {id: ode, agent: poet, inputs: {facts: $facts}}
"""

PARTIAL = """
goal: Two things
tasks:
  - {id: good, agent: researcher, inputs: {topic: Buses}}
  - {id: bad, agent: breaker, inputs: {number: 1}}
  - {id: after, agent: counter, inputs: {table: $bad}}
"""


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


Command = Callable[..., Said]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a journal and a team of its own, and no foreign settings."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "AGENTORCH_MODEL", "AGENTORCH_PROJECT", "AGENTORCH_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGENTORCH_JOURNAL", str(tmp_path / "runs.db"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("AGENTORCH_LOCAL_PORTS", "none")
    (tmp_path / "team.py").write_text(TEAM, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (tmp_path / "partial.yaml").write_text(PARTIAL, encoding="utf-8")
    return tmp_path


@pytest.fixture
def agentorch(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Run the command line in `home`."""
    assert home.is_dir()

    def command(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["agentorch", *arguments])
        capsys.readouterr()
        with ThreadPoolExecutor(1) as thread, pytest.raises(SystemExit) as left:
            thread.submit(main).result()  # a thread of its own: pytest-asyncio keeps a loop in this one
        said = capsys.readouterr()
        return Said(int(left.value.code or 0), said.out, said.err)

    yield command
    logging.getLogger("agentorch").handlers.clear()
    logging.getLogger("agentorch").propagate = True
