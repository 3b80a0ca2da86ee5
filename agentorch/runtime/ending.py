"""Ending a run that nobody carries out, without its team: what is done is kept, nothing more is started."""

import logging
import os
import socket

from agentorch.core import inbox
from agentorch.core.advance import advance, replay
from agentorch.core.state import RunState
from agentorch.errors import RunNotFoundError
from agentorch.ports.clock import SystemClock
from agentorch.ports.journal import Inbox, Journal
from agentorch.runtime.leaving_requests import Redact

log = logging.getLogger(__name__)


async def end_run(
    journal: Journal, run_id: str, *, by: str, reason: str, redact: Redact, owned_by: str | None = None
) -> bool:
    """Take a run over and cancel it; durable when this returns. JournalConflict when somebody else was first.

    What else was asked of it is taken out of the inbox. False, and nothing is done, when `owned_by` is not its owner.
    """
    state = RunState(run_id)
    while page := await journal.read(run_id, after=state.seq):
        replay(state, page)
    if not state.seq:
        raise RunNotFoundError(f"no run {run_id} in this journal")
    if owned_by not in {None, state.owner}:
        return False
    if state.finished:
        return True
    before, now = state.seq, max(state.updated, SystemClock().now())
    owner = f"{socket.gethostname()}:{os.getpid()}"
    events = advance(state, inbox.Adopt(now, owner))
    events += advance(state, redact(inbox.Cancel(now, by, reason)))
    await journal.append(run_id, events, after=before)
    if isinstance(journal, Inbox):
        for request in await journal.requests():
            if request.run_id == run_id:
                log.info("run %s was cancelled: %s asked by %s is of no use any more", run_id, request.kind, request.by)
                await journal.settle(request.id)
    return True
