"""Requests to a person: whether an answer fits what was asked for, and what a request and its answer do."""

from typing import Any

from agentorch.core import events as ev
from agentorch.core.commands import AskPerson
from agentorch.core.empties import own
from agentorch.core.joins import wait_for
from agentorch.core.literals import literal_problems
from agentorch.core.scheduling import make_ready, unready
from agentorch.core.state import Request, RunState, Status


def problems_of_answer(request: Request, value: Any) -> tuple[str, ...]:
    """Return in words why `value` is no answer to `request`; none when it fits its `answer_schema`.

    To be asked before the answer is journaled.
    """
    return tuple(literal_problems(value, request.answer_schema))


def request_opened(state: RunState, event: ev.RequestOpened) -> None:
    """Enter a request; whoever asked, or the task that it is about, waits for the answer."""
    request = Request(
        event.request_id, event.kind, event.task, event.question, event.answer_schema, event.key, event.effect
    )
    if event.request_id not in state.requests:  # a later dispatch of the same attempt asks the same: it is open already
        command = state.pending[event.request_id] = AskPerson(event.request_id)
        state.gained.append(command)
    own(state, "requests")[event.request_id] = request
    asking = state.of_key(event.key or "")
    if asking is not None:
        wait_for(state, asking, questions=1)
    if event.task is not None and event.key is None:
        task = state.tasks[event.task]
        unready(state, task)
        task.status = Status.WAITING
        task.waiting = event.kind if event.kind in {"approval", "effect"} else "person"


def request_answered(state: RunState, event: ev.RequestAnswered) -> None:
    """Enter an answer, and let go on what waited for it."""
    request = state.requests.pop(event.request_id)
    state.pending.pop(event.request_id, None)
    own(state, "answers")[event.request_id] = event.value
    asking = state.of_key(request.key or "")
    if asking is not None:
        wait_for(state, asking, questions=-1)
    if request.kind == "plan":
        state.unsigned = False
    if request.kind == "approval" and request.key is None and event.value is True and request.task is not None:
        task = state.tasks[request.task]
        task.approved = True
        make_ready(state, task)
