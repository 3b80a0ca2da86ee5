"""The built-in answerer: the ordinary last task that writes one answer out of several outputs."""

from typing import Any

from agentorch.agents import Agent, Context, agent
from agentorch.core.failures import FailureKind
from agentorch.core.state import ANSWERER
from agentorch.errors import ModelError
from agentorch.library import extractive_answer
from agentorch.prompts import Prompts


def answerer(prompts: Prompts, *, with_model: bool) -> Agent:
    """Return the agent. Without a model, without time, or when the model cannot, it puts the parts together."""

    @agent(name=ANSWERER, description="Writes one answer out of the outputs of several tasks.", attempts=1)
    async def answer_writer(goal: str, parts: dict[str, Any], missing: list[str], context: Context) -> str:
        gaps = [*missing, *(f"'{name}' brought no output" for name, part in parts.items() if part is None)]
        held = {name: part for name, part in parts.items() if part is not None}
        if with_model and context.budget.max_seconds != 0:
            try:
                return str(await context.model(prompts.render("writer", goal=goal, parts=held, missing=gaps)))
            except ModelError as error:
                if error.kind is FailureKind.TRANSIENT:
                    raise
                gaps.append(f"no model wrote this answer: {error}")
        return extractive_answer(goal, held, gaps)

    return answer_writer
