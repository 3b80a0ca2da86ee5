"""What the chats on a terminal are held over."""

from pathlib import Path

import pytest

TEAM = '''
"""Agents that need no model."""

import asyncio
from pathlib import Path

from agentorch.agents import agent
from agentorch.context import Context
from agentorch.tools import tool


@agent(description="Repeats what it is told.")
async def parrot(question: str) -> str:
    return f"You said: {question}"


@agent(description="Waits for a file before it repeats.")
async def gate(question: str, context: Context) -> str:
    await context.step("first", lambda: "kept")
    Path("began").touch()
    while not Path("go").exists():
        await asyncio.sleep(0.02)
    return f"The gate heard: {question}"


@agent(description="Asks for a number first.")
async def asker(question: str, context: Context) -> str:
    number = await context.ask("How many?", int)
    return f"{number} times {question}"


@agent(description="Asks for a number once a file is there.")
async def late(question: str, context: Context) -> str:
    while not Path("ask").exists():
        await asyncio.sleep(0.02)
    return f"{await context.ask('How many?', int)} times {question}"


@tool()
def look(word: str) -> str:
    """Look a word up."""
    return word.upper()


@agent(description="Looks two words up.", tools=[look])
async def reader(question: str, context: Context) -> str:
    return f"{await context.tool(look, word='a')} {await context.tool(look, word='b')} {question}"


@agent(description="Acts only when it may.", approval="before")
async def sender(question: str) -> str:
    return f"sent {question}"


@agent(description="Writes what a terminal would obey.")
async def painter(question: str) -> str:
    return "\\x1b[2Jcleared \\x1b]0;title\\x07 **bold** \\x9b31m"
'''


@pytest.fixture
def folder(home: Path) -> Path:
    """A folder with a team that needs no model, and a file to read."""
    (home / "team.py").write_text(TEAM, encoding="utf-8")
    (home / "bees.md").write_text("# Bees\n\nA hive holds one queen and 40,000 workers.\n", encoding="utf-8")
    return home
