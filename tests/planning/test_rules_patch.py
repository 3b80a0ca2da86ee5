"""The rule planner as the last resort of a re-plan: another agent in the failed task's place."""

from typing import Any

from agentorch.core.failures import Problem
from agentorch.core.task import Task
from agentorch.planning.rule_planner import RulePlanner
from agentorch.ports.planner import Finished, PlanReport, PlanRequest
from tests.planning import teams as t


def archivist(query: str) -> t.Findings: ...
def scout(question: str, depth: int = 1) -> t.Findings: ...
def watched(question: str) -> t.Findings: ...
def gauge(question: str) -> t.Weather: ...


ARCHIVIST = t.card(archivist, "Finds passages in the archive.")
SCOUT = t.card(scout, "Looks around.", capabilities=("search",))
SEARCHER = t.LIBRARIAN.model_copy(update={"capabilities": ("search",)})
WATCHED = t.card(watched, "Finds passages about a bus in the user's files.", capabilities=("search",), effects="once")
GAUGE = t.card(gauge, "Finds passages that tell the weather in the user's files.")
FAILED = Task("look", "librarian", inputs={"question": "$goal"}, needs=())


async def patched(*cards: Any, tried: frozenset[str] = frozenset()) -> PlanReport:
    request = PlanRequest(
        "What is a bus?",
        cards,
        tasks=(Finished(FAILED, "waiting", frozen=False),),
        failed=(Problem("crash", "boom", task="look"),),
        tried={"look": tried},
    )
    return await RulePlanner().patch(request)


async def test_an_agent_with_the_same_capability_stands_in() -> None:
    """A shared capability beats the better match in words; inputs go by name."""
    report = await patched(SEARCHER, ARCHIVIST, SCOUT)

    assert report.patch.put == (Task("look", "scout", inputs={"question": "$goal"}),)
    assert report.notes == ["look: scout stands in for librarian"]


async def test_inputs_of_another_name_go_by_type() -> None:
    """The only spare input that fits fills the required parameter."""
    report = await patched(t.LIBRARIAN, ARCHIVIST)

    assert report.patch.put == (Task("look", "archivist", inputs={"query": "$goal"}),)


async def test_an_agent_that_has_failed_is_not_asked_again() -> None:
    """With nobody left the patch is empty, and a note says so."""
    report = await patched(t.LIBRARIAN, ARCHIVIST, tried=frozenset({"librarian", "archivist"}))

    assert (report.patch.put, report.patch.drop) == ((), ())
    assert report.notes == ["look: no other agent can stand in for librarian"]


async def test_another_kind_of_output_cannot_stand_in() -> None:
    """What certainly does not fit is not tried, however well its words match."""
    assert (await patched(t.LIBRARIAN, GAUGE)).patch.put == ()


async def test_an_agent_with_effects_does_not_stand_in_for_one_without() -> None:
    """However well its words match; the note says why."""
    report = await patched(t.LIBRARIAN, WATCHED)

    assert report.patch.put == ()
    assert report.notes == [
        "look: watched may not stand in for librarian: its effects are 'once', not 'none'",
        "look: no other agent can stand in for librarian",
    ]


async def test_a_harmless_agent_is_taken_instead() -> None:
    """One with effects is passed over, even with the same capability."""
    report = await patched(SEARCHER, WATCHED, ARCHIVIST)

    assert [task.agent for task in report.patch.put] == ["archivist"]


async def test_only_an_agent_of_the_same_capability_stands_in_for_effects() -> None:
    """What was to be done is not taken for done because another agent gave an output of the same type."""
    acting = SEARCHER.model_copy(update={"effects": "once"})

    assert (await patched(acting, ARCHIVIST)).patch.put == ()
    assert [task.agent for task in (await patched(acting, ARCHIVIST, WATCHED)).patch.put] == ["watched"]


async def test_an_input_that_is_not_there_rules_an_agent_out() -> None:
    """`counter` needs a number that the failed task did not have."""
    assert (await patched(t.LIBRARIAN, t.COUNTER)).patch.put == ()
