"""The rule planner: which DAG it makes of which team and goal."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentorch.core.card import AgentCard
from agentorch.errors import PlanError
from agentorch.planning.rule_planner import RulePlanner
from agentorch.ports.planner import PlanReport, PlanRequest
from tests.planning import teams as t
from tests.planning.rule_plans import BUSES, TABLE, Inputs


async def planned(goal: str, cards: list[AgentCard], **more: Any) -> PlanReport:
    return await RulePlanner().plan(PlanRequest(goal, tuple(cards), **more))


def planned_at_once(goal: str, cards: list[AgentCard]) -> PlanReport:
    """Plan without an event loop: the rule planner never waits for anything."""
    try:
        planned(goal, cards).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("the rule planner waited")


@pytest.mark.parametrize(("goal", "cards", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
async def test_a_team_and_a_goal_give_this_dag(goal: str, cards: list[AgentCard], expected: Inputs) -> None:
    """Each row of the table is planned as it says."""
    report = await planned(goal, cards)

    assert {task.id: task.inputs for task in report.graph.tasks} == expected


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TABLE), st.randoms(use_true_random=False))
def test_the_order_of_the_agents_does_not_matter(row: Any, random: Any) -> None:
    """Shuffling the cards gives the same plan and the same notes."""
    _, goal, cards, _ = row
    shuffled = list(cards)
    random.shuffle(shuffled)

    assert planned_at_once(goal, shuffled) == planned_at_once(goal, cards)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.sampled_from([value for value in vars(t).values() if isinstance(value, AgentCard)]),
        unique_by=lambda c: c.name,
    )
)
def test_any_team_gives_a_sound_plan_or_words(cards: list[AgentCard]) -> None:
    """Needs lead upwards only, each agent works once, and refusals are PlanErrors."""
    try:
        report = planned_at_once("Write about the weather", cards)
    except PlanError:
        return

    seen: set[str] = set()
    for task in report.graph.tasks:
        assert set(task.needs) <= seen
        seen.add(task.id)
    assert seen
    agents = [task.agent for task in report.graph.tasks]
    assert len(agents) == len(set(agents))


async def test_what_nobody_can_fill_is_refused_in_words() -> None:
    """The refusal names the agent, the parameter and the remedy."""
    with pytest.raises(
        PlanError, match="agent 'counter': nobody can fill 'number' \\(integer\\): give it with inputs="
    ):
        await planned("Three", [t.COUNTER])


async def test_the_agent_that_the_goal_asks_for_is_not_left_out_in_silence() -> None:
    """When the best match in words cannot be fed, the goal is refused."""
    with pytest.raises(PlanError, match="agent 'stylist': nobody can fill 'meter'"):
        await planned("A sonnet on buses", [t.RESEARCHER, t.STYLIST])


async def test_another_agent_is_no_substitute_for_one_of_the_parameters_name() -> None:
    """Hotels are no flights: the refusal names the inputs that nobody can fill; given, they make the plan."""
    team = [t.HOTEL, t.FLIGHTS, t.ITINERARY]
    with pytest.raises(PlanError, match=r"'itinerary' needs 'flights', and .*nobody can fill 'city' .* and 'date'"):
        await planned("Plan a trip to Oslo", team)

    report = await planned("Plan a trip to Oslo", team, inputs={"city": "Oslo", "date": "today"})

    assert report.graph.tasks[-1].inputs == {"hotels": "$hotel", "flights": "$flights"}


async def test_who_cannot_be_fed_is_left_out_of_what_the_goal_asks_for() -> None:
    """The goal speaks of another, so the plan is made, and a note says what nobody can fill."""
    report = await planned("Hotels in Oslo", [t.HOTEL, t.FLIGHTS, t.ITINERARY])

    assert [task.inputs for task in report.graph.tasks] == [{"city": "$goal"}]
    assert "itinerary is left out: nobody can fill 'flights'" in report.notes


async def test_nobody_takes_the_place_of_a_feeder_that_may_not_work() -> None:
    """An agent with effects that the goal does not order is not replaced by one of the same type either."""
    acting = t.FLIGHTS.model_copy(update={"effects": "once"})
    with pytest.raises(PlanError, match="agent 'itinerary' needs 'flights', and agent 'flights' cannot be used"):
        await planned("A trip to Oslo", [t.HOTEL, acting, t.ITINERARY], inputs={"city": "Oslo", "date": "today"})


async def test_an_input_of_the_run_fills_a_parameter_of_its_name() -> None:
    """`inputs={"meter": ...}` makes the same team work."""
    report = await planned("A sonnet on buses", [t.RESEARCHER, t.STYLIST], inputs={"meter": "iamb"})

    assert report.graph.tasks[-1].inputs == {"facts": "$researcher", "meter": "$inputs.meter"}


async def test_no_agent_is_an_error_in_words() -> None:
    """An empty team is refused."""
    with pytest.raises(PlanError, match=r"no agent can be used: .*a model for those that need one"):
        await planned("Anything", [])


async def test_without_a_model_agents_that_need_one_are_not_used() -> None:
    """They are left out; when no other is there, the refusal says so."""
    request = PlanRequest("Why?", (t.LIBRARIAN, t.ORACLE))
    report = await RulePlanner(has_model=False).plan(request)

    assert [task.agent for task in report.graph.tasks] == ["librarian"]
    with pytest.raises(PlanError, match="every agent needs a model"):
        await RulePlanner(has_model=False).plan(PlanRequest("Why?", (t.ORACLE,)))


async def test_several_sinks_leave_the_answer_open() -> None:
    """The runtime then adds its own last task; one sink is the answer."""
    several = await planned("Who? Why?", [t.LIBRARIAN])
    one = await planned(BUSES, [t.RESEARCHER, t.POET])

    assert (several.graph.answer, one.graph.answer) == (None, "$poet")


async def test_pieces_that_make_too_many_tasks_are_not_split() -> None:
    """The limit on tasks is kept."""
    goal = "\n".join(f"- Question {number}?" for number in range(200))
    report = await planned(goal, [t.LIBRARIAN], max_tasks=100)

    assert [task.inputs for task in report.graph.tasks] == [{"question": "$goal"}]


async def test_each_choice_is_explained_in_one_line() -> None:
    """The notes say what each agent does there, and why others do not."""
    report = await planned(BUSES, [t.RESEARCHER, t.POET, t.TRANSLATOR])

    assert report.notes == [
        "researcher is a source: topic from the goal",
        "poet follows: facts from researcher (by description and type)",
        "translator is left out: others fit the goal better",
    ]


async def test_text_of_the_goal_is_never_a_reference() -> None:
    """A goal that looks like a reference is given as it is, and its pieces too."""
    whole = await planned("$poet", [t.RESEARCHER, t.POET])
    pieces = await planned("- $researcher\n- ${poet}", [t.RESEARCHER])

    assert whole.graph.tasks[0].inputs == {"topic": "$goal"}
    assert [task.inputs for task in pieces.graph.tasks] == [{"topic": "$goal"}]


@pytest.mark.parametrize(
    "goal",
    [
        "Send the news to everyone",
        "Please send the news",
        "Write a joke and send it to Bob",
        "I want you to send a joke",
        "Could you send a joke to Bob?",
        "Tell a joke. Then send it.",
    ],
)
async def test_an_agent_with_effects_works_on_an_order(goal: str) -> None:
    """When the goal orders what its description or its name says, wherever the order stands."""
    report = await planned(goal, [t.JOKER, t.MAILER])

    assert "mailer" in {task.agent for task in report.graph.tasks}


@pytest.mark.parametrize(
    "goal",
    [
        "An ode to all customers",
        "Write an email to Bob about customers",
        "What did Bob send?",
        "Tell me how to send an email",
        "Do not send anything, tell a joke",
        "A joke about post and mail",
    ],
)
async def test_an_agent_with_effects_never_works_unasked(goal: str) -> None:
    """A word of its card in the goal is no order; a note says why it was left out."""
    report = await planned(goal, [t.JOKER, t.MAILER])

    assert [task.agent for task in report.graph.tasks] == ["joker"]
    assert report.notes[-1] == "mailer is left out: it has effects, and the goal does not order what it does"


async def test_a_team_of_effects_that_nobody_ordered_is_refused_in_words() -> None:
    """Nothing is done as a last resort; the refusal names the agents and the remedy."""
    with pytest.raises(PlanError, match=r"does not order what those with effects do \(deleter, mailer\): order it in"):
        await planned("Tell me about account Bob", [t.MAILER, t.DELETER])
