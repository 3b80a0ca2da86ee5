"""A run in the caller's hands: watch it, answer it, wait for it, stop it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from functools import partial
from typing import Any, Literal, overload

from agentorch.core.events import Event
from agentorch.core.failures import Problem
from agentorch.core.inbox import Answer, Cancel, Stop
from agentorch.core.records import records_of
from agentorch.core.state import Request
from agentorch.errors import ConfigurationError, RunOwnedError
from agentorch.messages.work import TextDelta
from agentorch.pictures.bundles import bundle
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.leaving_requests import leave_request
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.person_answers import answer_of
from agentorch.runtime.supervisor import Supervisor


class Run:
    """One run. Any number of readers may watch it; none slows it down."""

    def __init__(
        self, hosted: HostedRun, supervisor: Supervisor, finish: Callable[[HostedRun], Awaitable[Outcome]]
    ) -> None:
        self._hosted = hosted
        self._supervisor = supervisor
        self._finish = finish

    @property
    def id(self) -> str:
        """The run's id: a UUIDv7."""
        return self._hosted.state.run_id

    @property
    def status(self) -> str:
        """planning, running, replanning, answering, stopped, succeeded, partial, failed or cancelled."""
        return self._hosted.state.status

    @property
    def waiting(self) -> tuple[Request, ...]:
        """What waits for a person: each with request_id, kind, task, question and answer_schema."""
        return tuple(self._hosted.state.requests.values())

    @property
    def at_rest(self) -> bool:
        """Whether nothing more happens by itself."""
        return self._hosted.at_rest

    def to_svg(self) -> str:
        """Return the run as a picture, as it stands: the plan with states, times and costs, and the tasks over time."""
        return self.picture()()

    def picture(self) -> Callable[[], str]:
        """Return what draws the run as it stands now: it may be called later, and in a thread."""
        from agentorch.runtime.run_picture import Pictured, drawn  # noqa: PLC0415  # loaded when looked at

        state = self._hosted.state
        at = state.updated if self.at_rest else max(state.updated, self._supervisor.now())
        run = Pictured(
            goal=state.goal,
            status=self.status,
            records=list(records_of(state, at)),
            needs={name: task.task.needs for name, task in state.tasks.items()},
            answer=state.answer_root,
            started=state.started,
            until=at,
            usage=state.spent,
        )
        return partial(drawn, run)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show in a notebook how the run stands."""
        del include, exclude
        return bundle(self.to_svg(), repr(self))

    def __aiter__(self) -> AsyncGenerator[Event]:
        return self._hosted.feed.read(0)

    @overload
    def events(self, *, after: int = 0, deltas: Literal[False] = False) -> AsyncGenerator[Event]: ...

    @overload
    def events(self, *, after: int = 0, deltas: Literal[True]) -> AsyncGenerator[Event | TextDelta]: ...

    def events(self, *, after: int = 0, deltas: bool = False) -> AsyncGenerator[Any]:
        """Go through the events with `seq > after`; with `deltas`, also the text that models are saying."""
        return self._hosted.feed.read_with_deltas(after) if deltas else self._hosted.feed.read(after)

    async def rest(self) -> None:
        """Wait until nothing more happens by itself."""
        await self._hosted.rest()

    async def outcome(self) -> Outcome:
        """Wait until nothing more happens by itself; return what came of the run."""
        await self._hosted.rest()
        return await self._finish(self._hosted)

    async def answer(self, request_id: str, value: Any, *, by: str = "user") -> None:
        """Answer a request in `waiting`; durable when this returns.

        Where another process carries the run out, or nobody does, the answer is left in the journal's inbox.
        """
        state = self._hosted.state
        if request_id not in state.requests:
            waiting = ", ".join(state.requests) or "nothing"
            raise ConfigurationError(f"run {self.id}: no request {request_id!r} is open; waiting: {waiting}")
        given, plan = answer_of(state, state.requests[request_id], value)
        if self._hosted.read_only:
            await self._leave("answer", Answer(self._supervisor.now(), request_id, given, by))
            return
        self._supervisor.answer(self._own("answer"), request_id, given, by, plan=plan)
        await self._hosted.durable()

    def _own(self, what: str) -> HostedRun:
        if self._hosted.read_only:
            owner = self._hosted.state.owner or "another process"
            raise RunOwnedError(f"run {self.id} is only read here: {what} it where it is carried out ({owner})")
        if self._hosted.lost is not None:
            raise self._hosted.lost
        return self._hosted

    async def _leave(self, what: str, message: Answer | Cancel) -> None:
        """Leave a request for whoever carries the run out."""
        inbox = self._hosted.inbox
        if inbox is None:
            self._own(what)
        else:
            self._hosted.asked(await leave_request(inbox, self.id, message, redact=self._supervisor.redact))

    async def cancel(self, *, by: str = "user", reason: str = "") -> None:
        """Stop the run; what is done is kept. Durable when this returns.

        Where another process carries the run out, that is asked to: it obeys within a tenth of a second.
        """
        message = Cancel(self._supervisor.now(), by, reason)
        if self._hosted.read_only:
            await self._leave("cancel", message)
            return
        self._supervisor.send(self._own("cancel"), message)
        await self._hosted.durable()

    async def stop(self, *, code: str = "stopped", reason: str = "") -> None:
        """Start nothing more; `resume` takes the run up again. Durable when this returns."""
        self._supervisor.send(
            self._own("stop"), Stop(self._supervisor.now(), Problem(code, reason or "it was stopped"))
        )
        await self._hosted.durable()

    def __repr__(self) -> str:
        return f"<Run {self.id} {self.status}>"
