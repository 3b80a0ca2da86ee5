"""Strings of a hand-made plan that look like references and are none."""

from agentorch.core.card import AgentCard
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import verify


def test_a_mistyped_reference_of_a_hand_made_plan_is_warned_of() -> None:
    """It stays text, wherever in the inputs it stands, and the nearest id is offered; the task's own is not near."""
    inputs = {"a": ["see", "$fnd.facts"], "goal": "$gaol", "self": "$fins", "note": "$find costs $5"}
    plan = Graph((Task("find", "any"), Task("fin", "any", "", inputs)))
    verified = verify(plan, {"any": AgentCard(name="any")})
    assert (verified.errors, verified.tasks[1].inputs, verified.tasks[1].needs) == ((), inputs, ())
    assert [str(problem) for problem in verified.warnings] == [
        "W_UNKNOWN_REF fin: input 'a.1': $fnd.facts names no task, so it is passed on as text (did you mean '$find'?)",
        "W_UNKNOWN_REF fin: input 'goal': $gaol names no task, so it is passed on as text (did you mean '$goal'?)",
        "W_UNKNOWN_REF fin: input 'self': $fins names no task, so it is passed on as text (did you mean '$find'?)",
    ]
