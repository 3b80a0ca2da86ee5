"""A plan is signed off: until then nothing is admitted, whatever is ready."""

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.failures import Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Graph
from tests.core.bench import Bench, kinds, next_ready, task

SIGNED = Policy(approval="plan")


def test_what_is_ready_waits_for_the_signature() -> None:
    """Planned task by task or hand-made: no task is admitted before; the run is idle once the plan is whole."""
    bench = Bench().begin(policy=SIGNED)
    bench.send(msg.Propose(bench.now, (task("a"),), "model"))
    planning = (next_ready(bench.state), bench.state.idle, bench.send(msg.Admit(bench.now, "a")))
    bench.send(msg.Complete(bench.now, (task("a"), task("b", "a")), None, "model"))
    whole = (next_ready(bench.state), bench.state.idle, list(bench.state.requests))
    bench.send(msg.Answer(bench.now, "plan", True, "ann"))
    assert (planning, whole) == ((None, False, []), (None, True, ["plan"]))
    assert next_ready(bench.state) == "a"
    bench.run_out()


def test_a_refusal_ends_the_run() -> None:
    """Cancelled, in words."""
    bench = Bench().begin(task("a"), policy=SIGNED)
    sent = bench.send(msg.Answer(bench.now, "plan", False, "ann"))
    assert kinds(sent) == ["RequestAnswered", "RunCancelling", "TaskCancelled a", "RunFinished"]


def test_a_cancel_takes_the_question_back() -> None:
    """Nobody is asked to sign the plan of a run that is over."""
    bench = Bench().begin(task("a"), policy=SIGNED)
    bench.send(msg.Cancel(bench.now, "ann"))
    assert (bench.state.status, bench.state.requests, bench.state.pending) == ("cancelled", {}, {})


def test_an_edited_plan_is_a_patch() -> None:
    """What is new is put, what is gone is dropped, what is the same stays; a plan with errors changes nothing."""
    bench = Bench().begin(task("a"), task("b", "a"), task("c", "b"), policy=SIGNED)
    bad = bench.send(msg.Answer(bench.now, "plan", {"plan": {}}, "ann", Graph((task("a", "nowhere"),))))
    edited = Graph((task("a"), task("d", "a")))
    sent = bench.send(msg.Answer(bench.now, "plan", {"plan": {}}, "ann", edited))
    (patched,) = [event for event in sent if isinstance(event, ev.PlanPatched)]
    assert (bad, [one.id for one in patched.put], patched.drop) == ([], ["d"], ("b", "c"))
    assert patched.answer == "$d"
    bench.run_out()


def test_another_answer_alone_is_an_edit_and_the_same_plan_is_none() -> None:
    """The reference that answers may change while the tasks stay."""
    bench = Bench().begin(task("a"), task("b"), answer="$a", policy=SIGNED)
    same = bench.send(msg.Answer(bench.now, "plan", {"plan": {}}, "ann", Graph((task("a"), task("b")), "$a")))
    assert kinds(same) == ["RequestAnswered"]
    assert next_ready(bench.state) == "a"


def test_a_plan_that_was_cut_short_is_signed_too() -> None:
    """What was accepted of it is the plan."""
    bench = Bench().begin(policy=SIGNED)
    bench.send(msg.Propose(bench.now, (task("a"),), "model"))
    sent = bench.send(msg.PlanningFailed(bench.now, (Problem("plan", "no"),), "planners"))
    assert kinds(sent) == ["PlanRejected", "PlanCompleted", "RequestOpened"]
    bench.send(msg.Answer(bench.now, "plan", True, "ann"))
    bench.run_out()
