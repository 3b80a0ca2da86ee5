"""Requests on their way to the inbox: what a person asks of a run that somebody else carries out, without secrets."""

from collections.abc import Callable

from agentorch.core import inbox as core
from agentorch.ports.journal import Inbox

Redact = Callable[[core.Message], core.Message]
"""Returns a message without secrets."""


async def leave_request(inbox: Inbox, run_id: str, message: core.Cancel | core.Answer, *, redact: Redact) -> int:
    """Leave what the run's owner is to be told; durable when this returns, with the id that it has in the inbox."""
    match redact(message):
        case core.Cancel(at, by, reason):
            return await inbox.request(run_id, "cancel", {"reason": reason}, by=by, at=at)
        case core.Answer(at, request_id, value, by):
            return await inbox.request(run_id, "answer", {"request_id": request_id, "value": value}, by=by, at=at)
        case other:
            raise TypeError(f"{type(other).__name__} is no request")
