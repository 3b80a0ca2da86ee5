"""The built-in answerer: the ordinary last task that writes one answer out of several outputs."""

import copy
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from agentorch.agents import Agent, Context, agent
from agentorch.core.failures import FailureKind
from agentorch.core.state import ANSWERER
from agentorch.errors import ModelError
from agentorch.library import extractive_answer
from agentorch.prompts import Prompts

_RAISED: Final = (FailureKind.TRANSIENT, FailureKind.UNCONFIGURED)
"""What is tried again, and what stops a run: no answer is put together over a model that is not set up."""


@agent(name=ANSWERER, description="Writes one answer out of the outputs of several tasks.", attempts=1)
async def _answer_writer(goal: str, parts: dict[str, Any], missing: list[str], context: Context) -> str:
    """Put the parts together."""
    del context
    return extractive_answer(goal, _held(parts), _gaps(parts, missing))


def answerer(prompts: Prompts, *, with_model: bool) -> Agent:
    """Return the agent. Without a model, without time, or when the model cannot, it puts the parts together."""
    if not with_model:
        return _answer_writer
    writer = copy.copy(_answer_writer)  # to describe it anew would take each orchestrator a tenth of its start
    writer.function = partial(_written, prompts)
    return writer


async def _written(prompts: Prompts, goal: str, parts: dict[str, Any], missing: list[str], context: Context) -> str:
    """Ask the model."""
    gaps = _gaps(parts, missing)
    if context.budget.max_seconds != 0:
        try:
            return str(await context.model(prompts.render("writer", goal=goal, parts=_held(parts), missing=gaps)))
        except ModelError as error:
            if error.kind in _RAISED:
                raise
            gaps.append(f"no model wrote this answer: {error}")
    return extractive_answer(goal, _held(parts), gaps)


def _held(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}


def _gaps(parts: Mapping[str, Any], missing: Sequence[str]) -> list[str]:
    return [*missing, *(f"'{name}' brought no output" for name, part in parts.items() if part is None)]
