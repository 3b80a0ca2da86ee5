"""Requests of other processes: taken out of the journal's inbox, and turned into events of the runs that live here.

1. A request is settled when its events are durable, or when it can never be carried out; a process that was passed
   over settles nothing.
2. What is asked of a run that nobody carries out stays, and is carried out by whoever takes the run up.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from agentorch.core import inbox as core
from agentorch.errors import AgentorchError
from agentorch.ports.journal import Inbox, Journal, Request, TellsRequests
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.person_answers import answer_of
from agentorch.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)

LOOK: Final = 0.08
"""Seconds between two looks at the inbox: a request is an event within a tenth of a second."""


class RequestDesk:
    """Looks at the inbox while runs are carried out here."""

    def __init__(self, journal: Journal, supervisor: Supervisor) -> None:
        self._inbox = journal if isinstance(journal, Inbox) else None
        self._supervisor = supervisor
        self._looking: asyncio.Task[None] | None = None
        self._come = asyncio.Event()
        self._deaf: Callable[[], None] = _nothing

    def open(self) -> None:
        """Begin to look, or to listen."""
        if self._inbox is None:
            return
        if isinstance(self._inbox, TellsRequests):
            self._deaf = self._inbox.listen(self._come.set)
        self._looking = asyncio.get_running_loop().create_task(self._look(), name="agentorch requests")

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._deaf()
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def _look(self) -> None:
        while True:
            if isinstance(self._inbox, TellsRequests):
                await self._come.wait()
                self._come.clear()
            else:
                await asyncio.sleep(LOOK)
            if not self._supervisor.hosted:
                continue
            try:
                await self.take()
            except AgentorchError as error:
                log.warning("requests of other processes cannot be read: %s", error)

    async def take(self, run_id: str | None = None) -> None:
        """Carry out what is asked of the runs here, or of one of them."""
        if self._inbox is None:
            return
        for request in await self._inbox.requests():
            run = self._supervisor.hosted.get(request.run_id)
            if run is not None and run.accepted and run_id in {None, request.run_id}:
                await self._carry_out(self._inbox, run, request)

    async def _carry_out(self, inbox: Inbox, run: HostedRun, request: Request) -> None:
        try:
            self._decide(run, request)
        except AgentorchError as error:
            log.warning("run %s: %s asked by %s: %s", run.state.run_id, request.kind, request.by, error)
        try:
            await run.durable()
        except AgentorchError:
            return
        if run.lost is None:
            await inbox.settle(request.id)

    def _decide(self, run: HostedRun, request: Request) -> None:
        now = self._supervisor.now()
        match request.kind:
            case "cancel":
                reason = str(request.payload.get("reason", ""))
                self._supervisor.send(run, core.Cancel(now, request.by, reason))
            case "answer":
                name, value = str(request.payload.get("request_id")), request.payload.get("value")
                asked = run.state.requests.get(name)
                if asked is None:
                    raise AgentorchError(f"{name!r} is not open any more")
                answer, plan = answer_of(run.state, asked, value)
                self._supervisor.answer(run, name, answer, request.by, plan=plan)
            case _:
                raise AgentorchError("this release does not know what that is")


def _nothing() -> None:
    pass
