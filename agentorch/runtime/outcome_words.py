"""What came of a run, as Markdown."""

from collections.abc import Sequence
from typing import Any

from agentorch.core.failures import Problem
from agentorch.pictures.markdown import cell, shown


def markdown_of(answer: Any, problems: Sequence[Problem], sources: Sequence[str]) -> str:
    """Return the answer, then what went wrong, then what it rests on."""
    parts = ["*No answer.*" if answer is None else shown(answer)]
    if problems:
        parts.append("**Problems**\n\n" + "\n".join(f"- {cell(str(problem))}" for problem in problems))
    if sources:
        parts.append("**Sources**\n\n" + "\n".join(f"- {cell(source)}" for source in sources))
    return "\n\n".join(parts)
