"""A plan that a person hands back: read, and held to the run before anything is written down."""

from typing import Any, cast

from agentorch.core.signing import edit_of
from agentorch.core.state import RunState
from agentorch.core.task import Graph
from agentorch.errors import ConfigurationError
from agentorch.plans import Plan


def edited_plan(state: RunState, value: Any) -> Graph | None:
    """Return the plan in the answer `{"plan": ...}`, None in any other; ConfigurationError says why it cannot be."""
    if not isinstance(value, dict) or "plan" not in value:
        return None
    plan = Plan.from_dict(cast("dict[str, Any]", value)["plan"]).graph()
    _, problems = edit_of(state, plan)
    if problems:
        raise ConfigurationError("the edited plan has errors: " + "; ".join(str(problem) for problem in problems))
    return plan
