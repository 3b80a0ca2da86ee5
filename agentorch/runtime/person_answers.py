"""What a person answers, held to what was asked, and to the run, before anything of it is written down."""

from typing import Any, cast

from agentorch.core.requests import problems_of_answer
from agentorch.core.signing import edit_of
from agentorch.core.state import Request, RunState
from agentorch.core.task import Graph
from agentorch.errors import ConfigurationError
from agentorch.plans import Plan


def answer_of(state: RunState, request: Request, value: Any) -> tuple[Any, Graph | None]:
    """Return the answer as JSON, and the plan in it when it is one that was edited.

    ConfigurationError says in one line why it is no answer to that request.
    """
    given = {"plan": value.to_dict()} if isinstance(value, Plan) else value
    problems = problems_of_answer(request, given)
    if problems:
        raise ConfigurationError(f"request {request.request_id}: {'; '.join(problems)}")
    if request.kind != "plan" or not isinstance(given, dict):
        return given, None
    edited = cast("dict[str, Any]", given)
    plan = Plan.from_dict(edited["plan"]).graph()
    _, errors = edit_of(state, plan)
    if errors:
        raise ConfigurationError("the edited plan has errors: " + "; ".join(str(problem) for problem in errors))
    return edited, plan
