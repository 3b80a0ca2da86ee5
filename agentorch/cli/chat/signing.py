"""A plan that is signed in a chat: shown, agreed to, refused, or edited first."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from agentorch.cli.typed_answers import Unfit
from agentorch.cli.words import one_line
from agentorch.errors import AgentorchError
from agentorch.plans import Plan
from agentorch.registry import Registry

_EDIT: Final = frozenset({"e", "edit"})
_HEAD: Final = "# The plan, to be changed as you like; saved unchanged, or emptied, it stays as it is.\n"
_MOST: Final = 5
"""Problems that are shown."""


def is_edit(line: str) -> bool:
    """Whether what was typed asks for the editor."""
    return line.strip().lower() in _EDIT


async def edited(plan: Plan, edit: Callable[..., Awaitable[str | None]], registry: Registry) -> Any:
    """Return the answer that gives the plan as it was edited; Unfit when it is as before, or none."""
    was = _HEAD + yaml.safe_dump(plan.to_dict(), sort_keys=False, allow_unicode=True, width=100)
    text = await edit(was, suffix=".yaml")
    if text is None:
        return Unfit("there is no editor here: agentorch approve RUN --plan FILE gives another plan")
    if not text.strip() or text.strip() == was.strip():
        return Unfit("the plan was not changed; y carries it out, n refuses it")
    try:
        changed = _read(text)
    except AgentorchError as error:
        return Unfit(f"{error}; the plan is as before")
    problems = changed.verify(registry).errors
    if problems:
        words = "; ".join(one_line(str(problem)) for problem in problems[:_MOST])
        return Unfit(f"the plan is as before, for what was saved has errors: {words}")
    return {"plan": changed.to_dict()}


def _read(text: str) -> Plan:
    """Return the plan that a person wrote, held to what a plan file is."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan.yaml"
        path.write_text(text, encoding="utf-8")
        return Plan.from_file(path)
