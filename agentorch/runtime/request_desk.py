"""Requests of other processes: taken out of the journal's inbox, and turned into events of the runs that live here.

1. A request is settled when its events are durable, or when it can never be carried out; a process that was passed
   over settles nothing.
2. What is asked of a run that nobody carries out stays, and is carried out by whoever takes the run up, before
   anything of the run is.
3. What is asked of a run that is over, or is not in the journal, is settled by whoever sees it. A cancel of a run that
   this process has lost is carried out all the same: by the journal it is still its owner.
4. No request, and no failing journal, ends the looking.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, get_args

from agentorch.core import inbox as core
from agentorch.core.events import RunStatus
from agentorch.errors import AgentorchError, RunOwnedError
from agentorch.ports.journal import Inbox, Journal, Request, TellsRequests
from agentorch.runtime.complaints import Complaints
from agentorch.runtime.ending import end_run
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.person_answers import answer_of
from agentorch.runtime.supervisor import Supervisor

log = logging.getLogger(__name__)

LOOK: Final = 0.08
"""Seconds between two looks at the inbox: a request is an event within a tenth of a second."""
STRAYS: Final = 1.0
"""Seconds between two looks at requests for runs that are not carried out here."""
_OVER: Final = frozenset(get_args(RunStatus))


class RequestDesk:
    """Looks at the inbox while runs are carried out here."""

    def __init__(
        self, journal: Journal, supervisor: Supervisor, *, redacted: Callable[[Any], Any] = lambda value: value
    ) -> None:
        self._journal = journal
        self._inbox = journal if isinstance(journal, Inbox) else None
        self._supervisor = supervisor
        self._redacted = redacted
        self._looking: asyncio.Task[None] | None = None
        self._come = asyncio.Event()
        self._deaf: Callable[[], None] = _nothing
        self._decided: set[int] = set()
        """Requests that are decided on here: until they are out of the inbox they are seen again."""
        self._strays_due = 0.0
        self._complaints = Complaints(log)

    def open(self) -> None:
        """Begin to look, or to listen."""
        if self._inbox is None:
            return
        if isinstance(self._inbox, TellsRequests):
            self._deaf = self._inbox.listen(self._come.set)
        self._looking = asyncio.get_running_loop().create_task(self._look(self._inbox), name="agentorch requests")

    async def close(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._deaf()
            self._looking.cancel()
            await asyncio.wait([self._looking])

    async def take_first(self, run: HostedRun) -> None:
        """Carry out what was asked of a run before it was taken up here; nothing of it may be under way yet."""
        if self._inbox is None:
            return
        for request in await self._inbox.requests():
            if request.run_id == run.state.run_id:
                await self._carry_out(self._inbox, run, request)
        self._come.set()  # what comes until the run is accepted

    async def _look(self, inbox: Inbox) -> None:
        tells = isinstance(inbox, TellsRequests)
        is_busy = True  # what was left before this process began is looked at once
        while True:
            was_busy, is_busy = is_busy, bool(self._supervisor.hosted or self._supervisor.lost)
            if was_busy or is_busy or tells:
                again = not await self._look_once(inbox)
                if tells and not again:
                    await self._come.wait()
                    self._come.clear()
                    continue
                is_busy |= again
            await asyncio.sleep(LOOK)

    async def _look_once(self, inbox: Inbox) -> bool:
        """See to each request in the inbox; return False when one is to be seen again."""
        strays, seen = self._looks_at_strays(), True
        try:
            for request in await inbox.requests():
                seen &= await self._see(inbox, request, strays=strays)
        except Exception as error:  # noqa: BLE001  # whatever it was, the next look is due
            self._complain("requests of other processes cannot be read", error)
            return False
        return seen

    def _looks_at_strays(self) -> bool:
        """Whether it is time to look at requests for runs that are not carried out here."""
        now = asyncio.get_running_loop().time()
        if not isinstance(self._inbox, TellsRequests) and self._supervisor.hosted and now < self._strays_due:
            return False
        self._strays_due = now + STRAYS
        return True

    async def _see(self, inbox: Inbox, request: Request, *, strays: bool) -> bool:
        """Carry a request out, or settle it, if that is for this process to do; False when it is to be seen again."""
        run = self._supervisor.hosted.get(request.run_id)
        try:
            if run is not None and not run.accepted:
                return False
            if run is not None:
                await self._carry_out(inbox, run, request)
            elif strays:
                await self._settle_stray(inbox, request)
        except Exception as error:  # noqa: BLE001  # the others must not wait for it
            self._complain(f"run {request.run_id}: {request.kind} asked by {request.by} is not settled yet", error)
            return False
        return True

    async def _settle_stray(self, inbox: Inbox, request: Request) -> None:
        record = await self._journal.record(request.run_id)
        if record is not None and record.status not in _OVER:
            if request.kind == "cancel" and request.run_id in self._supervisor.lost:
                await self._end_lost(request)
            return
        self._supervisor.lost.discard(request.run_id)
        why = "there is no such run" if record is None else f"the run is over: {record.status}"
        log.info("run %s: %s asked by %s is dropped: %s", request.run_id, request.kind, request.by, why)
        await inbox.settle(request.id)

    async def _end_lost(self, request: Request) -> None:
        """End a run that this process has lost, unless somebody else has taken it up: nobody else would."""
        us, redact = self._supervisor.owner, self._supervisor.redact
        reason = str(request.payload.get("reason", ""))
        by = request.by
        if not await end_run(self._journal, request.run_id, by=by, reason=reason, redact=redact, owned_by=us):
            self._supervisor.lost.discard(request.run_id)

    async def _carry_out(self, inbox: Inbox, run: HostedRun, request: Request) -> None:
        if request.id not in self._decided:
            before = run.state.seq
            self._decided.add(request.id)
            self._decide_or_refuse(run, request)
            if run.state.seq == before:
                await self._let_go_if_passed_over(run)
        with suppress(Exception):  # what it was, `lost` says
            await run.durable()
        if run.lost is None:
            await inbox.settle(request.id)
        else:
            self._decided.discard(request.id)  # it is nowhere written; should the run come back, it is asked again

    async def _let_go_if_passed_over(self, run: HostedRun) -> None:
        """Lose a run that somebody else has written on: what was refused here may be what the run waits for there."""
        record = await self._journal.record(run.state.run_id)
        if record is not None and record.head > run.state.seq:
            run_id = run.state.run_id
            run.lose(RunOwnedError(f"run {run_id} was taken over by another process: attach to it"))

    def _decide_or_refuse(self, run: HostedRun, request: Request) -> None:
        said = (run.state.run_id, request.kind, request.by)
        try:
            self._decide(run, request)
        except AgentorchError as error:
            log.warning("run %s: %s asked by %s: %s", *said, error)
        except Exception:
            log.exception("run %s: %s asked by %s cannot be understood", *said)

    def _decide(self, run: HostedRun, request: Request) -> None:
        if run.state.finished:
            raise AgentorchError(f"the run is over: {run.state.status}")
        now = self._supervisor.now()
        match request.kind:
            case "cancel":
                reason = str(request.payload.get("reason", ""))
                with run.or_lost():
                    self._supervisor.send(run, core.Cancel(now, request.by, reason))
            case "answer":
                name, value = str(request.payload.get("request_id")), request.payload.get("value")
                asked = run.state.requests.get(name)
                if asked is None:
                    raise AgentorchError(f"{name!r} is not open any more")
                answer, plan = answer_of(run.state, asked, self._redacted(value))
                with run.or_lost():
                    self._supervisor.answer(run, name, answer, request.by, plan=plan)
            case _:
                raise AgentorchError("this release does not know what that is")

    def _complain(self, what: str, error: Exception) -> None:
        self._complaints.say(what, error, now=asyncio.get_running_loop().time())


def _nothing() -> None:
    pass
