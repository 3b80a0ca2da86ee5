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


def test_where_it_cannot_be_text_the_refusal_says_what_was_meant() -> None:
    """For a number, alone or within a list; another text that does not fit, and one near to no id, is told the type."""
    schema = {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "counts": {"type": "array", "items": {"type": "integer"}},
            "far": {"type": "integer"},
        },
    }
    inputs = {"count": "$typd.size", "counts": ["$typed", "$typpd", "much"], "far": "$elsewhere"}
    plan = Graph((Task("typed", "any"), Task("use", "counter", "", inputs)))
    verified = verify(plan, {"any": AgentCard(name="any"), "counter": AgentCard(name="counter", input=schema)})
    assert [str(problem) for problem in verified.errors] == [
        "E_ARGS use: input 'count': '$typd.size' is not integer (did you mean '$typed'?)",
        "E_ARGS use: input 'counts': 1: '$typpd' is not integer (did you mean '$typed'?)",
        "E_ARGS use: input 'counts': 2: 'much' is not integer ('counts' takes list of integer)",
        "E_ARGS use: input 'far': '$elsewhere' is not integer ('far' takes integer)",
    ]
