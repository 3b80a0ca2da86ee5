"""One dispatch, carried out: bind the inputs, run the agent, encode and check the output.

Every failure but a cancellation becomes a classified `Result`; nothing that an agent raises leaves this module.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any, Final, NoReturn, Protocol, cast

import anyio
from pydantic_core import to_jsonable_python

from agentorch.agents import Agent, Context, MalformedInput
from agentorch.core.failures import WORST_FIRST, FailureKind, members_of
from agentorch.core.references import BrokenReference
from agentorch.core.task import Task
from agentorch.core.usage import NOTHING
from agentorch.core.values import clipped, fresh, whole_characters
from agentorch.errors import (
    BudgetExceeded,
    ConfigurationError,
    EffectUnknown,
    MalformedOutput,
    ModelError,
    PermanentError,
    TransientError,
)
from agentorch.isolation.frames import Elsewhere
from agentorch.messages.work import Result, Work
from agentorch.ports.blobs import Blobs
from agentorch.runtime.guard import Guard
from agentorch.runtime.isolated import Isolated, ProcessDied, Unfit
from agentorch.runtime.job import Job
from agentorch.runtime.large import Unstorable, names_blobs, opened, stored
from agentorch.runtime.named_secrets import NO_SECRETS, NamedSecrets
from agentorch.runtime.own_context import going_on
from agentorch.runtime.services import DispatchServices, task_of
from agentorch.threads import under
from agentorch.validation import SCHEMA, Validators, validate, validators_for

LONGEST_PROBLEM: Final = 4_000
"""Characters of a problem in words that are kept: it is journaled, and shown to models and to people."""
THREADS: Final = 64
"""Agents that are plain functions, at once."""
MOST_TOLD: Final = 10
"""Problems of a body in which several things went wrong at once that are told."""


class Prompted(Protocol):
    """Runs a prompt agent; see `agentorch.prompting`."""

    def __call__(self, agent: Agent, work: Work, services: DispatchServices) -> Awaitable[Any]:
        """Return the agent's output as JSON; raise ModelError or MalformedOutput."""
        ...


class Execution:
    """Carries out dispatches for a worker."""

    def __init__(
        self,
        *,
        agents: Mapping[str, Agent],
        validators: Validators,
        services: Callable[[Job], DispatchServices],
        prompted: Prompted,
        blobs: Blobs,
        isolated: Isolated,
        secrets: NamedSecrets = NO_SECRETS,
        redacted: Callable[[str], str] = str,
        threads: int = THREADS,
    ) -> None:
        self._agents = agents
        self._validators = validators
        self._services = services
        self._prompted = prompted
        self._blobs = blobs
        self._isolated = isolated
        self._secrets = secrets
        self._redacted = redacted
        self._threads = anyio.CapacityLimiter(threads)

    def __call__(self, job: Job) -> Result | Awaitable[Result]:
        """Return what came of the dispatch: at once, where its body ends at once and there is nothing else to do."""
        work = job.work
        agent = self._agents[work.agent]
        if not agent.in_loop or names_blobs(work):
            return self._carried_out(agent, job, self._begun(agent, job))
        function: Any = agent.function
        try:
            body = function(**self._arguments(agent, job))
        except BaseException as error:  # noqa: BLE001  # an agent's inputs may be anybody's code
            return self._carried_out(agent, job, _raise(error))
        context = copy_context()
        try:
            waiting = context.run(body.send, None)
        except StopIteration as stop:
            output = stop.value
        except BaseException as error:  # noqa: BLE001  # an agent may raise anything
            return self._carried_out(agent, job, _raise(error))
        else:
            job.suspended()
            return self._carried_out(agent, job, going_on(body, waiting, context, job.went_on))
        if agent.output.is_plain(output) and job.used is NOTHING and not (agent.checks or self._validators):
            return Result(work.key, output)
        return self._carried_out(agent, job, _give(output))

    async def _carried_out(self, agent: Agent, job: Job, begun: Awaitable[Any]) -> Result:
        """Return what came of the dispatch, once what has `begun` gives the output."""
        key = job.work.key
        try:
            output = await begun
            if agent.output.is_plain(output) and not (agent.checks or self._validators):
                result = Result(key, output)
            else:
                result = await self._examined(agent, output, job)
        except Unfit as error:
            result = Result(key, error.output, FailureKind.INVALID, error.problems)
        except asyncio.CancelledError:
            if job.stopped or job.slot.cancelling():
                raise
            result = Result(key, kind=FailureKind.CRASH, problems=("the agent raised CancelledError",))
        except BaseException as error:  # an agent may raise anything
            if not job.may_be_caught(error):
                raise
            result = failed(job.work, error)
        if result.kind is not None:
            result = await self._readable(result)
        return result if job.used is NOTHING else replace(result, usage=job.used)

    async def _readable(self, result: Result) -> Result:
        """Return a failure as any journal can hold it: without its output, when that cannot be stored."""
        words = (self._redacted(whole_characters(problem)) for problem in result.problems)
        problems = tuple(clipped(problem, LONGEST_PROBLEM) for problem in words)  # half a secret would not be found
        try:
            output = await stored(result.output, self._blobs)
        except Exception:  # noqa: BLE001  # the failure counts, not what is shown with it
            output = None
        return replace(result, output=output, problems=problems)

    async def _begun(self, agent: Agent, job: Job) -> Any:
        """Return the output of an agent's body, wherever it runs, with every large value that it is given."""
        if names_blobs(job.work):
            job.work = await opened(job.work, self._blobs)
        if agent.kind == "prompt":
            job.suspended()
            return await self._prompted(agent, job.work, self._services_of(job).made())
        if agent.isolate:
            job.unseen = True
            job.suspended()
            inputs = self._secrets.given(job.work)
            return await self._isolated.run(agent, job, self._services_of(job).guarded(), inputs=inputs)
        call = partial(cast("Callable[..., Any]", agent.function), **self._arguments(agent, job))
        if not agent.in_loop:
            return await self._in_thread(call, job)
        body, context = call(), copy_context()
        try:
            waiting = context.run(body.send, None)
        except StopIteration as stop:
            return stop.value
        job.suspended()
        return await going_on(body, waiting, context, job.went_on)

    def _arguments(self, agent: Agent, job: Job) -> dict[str, Any]:
        """Return what an agent that is a function is given."""
        work = job.work
        given = self._secrets.given(work) if work.inputs else work.inputs
        problems = work.problems if work.mode == "repair" else ()
        # The agent may change what it is given; the state of the run holds the same values.
        injected = self._services_of(job).given if agent.injected else None
        return agent.bind(fresh(given) if given else given, injected, problems=problems)

    async def _in_thread(self, function: Callable[[], Any], job: Job) -> Any:
        async with self._threads:
            job.suspended()  # only now: the time in the queue is not the task's
            job.unseen = True
            return await job.own_threads().call(function)

    def _services_of(self, job: Job) -> "Services":
        """Return the services of a job, made when somebody asks for them: most small agents never do."""
        if job.services is None:
            job.services = Services(self._services, job)
        return job.services

    async def _examined(self, agent: Agent, output: Any, job: Job) -> Result:
        """Return the result: the output as JSON, checked and stored, or what is wrong with it."""
        key = job.work.key
        validators = validators_for(agent.name, self._validators) if self._validators else ()
        if validators or agent.checks:
            job.suspended()
            context = self._services_of(job).given(Context)
            with under(job.own_threads()):
                encoded, verdict = await validate(agent, output, context=context, validators=validators)
            problems, by = verdict.problems, verdict.by
        else:
            encoded, problems = agent.output.examine(output)
            by = (SCHEMA,)
        if problems:
            shown = encoded if encoded is not None else to_jsonable_python(output, fallback=repr)
            return Result(key, shown, FailureKind.INVALID, tuple(problems), rejected_by=by)
        try:
            output = await stored(encoded, self._blobs)
        except Unstorable as error:
            return Result(key, kind=FailureKind.INVALID, problems=(f"the output {error}",))
        return Result(key, output, sources=sources_in(encoded))


async def _raise(error: BaseException) -> NoReturn:
    raise error


async def _give(output: Any) -> Any:
    return output


class Services:
    """The services of one dispatch, as its agent may be given them."""

    __slots__ = ("_job", "_make", "_services")

    def __init__(self, make: Callable[[Job], DispatchServices], job: Job) -> None:
        self._make = make
        self._job = job
        self._services: DispatchServices | None = None

    def made(self) -> DispatchServices:
        """Return them."""
        if self._services is None:
            self._services = self._make(self._job)
        return self._services

    def guarded(self) -> Guard:
        """Return them as the agent's own code may use them."""
        return Guard(self.made(), self._job)

    def given(self, kind: type) -> Any:
        """Return what is given for a parameter annotated `kind`."""
        if kind is Task:
            return task_of(self._job.work)
        if kind is Context:
            return Context(self.guarded())
        raise KeyError(kind)


def sources_in(output: Any) -> tuple[str, ...]:
    """Return what an output says that it rests on: its list `sources`, when it has one."""
    if not isinstance(output, dict):
        return ()
    listed: Any = cast("dict[str, Any]", output).get("sources")
    if not isinstance(listed, list):
        return ()
    return tuple(whole_characters(item) for item in cast("list[Any]", listed) if isinstance(item, str))


def failed(work: Work, error: BaseException) -> Result:
    """Classify what an agent raised; of several things at once the worst counts, and the others are named behind it."""
    each = [_failed(work, member) for member in members_of(error)]
    if len(each) == 1:
        return each[0]
    each.sort(key=lambda result: WORST_FIRST.index(cast("FailureKind", result.kind)))
    worst = each[0]
    words = list(dict.fromkeys(problem for result in each for problem in result.problems))
    problems = words if len(words) <= MOST_TOLD else [*words[:MOST_TOLD], f"and {len(words) - MOST_TOLD} more"]
    waits = [result.retry_after for result in each if result.kind is worst.kind and result.retry_after is not None]
    called = any(result.called for result in each)
    return replace(worst, problems=tuple(problems), retry_after=max(waits, default=None), called=called)


def _failed(work: Work, error: BaseException) -> Result:
    output: Any = None
    retry_after: float | None = None
    effect: str | None = None
    match error:
        case MalformedOutput():
            kind, output = FailureKind.INVALID, error.text or None
        case ModelError():
            kind, retry_after = error.kind, error.retry_after
        case TransientError():
            kind, retry_after = FailureKind.TRANSIENT, error.retry_after
        case ConfigurationError():
            kind = FailureKind.UNCONFIGURED
        case EffectUnknown():
            kind, effect = FailureKind.UNKNOWN, error.effect
        case BudgetExceeded():
            kind = FailureKind.BUDGET
        case PermanentError() | MalformedInput() | BrokenReference():
            kind = FailureKind.PERMANENT
        case ProcessDied():
            return Result(work.key, kind=FailureKind.CRASH, problems=(str(error),))
        case Elsewhere():
            return Result(work.key, kind=FailureKind.CRASH, problems=(f"{error.name}: {error}",))
        case _:
            kind = FailureKind.CRASH
    called = isinstance(error, BudgetExceeded)
    return Result(work.key, output, kind, (_words(error, kind),), retry_after=retry_after, effect=effect, called=called)


def _words(error: BaseException, kind: FailureKind) -> str:
    try:
        text = str(error).strip() or "no message"
    except Exception:  # noqa: BLE001  # its words are the agent's code too
        text = "no message"
    return f"{type(error).__name__}: {text}" if kind is FailureKind.CRASH else text
