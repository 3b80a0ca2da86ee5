"""The summarizer: what matters, in a few sentences. With a model it rewrites; without, it picks and says so."""

from typing import Any

from agentorch.agents import Context, agent
from agentorch.errors import ConfigurationError, FailureKind, ModelError
from agentorch.library import extract, extractive_answer
from agentorch.prompts import Prompts


@agent(
    description="Summarizes: gives a short summary or overview of long texts, keeping their sources.",
    capabilities=["summarize"],
)
async def summarizer(parts: dict[str, Any], context: Context, sentences: int = 7) -> str:
    """Return about so many sentences on `parts`: texts or other outputs, by any names."""
    goal = context.task.objective
    prompt = Prompts().render("summarizer", goal=goal, parts=parts, sentences=sentences)
    try:
        return str(await context.model(prompt))
    except ConfigurationError:  # no model is set
        return _extracted(goal, parts, sentences)
    except ModelError as error:
        if error.kind in {FailureKind.TRANSIENT, FailureKind.UNCONFIGURED}:
            raise
        return _extracted(goal, parts, sentences)


def _extracted(goal: str, parts: dict[str, Any], sentences: int) -> str:
    shortened = {
        name: extract(part, goal, sentences) if isinstance(part, str) else part for name, part in parts.items()
    }
    missing = [f"{name} gave no output" for name, part in parts.items() if part is None]
    return extractive_answer(goal, shortened, missing)
