"""Requests to a person: does an answer fit what was asked for? To be asked before the answer is journaled."""

from typing import Any

from agentorch.core.literals import literal_problems
from agentorch.core.state import Request


def problems_of_answer(request: Request, value: Any) -> tuple[str, ...]:
    """Return in words why `value` is no answer to `request`; none when it fits its `answer_schema`."""
    return tuple(literal_problems(value, request.answer_schema))
