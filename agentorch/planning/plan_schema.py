"""The form in which a model is asked for a plan or a patch: safe for strict structured output.

No dicts (lists of name and value instead), no defaults, no `oneOf`: strict modes refuse those. Plans in other forms are
read too, by `raw_plan`; this is only what is asked for.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

from agentorch.ports.model import OutputSchema

Scalar = str | int | float | bool | None


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", defer_build=True)


class PlannedInput(_Asked):
    """One input of a task."""

    name: str
    value: Scalar | list[Scalar]
    """A value, or a reference to one: `$id` or `$id.path`."""


class PlannedTask(_Asked):
    """One task."""

    id: str
    agent: str
    objective: str
    inputs: list[PlannedInput]
    needs: list[str]


class PlannedPlan(_Asked):
    """A whole plan, or the rest of one."""

    tasks: list[PlannedTask]
    answer: str | None


class PlannedPatch(_Asked):
    """A change of a running plan."""

    put: list[PlannedTask]
    drop: list[str]
    answer: str | None


def plan_form() -> OutputSchema:
    """Return the form of a plan."""
    return OutputSchema("plan", _schema(PlannedPlan))


def patch_form() -> OutputSchema:
    """Return the form of a patch."""
    return OutputSchema("patch", _schema(PlannedPatch))


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()
