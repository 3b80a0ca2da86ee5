"""Ending a run that nobody carries out, without its team: what is done is kept, nothing more is started."""

import os
import socket

from agentorch.core import inbox
from agentorch.core.advance import advance, replay
from agentorch.core.state import RunState
from agentorch.errors import RunNotFoundError
from agentorch.ports.clock import SystemClock
from agentorch.ports.journal import Journal


async def end_run(journal: Journal, run_id: str, *, by: str, reason: str) -> None:
    """Take a run over and cancel it; durable when this returns. JournalConflict when somebody else was first."""
    state = RunState(run_id)
    while page := await journal.read(run_id, after=state.seq):
        replay(state, page)
    if not state.seq:
        raise RunNotFoundError(f"no run {run_id} in this journal")
    if state.finished:
        return
    before, now = state.seq, max(state.updated, SystemClock().now())
    owner = f"{socket.gethostname()}:{os.getpid()}"
    events = advance(state, inbox.Adopt(now, owner))
    events += advance(state, inbox.Cancel(now, by, reason))
    await journal.append(run_id, events, after=before)
