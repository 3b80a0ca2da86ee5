"""Agents that run in child processes; the tests name this file."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import anyio.from_thread
from pydantic import BaseModel

from agentorch import Context, agent, tool
from agentorch.core.task import Task
from agentorch.errors import BudgetExceeded, ModelRefusal, PermanentError, TransientError
from agentorch.threads import MOST

HALF = "a\ud800b"
"""A text with half a character, as models and truncation make them."""
SEEN: list[str] = []
"""What a process has done: nothing of one task may be seen by the next."""


class Where(BaseModel):
    """Where a body ran."""

    process: int
    seen: list[str]
    key: bool
    """Whether the provider's key is there."""
    stdin: str


@agent(description="Says where it runs.", isolate=True)
async def where(word: str) -> Where:
    SEEN.append(word)
    return Where(process=os.getpid(), seen=SEEN, key="OPENAI_API_KEY" in os.environ, stdin=sys.stdin.read())


@agent(description="Doubles, in a thread.", isolate=True)
def double(numbers: list[int], task: Task) -> list[int]:
    assert threading.current_thread() is not threading.main_thread()
    return [2 * number for number in numbers] + [len(task.id)]


@tool(effect="once")
async def pay(amount: int, context: Context) -> str:
    """Pay."""
    context.report(f"paying {amount} as {context.idempotency_key}")
    return f"paid {amount} in {os.getpid()}"


@tool
def look(what: str) -> str:
    """Look something up."""
    return f"{what} is blue"


@agent(description="Uses all of its context.", isolate=True, tools=[pay])
async def busy(context: Context, folder: str) -> dict[str, Any]:
    def count(number: int) -> list[int]:
        return list(range(number))

    (Path(folder) / "note.txt").write_text("kept", encoding="utf-8")
    saved = await context.save(Path(folder) / "note.txt")
    return {
        "model": await context.model("What is the sky?", tools=[look]),
        "number": await context.model("How many?", output=int),
        "paid": (await context.tool(pay, amount=3)) == f"paid 3 in {os.getpid()}",
        "step": await context.step("count", count, 3),
        "call": await context.call("double", numbers=[1]),
        "asked": await context.ask("Sure?", bool),
        "read": (await context.read(saved)).decode(),
        "facts": [context.attempt, context.deadline is not None, context.budget.max_calls],
        "key": context.idempotency_key.partition("/")[2],
    }


@tool(effect="once")
async def enter(folder: str, context: Context) -> int:
    """Write a line into a file, and count them."""
    with (Path(folder) / "book").open("a", encoding="utf-8") as book:
        book.write(f"{context.idempotency_key}\n")
    return len((Path(folder) / "book").read_text(encoding="utf-8").splitlines())


@agent(description="Makes two equal entries, one in a step; is cut off between them.", isolate=True, tools=[enter])
async def two_entries(context: Context, folder: str) -> list[int]:
    first = await context.step("first", lambda: context.tool(enter, folder=folder))
    if not (Path(folder) / "begun").exists():
        (Path(folder) / "begun").touch()
        raise TransientError("later", retry_after=0.01)
    return [first, await context.tool(enter, folder=folder)]


async def left_over(context: Context) -> list[int | None]:
    """Return how many calls are left before a call of a model, after it, and in a thread."""
    before = context.budget.max_calls
    await context.model("Well?")
    after = context.budget.max_calls
    return [before, after, await asyncio.to_thread(lambda: context.budget.max_calls)]


@agent(description="Counts what is left.", isolate=True)
async def counting_there(context: Context) -> list[int | None]:
    return await left_over(context)


@agent(description="Counts what is left.")
async def counting_here(context: Context) -> list[int | None]:
    return await left_over(context)


@agent(description="Asks from its thread.", isolate=True)
def threaded(context: Context) -> str:
    context.report("in a thread")
    return anyio.from_thread.run(context.model, "Well?")


WHO: ContextVar[str] = ContextVar("who", default="nobody")
"""Who has called."""
ALL_TOGETHER = threading.Barrier(MOST)
"""What as many calls stand at as there are threads."""


@tool
def who() -> str:
    """Say who has called."""
    return WHO.get()


@tool
def together(context: Context) -> str:
    """Wait for the others, then use a tool."""
    ALL_TOGETHER.wait(30)
    return anyio.from_thread.run(context.tool, who)


@agent(description="Uses as many tools at once as there are threads.", isolate=True, tools=[together, who])
async def crowd(context: Context) -> list[str]:
    WHO.set("the crowd")
    return await asyncio.gather(*[context.tool(together) for _ in range(MOST)])


@agent(description="Fails in two ways at once.", isolate=True, attempts=1)
async def torn() -> None:
    async def short() -> None:
        raise BudgetExceeded("all is used")

    async def wrong() -> None:
        raise ValueError("no such number")

    async with asyncio.TaskGroup() as group:
        group.create_task(wrong())
        group.create_task(short())


@agent(description="Asks a model that declines.", isolate=True)
async def declined(context: Context) -> str:
    try:
        return await context.model("Please?")
    except ModelRefusal as refusal:
        return f"refused: {refusal}"


@agent(description="Fails in the way that is asked for.", isolate=True, attempts=1)
async def failing(how: str) -> int:
    sys.stdout.write(f"about to fail by {how}\n")
    match how:
        case "value":
            raise ValueError("no such number")
        case "permanent":
            raise PermanentError("never")
        case "transient":
            raise TransientError("later", retry_after=1)
        case "exit":
            sys.exit(3)
        case "leave":
            os._exit(3)
        case "crash":
            os.abort()
        case _:
            return "no number"  # pyright: ignore[reportReturnType]
    return 1


@tool
def cut() -> str:
    """Fail in words of which half a character is left."""
    raise PermanentError(HALF)


@agent(description="Passes half a character on, in the way that is asked for.", isolate=True, attempts=1)
async def halved(how: str, context: Context) -> Any:
    def given() -> dict[str, str]:
        return {"x": HALF}

    match how:
        case "step":
            return await context.step(HALF, given)
        case "tool":
            return await context.tool(cut)
        case "raise":
            raise PermanentError(HALF)
        case "call":
            return await context.call("same", value=HALF)
        case _:
            context.report(HALF)
            return given()


@agent(description="Gives back what it is given.")
async def same(value: Any) -> Any:
    return value


@agent(description="Takes memory.", isolate=True, memory="100MB", attempts=1)
def hungry(megabytes: int) -> int:
    return len(bytearray(megabytes * 1_000_000))


@tool(effect="once")
async def send(file: str) -> str:
    """Send something, which takes a while."""
    await asyncio.to_thread(Path(file).write_text, "1", encoding="utf-8")
    await asyncio.sleep(0.5)
    return "sent"


@agent(description="Sends.", isolate=True, tools=[send], grace=30)
async def sending(file: str, context: Context) -> str:
    return await context.tool(send, file=file)


@agent(description="Has a model send.", isolate=True, grace=30)
async def having_sent(file: str, context: Context) -> str:
    return await context.model(f"Send {file}", tools=[send])


def begin(file: str) -> None:
    """Start a process too, and say which they are."""
    helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(file).write_text(f"{os.getpid()} {helper.pid}", encoding="utf-8")


@agent(description="Can be stopped by nothing but a kill.", isolate=True, attempts=1)
async def stubborn(file: str, hold_loop: bool) -> str:
    begin(file)
    while True:
        try:
            if hold_loop:
                time.sleep(600)  # noqa: ASYNC251
            await asyncio.sleep(600)
        except BaseException:  # noqa: BLE001
            continue


def enter_in(folder: str, line: str) -> str:
    """Note that something was done."""
    with (Path(folder) / "ledger").open("a", encoding="utf-8") as ledger:
        ledger.write(f"{line}\n")
    return line


def wait_for_end(folder: str) -> None:
    """Say which process this is, and wait for what comes; go on when one before it has done so."""
    file = Path(folder) / "pids"
    if not file.exists():
        file.write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(600)


def fork() -> None:
    """Start a process that holds what this one has open."""
    if os.fork() == 0:
        time.sleep(600)


@agent(description="Is killed in the middle.", isolate=True, attempts=1)
async def cut_short(folder: str, forks: bool, context: Context) -> str:
    said = await context.model("Well?")
    await context.step("first", enter_in, folder, "first")
    if forks:
        fork()
    wait_for_end(folder)
    await context.step("second", enter_in, folder, "second")
    return said


@agent(description="Stands still while it is answered.", isolate=True, attempts=1)
async def reading_nothing(folder: str, context: Context) -> int:
    asking = asyncio.ensure_future(context.model("Well?"))
    if not (Path(folder) / "pids").exists():
        await asyncio.sleep(0)
        fork()
        (Path(folder) / "pids").write_text(str(os.getpid()), encoding="utf-8")
        os.kill(os.getpid(), signal.SIGSTOP)
    return len(await asking)


@agent(description="Ends itself by a signal.", isolate=True, attempts=1)
async def signalled(number: int) -> None:
    os.kill(os.getpid(), number)
    await asyncio.sleep(600)


@agent(description="Hangs up, and goes on.", isolate=True, attempts=1)
def unheard() -> None:
    for number in range(3, 1024):
        with suppress(OSError):
            socket.socket(fileno=os.dup(number)).shutdown(socket.SHUT_WR)
    time.sleep(600)


@tool(effect="once")
async def pay_slowly(folder: str) -> str:
    """Pay, which takes a while."""
    enter_in(folder, "paid")
    wait_for_end(folder)
    return "paid"


@agent(description="Pays.", isolate=True, tools=[pay_slowly])
async def paying(folder: str, context: Context) -> str:
    return await context.tool(pay_slowly, folder=folder)


@agent(description="Has a model pay.", isolate=True)
async def having_paid(folder: str, context: Context) -> str:
    return await context.model(f"Pay in {folder}", tools=[pay_slowly])
