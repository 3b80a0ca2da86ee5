"""Runs that begin as others did."""

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.planned import opening
from agentorch.core.task import Graph
from agentorch.core.verifier import verify
from tests.core.bench import Bench, task


def test_a_run_that_begins_as_another_one_did_decides_the_same() -> None:
    """But for its own id and time; told again, it decides nothing."""
    told, again = Bench(), Bench()
    plan = verify(Graph((task("a"), task("b", "a")), "$b"), told.state.catalog)
    message = msg.Begin(1.0, "goal", plan=plan)
    told.send(message)
    again.state.run_id = again.twin.run_id = "other"

    begun = again.send(msg.BeginAs(2.0, opening(again.state.catalog, message)))
    twice = again.send(msg.BeginAs(3.0, opening(again.state.catalog, message)))

    assert begun == [event.model_copy(update={"run_id": "other", "at": 2.0}) for event in told.events]
    assert [type(event) for event in begun] == [ev.RunStarted, ev.TasksAccepted, ev.PlanCompleted]
    assert twice == []


def test_what_an_agent_does_to_its_run_s_inputs_is_seen_by_no_other_run() -> None:
    """They share what they began with, and each has inputs of its own."""
    first, second = Bench(), Bench()
    plan = verify(Graph((task("a"),), "$a"), first.state.catalog)
    events = opening(first.state.catalog, msg.Begin(1.0, "goal", plan=plan))
    first.send(msg.BeginAs(1.0, events))
    first.state.outputs["inputs"]["more"] = 1
    second.send(msg.BeginAs(2.0, events))
    assert second.state.outputs["inputs"] == {}
