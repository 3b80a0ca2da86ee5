"""The writer: one text out of what the others found. With a model it writes; without, it extracts and says so."""

from typing import Any

from agentorch.agents import Context, agent
from agentorch.errors import ConfigurationError, FailureKind, ModelError
from agentorch.library import extractive_answer
from agentorch.prompts import Prompts


@agent(
    description="Writes the closing text: an answer, report or essay that brings together what the others found.",
    capabilities=["write"],
)
async def writer(goal: str, parts: dict[str, Any], context: Context, missing: list[str] | None = None) -> str:
    """Answer `goal` out of `parts`, outputs by task id, null where a task gave none; name what is `missing`."""
    held = {name: part for name, part in parts.items() if part is not None}
    gaps = [*(missing or ()), *(f"{name} gave no output" for name, part in parts.items() if part is None)]
    prompt = Prompts().render("writer", goal=goal, parts=held, missing=gaps)
    try:
        return str(await context.model(prompt))
    except ConfigurationError:  # no model is set
        return extractive_answer(goal, held, gaps)
    except ModelError as error:
        if error.kind in {FailureKind.TRANSIENT, FailureKind.UNCONFIGURED}:
            raise
        return extractive_answer(goal, held, [*gaps, f"the model wrote no answer ({error})"])
