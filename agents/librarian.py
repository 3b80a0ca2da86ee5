"""The librarian: says what the user's files say about a question, word for word, with citations. Needs no model."""

import asyncio
import threading
from contextlib import suppress
from functools import partial

import anyio.to_thread

from agentorch.agents import Context, agent
from agentorch.errors import AgentorchError
from agentorch.library import Findings, Library, each_second


@agent(
    description="Finds passages about a question in the user's files and documents, cited as path:line.",
    capabilities=["search-files", "answer-question"],
)
async def librarian(question: str, library: Library, context: Context, earlier: str = "") -> Findings:
    """Search the folders given; say plainly when they hold nothing. A short question goes on from the `earlier` one."""
    loop = asyncio.get_running_loop()
    given_up = threading.Event()
    tell = each_second(lambda line: loop.call_soon_threadsafe(_report, context, line) and None)

    def watch(done: int, total: int) -> None:
        if given_up.is_set():
            raise asyncio.CancelledError  # nobody waits for what is left to read
        tell(done, total)

    try:
        return await anyio.to_thread.run_sync(
            partial(library.ask, question, earlier=earlier, watch=watch), abandon_on_cancel=True
        )
    finally:
        given_up.set()


def _report(context: Context, line: str) -> None:
    with suppress(asyncio.CancelledError, AgentorchError):  # it was stopped a moment ago
        context.report(line)
