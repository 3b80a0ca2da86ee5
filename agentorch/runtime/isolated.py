"""Isolated agents: a child process for each dispatch, whose calls are served by the dispatch's services.

1. A child works once and is killed then, so that nothing of one task can reach the next. One more is kept ready for
   each agent that has been used, with the agent loaded: starting and loading is what takes time.
2. Its context is asked for here, so that everything is journaled, counted and refused as in process.
3. When the dispatch is stopped the child is killed at once, but for a call with an effect under way: that is waited for
   as long as the grace allows. Nobody waits for the process to be gone.
4. A child that others have ended, by a signal, is an attempt that was cut off: the next dispatch continues it.
5. When this process ends, in whatever way, a guardian kills the groups of its children.
"""

import asyncio
import contextvars
import logging
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agentorch.agents import Agent, Context
from agentorch.core.values import fresh
from agentorch.errors import ConfigurationError, EffectNotDone, TransientError
from agentorch.isolation import Child, Guardian, place_of, raised
from agentorch.isolation.frames import Ask, Begin, Ended, Facts, Invoke, Load, Loaded, Reply, Report, fault_of
from agentorch.isolation.place import Place
from agentorch.ports.services import ContextServices
from agentorch.runtime.job import TO_END, Job
from agentorch.runtime.serving import answered

log = logging.getLogger(__name__)


class ProcessDied(Exception):
    """A child ended before it gave an output; the words say how."""


class ProcessCutOff(TransientError):
    """A child was ended by a signal that others sent: not by agentorch, and not by its own doing."""


class Unfit(Exception):
    """An output does not fit its type: `problems` and what is to be shown of it."""

    def __init__(self, output: Any, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.output = output
        self.problems = problems


class Isolated:
    """The children of an engine."""

    def __init__(self, agents: Mapping[str, Agent]) -> None:
        """Look at every isolated agent; ConfigurationError in one line when one cannot be loaded by another process."""
        self._places: dict[str, Place] = {name: place_of(agent) for name, agent in agents.items() if agent.isolate}
        self._spare: dict[str, asyncio.Task[Child]] = {}
        self._going: set[asyncio.Task[Any]] = set()
        self._guardian = Guardian()
        self._closed = False

    async def run(self, agent: Agent, job: Job, services: ContextServices, *, inputs: dict[str, Any]) -> Any:
        """Do the work in a child, with these inputs; return the output in its declared type.

        Raises what the agent raises, `ProcessDied`, or `Unfit`.
        """
        work = job.work
        facts = Facts(
            services.task, services.key, services.run_id, services.attempt, services.deadline, services.idempotency_key,
        )  # fmt: skip
        problems = list(work.problems) if work.mode == "repair" else []
        child = await self._take(agent)
        child.name = work.key
        try:
            await child.send(Begin(fresh(inputs), problems, agent.memory, facts))
            ended = await _Conversation(child, job, services).held()
            if ended is None:
                await child.end()
        finally:
            child.kill()
            self._reap(child)
        return await self._output(agent, child, ended)

    async def close(self) -> None:
        """Kill what is left, and wait until it is gone."""
        self._closed = True
        for starting in self._spare.values():
            starting.cancel()
        for starting in list(self._spare.values()):
            with suppress(asyncio.CancelledError, Exception):
                child = await starting
                child.kill()
                self._reap(child)
        if self._going:
            await asyncio.wait(self._going, timeout=5)
        await self._guardian.close()

    async def _output(self, agent: Agent, child: Child, ended: Ended | None) -> Any:
        if ended is None:
            raise await _death(child, agent.memory)
        if ended.fault is not None:
            if ended.fault.name == "MemoryError":
                raise ProcessDied(_too_much(agent.memory))
            raise raised(ended.fault)
        if ended.problems:
            raise Unfit(ended.output, tuple(ended.problems))
        return agent.revive(ended.output)

    async def _take(self, agent: Agent) -> Child:
        """Return a child that has loaded the agent, and see to the next one."""
        starting = self._spare.pop(agent.name, None)
        child = None
        if starting is not None:
            with suppress(ProcessCutOff):
                child = await starting
        if child is not None and not child.alive:
            self._reap(child)
            child = None
        if child is None:
            child = await self._started(agent)
        if not self._closed and agent.name not in self._spare:
            spare = asyncio.get_running_loop().create_task(self._started(agent), name=f"agentorch child {agent.name}")
            spare.add_done_callback(_heard)
            self._spare[agent.name] = spare
        return child

    async def _started(self, agent: Agent) -> Child:
        child = await Child.start(f"agent {agent.name!r}")
        try:
            await self._guardian.guard(child.group)
            await child.send(Load(self._places[agent.name], agent.card.version))
            said = await child.receive()
            if said is None:
                await child.end()
        except BaseException:
            child.kill()
            self._reap(child)
            raise
        if isinstance(said, Loaded) and said.fault is None:
            return child
        child.kill()
        self._reap(child)
        if child.cut_off:
            raise await _death(child, agent.memory)
        if not isinstance(said, Loaded) or said.fault is None:
            raise ConfigurationError(f"{child.name}: its process ended while it was loaded: {child.last_line}")
        raise ConfigurationError(f"{child.name} cannot be loaded by its process: {said.fault.name}: {said.fault.words}")

    def _reap(self, child: Child) -> None:
        self._guardian.leave(child.group)
        going = asyncio.get_running_loop().create_task(child.gone())
        self._going.add(going)
        going.add_done_callback(self._going.discard)


class _Conversation:
    """Frames to and from one child while it works."""

    def __init__(self, child: Child, job: Job, services: ContextServices) -> None:
        self._child = child
        self._job = job
        self._scopes: dict[int, ContextServices] = {0: services}
        """The services that hold in the body, and inside each call that is under way."""
        self._contexts: dict[int, contextvars.Context] = {}
        """What holds around each such call, by the same numbers: in which step it is."""
        self._invoked: dict[int, asyncio.Future[Any]] = {}
        self._number = 0
        self._answers: set[asyncio.Task[None]] = set()
        self._effects: set[asyncio.Future[Any]] = set()
        """Calls that may have an effect just now, asked for by the body itself or by a model."""
        self._is_over = False

    async def held(self) -> Ended | None:
        """Serve the child until it has said what came of the work; None when it is gone."""
        pumping = asyncio.get_running_loop().create_task(self._pump())
        try:
            return await asyncio.shield(pumping)
        except asyncio.CancelledError:
            if self._effects:
                await asyncio.wait(self._effects, timeout=self._job.work.terms.grace * TO_END)
            raise
        finally:
            self._is_over = True
            pumping.cancel()
            for answer in self._answers:
                answer.cancel()
            for waiting in self._invoked.values():
                waiting.cancel()

    async def _pump(self) -> Ended | None:
        while True:
            try:
                frame = await self._child.receive()
            except ValueError as error:
                raise ProcessDied(f"its process sent what is no frame: {error}") from None
            match frame:
                case None | Ended():
                    return frame
                case Ask():
                    self._serve(frame)
                case Report():
                    if (scope := self._scopes.get(frame.within)) is not None:
                        with suppress(asyncio.CancelledError):
                            scope.report(frame.text)
                case Reply():
                    self._told(frame)
                case _:
                    raise ProcessDied(f"its process sent a {type(frame).__name__}, which is not its to send")

    def _serve(self, frame: Ask) -> None:
        around = self._contexts.get(frame.within)
        answering = asyncio.get_running_loop().create_task(self._answer(frame), context=around and around.copy())
        self._answers.add(answering)
        answering.add_done_callback(self._answers.discard)
        if frame.method == "use" and frame.arguments["tool"]["effect"] == "once":
            self._effects.add(answering)
            answering.add_done_callback(self._effects.discard)

    async def _answer(self, frame: Ask) -> None:
        try:
            scope = self._scopes[frame.within]
            reply = Reply(frame.number, await answered(frame, scope, self.invoke))
            await self._child.send(reply)
        except BaseException as error:
            await self._child.send(Reply(frame.number, fault=fault_of(error)))
            if isinstance(error, asyncio.CancelledError):
                raise

    async def invoke(self, call: int, arguments: Any, context: Context | None, *, once: bool = False) -> Any:
        """Have the child call what it has named, and return what that gives; EffectNotDone when it is gone.

        A call that may happen `once` only is waited for when the dispatch is stopped, whoever asked for it.
        """
        if self._is_over:
            raise EffectNotDone("its process has ended before the call")
        self._number += 1
        number = self._number
        services = self._scopes[0] if context is None else context.services
        self._scopes[number], self._contexts[number] = services, contextvars.copy_context()
        waiting = self._invoked[number] = asyncio.get_running_loop().create_future()
        if once:
            self._effects.add(waiting)
        try:
            await self._child.send(Invoke(number, call, arguments, services.idempotency_key))
            return await waiting
        finally:
            self._effects.discard(waiting)
            del self._invoked[number], self._scopes[number], self._contexts[number]

    def _told(self, frame: Reply) -> None:
        waiting = self._invoked.get(frame.number)
        if waiting is None or waiting.done():
            return
        if frame.fault is None:
            waiting.set_result(frame.value)
        else:
            error = raised(frame.fault)
            if isinstance(error, asyncio.CancelledError):
                waiting.cancel()
            else:
                waiting.set_exception(error)


def _heard(starting: "asyncio.Task[Child]") -> None:
    if not starting.cancelled() and (error := starting.exception()) is not None:
        log.debug("a spare process could not be started; the next dispatch says why", exc_info=error)


async def _death(child: Child, memory: int | None) -> ProcessDied | ProcessCutOff:
    """Return what is to be raised for a child that gave no output."""
    code = await child.gone()
    said = f"; its last line: {child.last_line}" if child.last_line else ""
    words = _how(code, said, memory)
    if child.cut_off:
        return ProcessCutOff(words)
    if -code == signal.SIGKILL:
        return ProcessDied(f"its process closed its pipe before it gave an output, and was ended{said}")
    return ProcessDied(words)


def _how(code: int, said: str, memory: int | None) -> str:
    """Say how a child ended."""
    if code >= 0:
        return f"its process ended with exit code {code} before it gave an output{said}"
    name = signal.Signals(-code).name
    if -code == signal.SIGKILL:
        return f"its process was killed ({name}), by the system for want of memory or by somebody{said}"
    if memory is not None and -code in {signal.SIGABRT, signal.SIGSEGV}:
        return f"its process was killed ({name}); it may have needed more than {_megabytes(memory)} of memory{said}"
    return f"its process was killed ({name}){said}"


def _too_much(memory: int | None) -> str:
    limit = "the machine has" if memory is None else f"{_megabytes(memory)} of memory"
    return f"it was ended: it needed more than {limit}; raise memory=, or give it less at once"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.4g} MB"
