"""`agentorch cancel`: a run is ended by whoever carries it out, or here when nobody does, or who does stands still."""

import time
from typing import Final

import anyio

from agentorch.cli.journals import named_run, reading
from agentorch.cli.obeying import Heard, Reading, inbox_of, me
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.core.inbox import Cancel
from agentorch.errors import JournalConflict
from agentorch.runtime.ending import end_run
from agentorch.runtime.leaving_requests import Redact, leave_request

_TRIES: Final = 3


def cancel_run(run: str, setup: Setup, *, reason: str, json: bool) -> int:
    """Stop a run; return the exit code."""
    screen = Screen()

    async def cancelled() -> str:
        async with reading(setup.journal) as journal:
            record = await named_run(journal, run)
            seen = Reading(journal, record.run_id)
            await seen.catch_up()
            return await _cancelled(seen, reason, setup.redactor().message)

    words = anyio.run(cancelled)
    if json:
        screen.json({"said": words}, indent=None)
    else:
        screen.say(words, whole=True)
    return 0


async def _cancelled(seen: Reading, reason: str, redact: Redact) -> str:
    """Cancel the run; return in words how."""
    run_id, owner = seen.state.run_id, seen.state.owner
    if seen.state.finished:
        return f"run {run_id} is over already: {seen.state.status}"
    if not seen.owner_lives:
        return await _ended(seen, reason, redact, "which nobody carried out")
    asked = await leave_request(inbox_of(seen.journal), run_id, Cancel(time.time(), me(), reason), redact=redact)
    heard = await seen.heard(asked, lambda now: now.cancelling is not None or now.finished, to_the_end=True)
    if heard is Heard.OBEYED:
        return f"cancelled run {run_id}"
    if heard is Heard.GONE:
        return await _ended(seen, reason, redact, f"whose process ({owner}) has ended, or stands still")
    return f"asked; {owner} is alive and has not obeyed yet: it will when it can: agentorch runs show {run_id}"


async def _ended(seen: Reading, reason: str, redact: Redact, which: str) -> str:
    run_id = seen.state.run_id
    for left in reversed(range(_TRIES)):
        try:
            await end_run(seen.journal, run_id, by=me(), reason=reason, redact=redact)
            break
        except JournalConflict:  # somebody has written just now, and may be about to end
            if not left:
                raise
    return f"cancelled run {run_id}, {which}"
