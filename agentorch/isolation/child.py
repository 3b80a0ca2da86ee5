"""What a child process does: load one agent, wait, do one piece of work, and end.

It is started ahead of its work where it can be, and never works twice: nothing of one task can reach the next.
"""

import asyncio
import faulthandler
import signal
import socket
import sys
from functools import partial
from typing import Any, cast

from pydantic_core import to_jsonable_python

from agentorch.agents import Agent, Context
from agentorch.core.task import Task
from agentorch.core.values import whole_characters
from agentorch.errors import ConfigurationError
from agentorch.isolation.asking import Asking, Named
from agentorch.isolation.frames import Begin, Ended, Invoke, Load, Loaded, fault_of
from agentorch.isolation.limits import die_with, limit_memory
from agentorch.isolation.place import found
from agentorch.isolation.standing import loading
from agentorch.isolation.wire import Wire
from agentorch.threads import Threads, under


def main(pipe: int, parent: int) -> None:
    """Be a child: `pipe` is the file descriptor of its end of the pipe."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # as of any other signal: no KeyboardInterrupt in the agent
    faulthandler.enable()
    cast("Any", sys.stdout).reconfigure(line_buffering=True)
    wire = Wire(socket.socket(fileno=pipe))
    try:
        agent = _loaded(cast("Load", wire.next()))
    except BaseException as error:  # noqa: BLE001  # whatever a module raises is its agent's fault
        wire.send(Loaded(fault_of(error)))
        return
    wire.send(Loaded())
    begin = cast("Begin", wire.next())
    ended = asyncio.run(_work(agent, begin, wire))
    try:
        wire.send(ended)
    except ValueError as error:  # nothing of it has left
        wire.send(Ended(fault=fault_of(error)))


def _loaded(order: Load) -> Agent:
    with loading():
        agent = found(order.place)
    if agent.card.version != order.version:
        raise ConfigurationError(f"agent {agent.name!r}: its source has changed since it was loaded; start again")
    return agent


async def _work(agent: Agent, begin: Begin, wire: Wire) -> Ended:
    calls: list[Named] = []
    services = Asking(wire, begin.facts, calls)
    working: set[asyncio.Task[None]] = set()
    threads = Threads()

    async def invoke(frame: Invoke) -> None:
        with under(threads):
            await services.invoked(frame)

    def invoked(frame: Invoke) -> None:
        task = asyncio.get_running_loop().create_task(invoke(frame), context=services.around(frame))
        working.add(task)
        task.add_done_callback(working.discard)

    wire.attach(asyncio.get_running_loop(), invoked)
    given: dict[type, Any] = {Task: begin.facts.task, Context: Context(services)}
    try:
        arguments = agent.bind(begin.inputs, given, problems=begin.problems)
        if begin.memory is not None:
            limit_memory(begin.memory)
        return _encoded(agent, await _called(agent, arguments, threads))
    except BaseException as error:  # noqa: BLE001  # an agent may raise anything
        return Ended(fault=fault_of(error))


async def _called(agent: Agent, arguments: dict[str, Any], threads: Threads) -> Any:
    function = cast("Any", agent.function)
    if agent.is_async:
        return await function(**arguments)
    return await threads.call(partial(function, **arguments))


def _encoded(agent: Agent, output: Any) -> Ended:
    encoded, problems = agent.output.examine(output)
    words = [whole_characters(problem) for problem in problems]
    return Ended(to_jsonable_python(output, fallback=repr) if problems else encoded, words)
