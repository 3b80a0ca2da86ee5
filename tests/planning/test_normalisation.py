"""Deterministic repair: what can be meant in one way is mended and noted, the rest is left to the verifier."""

from typing import Any

import pytest

from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.planning.normalisation import Normalised, normalise
from agentorch.planning.raw_plan import raw_plan
from agentorch.planning.spelling import Spellings, id_for, number_in, slug
from tests.planning.cards import CARDS, TEXT, card

FIND = Task("find", "researcher", "", {"topic": "$goal"})
WRITE = Task("write", "writer", "", {"facts": "$find.facts", "title": "T"})


def read(*tasks: Any, **plan: Any) -> Normalised:
    return normalise({"tasks": list(tasks), **plan}, CARDS)


def critic(id: Any, text: Any = "x", needs: Any = ()) -> dict[str, Any]:
    return {"id": id, "agent": "critic", "inputs": {"text": text}, "needs": list(needs)}


def shape(result: Normalised) -> list[tuple[str, Any, tuple[str, ...]]]:
    return [(task.id, task.inputs.get("text"), task.needs) for task in result.tasks]


@pytest.mark.parametrize(
    "value",
    [
        {"tasks": [{"id": "find", "agent": "researcher", "inputs": {"topic": "$goal"}}]},
        [{"ID": "find", "Agent Name": "Researcher", "arguments": {"Topic": "{{goal}}"}}],
        {"plan": {"nodes": [{"task_id": "Find", "tool": "researcher", "args": ["$goal"]}]}},
        {"steps": {"find": {"tool": {"name": "researcher", "arguments": '{"topic": "$goal"}'}}}},
        {"id": "find", "action": "reseacher", "action_input": "$goal"},
        {"plan": [{"name": "find", "task": "researcher", "parameters": [{"key": "topic", "value": "$goal"}]}]},
        {"workflow": [{"id": "find", "title": "researcher", "params": [{"topic": "$goal"}]}]},
        {"tasks": [{"id": "find", "agent": "researcher", "inputs": {"query": "$goal", "more": None}}]},
    ],
)
def test_every_form_becomes_the_same_task(value: Any) -> None:
    """Keys, wrappers, positional and named inputs, near names, nulls."""
    result = normalise(value, CARDS)
    assert (result.tasks, result.problems) == ([FIND], [])


@pytest.mark.parametrize("value", [None, 3, "text", {}, {"tasks": 3}, {"plan": {"nothing": 1}}])
def test_what_holds_no_tasks(value: Any) -> None:
    """Reported, never raised."""
    assert [problem.code for problem in normalise(value, CARDS).problems] == ["E_SCHEMA"]


@pytest.mark.parametrize(
    ("tasks", "expected"),
    [
        ([critic(1), critic(2, "<node-1>", [1])], [("t1", "x", ()), ("t2", "$t1", ("t1",))]),
        ([critic(1), critic(2, "<node-0>", [0])], [("t1", "x", ()), ("t2", "$t1", ("t1",))]),
        ([critic(0), critic(1, "#E1", [1])], [("t0", "x", ()), ("t1", "$t0", ("t0",))]),
        ([critic(None), critic(None, "#E1", ["step 1"])], [("t1", "x", ()), ("t2", "$t1", ("t1",))]),
        ([critic(""), critic("", "<node-0>", [0, -1, "none"])], [("t1", "x", ()), ("t2", "$t1", ("t1",))]),
        ([critic("#E1"), critic("#E2", "#E1")], [("t1", "x", ()), ("t2", "$t1", ())]),
        ([critic("E1"), critic("E2", "$E1", ["E1", "e1"])], [("e1", "x", ()), ("e2", "$e1", ("e1",))]),
        ([critic("Step 1"), critic("b", "$1", ["step_1"])], [("step_1", "x", ()), ("b", "$step_1", ("step_1",))]),
        ([critic("2nd Näht!"), critic("b", "$2nd", [])], [("t2nd_n_ht", "x", ()), ("b", "$2nd", ())]),
        ([critic("goal"), critic("b", "x", ["goal"])], [("goal_task", "x", ()), ("b", "x", ("goal_task",))]),
        ([critic("research"), critic("b", "$reserch")], [("research", "x", ()), ("b", "$research", ())]),
        ([critic("a"), critic("b", "$a.output")], [("a", "x", ()), ("b", "$a", ())]),
        ([critic("a"), critic("b", "$a.rows[0].x")], [("a", "x", ()), ("b", "$a.rows.0.x", ())]),
        ([critic("a"), critic("b", "${a}", [{"id": "a"}, "$a.x"])], [("a", "x", ()), ("b", "$a", ("a",))]),
        ([critic("a"), critic("b", "<node-7>", [7])], [("a", "x", ()), ("b", "$t7", ("t7",))]),
        ([critic("a"), critic("a", "y")], [("a", "x", ()), ("a_2", "y", ())]),
        ([critic("a"), critic("a", "y"), critic("a", "z")], [("a", "x", ()), ("a_2", "y", ()), ("a_3", "z", ())]),
        ([critic("a"), critic("a")], [("a", "x", ())]),
        ([{"id": "START"}, critic("a", "x", ["START"]), {"id": "END", "agent": "end"}], [("a", "x", ())]),
        ([critic("start"), critic("b", "x", ["start"])], [("start", "x", ()), ("b", "x", ("start",))]),
        ([critic("a"), critic("b"), critic("c", "$c", ["a"])], [("a", "x", ()), ("b", "x", ()), ("c", "$a", ("a",))]),
        ([critic("a"), critic("b", "$b.x", ["a"])], [("a", "x", ()), ("b", "$b.x", ("a",))]),
    ],
)  # fmt: skip
def test_ids_and_numbers(tasks: list[Any], expected: list[Any]) -> None:
    """However ids are spelled and counted, needs and references mean the same task."""
    assert shape(read(*tasks)) == expected


@pytest.mark.parametrize(
    ("written", "objective", "expected", "noted"),
    [
        ({"text": "x", "limit": "5"}, "", {"text": "x", "limit": 5}, True),
        ({"text": 5, "limit": "many"}, "", {"text": "5", "limit": "many"}, True),
        ({"text": "x", "limit": None}, "", {"text": "x"}, True),
        ({"text": "x", "lim": 3}, "", {"text": "x", "limit": 3}, True),
        ({"text": "x", "limits": 3}, "", {"text": "x", "limit": 3}, True),
        ({"text": "x", "zzz": 3}, "", {"text": "x", "zzz": 3}, False),
        ({"text": "x", "zzz": ""}, "", {"text": "x"}, True),
        ({}, "Judge it", {"text": "Judge it"}, True),
        (None, "Judge it", {"text": "Judge it"}, True),
        ({}, "", {}, False),
        (["x", 3, "y"], "", {"text": "x", "limit": 3}, True),
        ([{"name": "text", "value": "x"}], "", {"text": "x"}, False),
        ([{"a": 1, "b": 2}], "", {"text": {"a": 1, "b": 2}}, True),
        ("{broken", "", {"text": "{broken"}, True),
        ({"text": ["$a", {"k": "{{a}}"}]}, "", {"text": ["$a", {"k": "$a"}]}, True),
    ],
)
def test_inputs_of_the_critic(written: Any, objective: str, expected: dict[str, Any], noted: bool) -> None:
    """Fitted where it is certain, with a note; left alone where it is not."""
    result = read({"id": "b", "agent": "critic", "inputs": written, "objective": objective}, critic("a"))
    assert (result.tasks[0].inputs, bool(result.notes)) == (expected, noted)


def test_conversions_by_type() -> None:
    """Numbers, booleans and lists out of strings; references are left alone."""
    odd = card(
        "odd",
        TEXT,
        n={"type": "number"},
        b={"type": "boolean"},
        s={"type": "array", "items": TEXT},
        a={"type": "array"},
    )
    written = {"n": "1.5", "b": "True", "s": "one", "a": "one"}
    (task,) = normalise([{"id": "t", "agent": "odd", "inputs": written}], {"odd": odd}).tasks
    assert task.inputs == {"n": 1.5, "b": True, "s": ["one"], "a": "one"}
    written = {"n": "much", "b": "maybe", "s": "$goal"}
    (task,) = normalise([{"id": "t", "agent": "odd", "inputs": written}], {"odd": odd}).tasks
    assert task.inputs == written


def test_agents_that_take_anything_keep_their_inputs() -> None:
    """Unknown parameters of an open agent are its own affair."""
    free = card("free", TEXT).model_copy(update={"input": {"type": "object"}})
    (task,) = normalise([{"id": "t", "agent": "free", "inputs": {"x": "5"}}], {"free": free}).tasks
    assert task.inputs == {"x": "5"}


@pytest.mark.parametrize(
    ("agent", "expected"),
    [("Critic", "critic"), ("critik", "critic"), ("writr", "writer"), ("astrologer", "astrologer"), (None, "a")],
)
def test_agents(agent: Any, expected: str) -> None:
    """Near names are mended; unknown ones are left for the verifier."""
    assert read({"id": "a", "agent": agent}).tasks[0].agent == expected


def test_an_agent_may_be_named_by_the_id() -> None:
    """`{"id": "critic"}` is a task of the critic; inputs of unknown agents are kept."""
    result = read({"id": "critic", "inputs": {"text": "x"}}, {"id": "b", "agent": "who", "inputs": {"k": 1}}, "words")
    assert [(task.agent, task.inputs) for task in result.tasks] == [
        ("critic", {"text": "x"}),
        ("who", {"k": 1}),
        ("", {"inputs": None}),
    ]


@pytest.mark.parametrize(
    ("edges", "needs"),
    [
        ([["a", "b"]], ("a",)),
        ([{"source": "a", "target": "b"}, {"from": "START", "to": "a"}, ["b", "END"]], ("a",)),
        (["(a -> b)"], ("a",)),
        ([{"source": "researcher", "target": "b"}], ("r",)),
        ([{"source": "critic", "target": "b"}, 3, "odd"], ()),
    ],
)
def test_edges(edges: list[Any], needs: tuple[str, ...]) -> None:
    """Pairs in any form; by the agent's name where only one task has it."""
    research = {"id": "r", "agent": "researcher", "inputs": {"topic": "x"}}
    result = read(research, critic("a"), critic("b"), edges=edges)
    assert result.tasks[2].needs == needs


def test_an_edge_to_nowhere() -> None:
    """Reported: no task can carry it."""
    assert [problem.code for problem in read(critic("a"), edges=[["a", "zzz"]]).problems] == ["E_UNKNOWN_DEP"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("$a", "$a"), ("a", "$a"), ("{{a.x}}", "$a.x"), (None, None), ("none", None), ("It is 4", None), ("$zzz", "$zzz")],
)
def test_answers(answer: Any, expected: str | None) -> None:
    """A reference or an id; words are left to the last task."""
    assert read(critic("a"), answer=answer).answer == expected


def test_objectives() -> None:
    """References in unmistakable spellings are written as ours; the rest of the words stay."""
    words = ["Compare <node-0> with", "{{a.text}}, #E9, {{zzz}}, ${a}, {{goal}} and $a"]
    result = read(critic("a"), {"id": "b", "agent": "critic", "objective": words})
    assert result.tasks[1].objective == "Compare <node-0> with ${a}, #E9, {{zzz}}, ${a}, ${goal} and $a"
    counted = read(critic(None), {"agent": "critic", "objective": "Go on from <node-0>"})
    assert counted.tasks[1].objective == "Go on from ${t1}"


def test_policies() -> None:
    """A join and expected seconds are read; nonsense is passed over."""
    good, bad = read({**critic("a"), "join": "any", "seconds": 3}, {**critic("b"), "join": True, "seconds": "x"}).tasks
    assert (good.policy, good.seconds, bad.policy, bad.seconds) == (Policy(join="any"), 3.0, Policy(), None)


def test_accepted_tasks_are_named_but_not_read_again() -> None:
    """A second, different task of such an id is left for the verifier: nothing is renumbered any more."""
    accepted = {"a": Task("a", "critic", "", {"text": "x"})}
    plan = {"tasks": [critic("a"), critic("b", "$a"), critic("b", "y")]}
    assert shape(normalise(plan, CARDS, accepted=accepted)) == [("b", "$a", ()), ("b", "y", ())]
    twice = {"tasks": [critic("a"), critic("a", "other")]}
    assert shape(normalise(twice, CARDS, accepted=accepted)) == [("a", "other", ())]
    assert shape(normalise([critic("a")], CARDS, accepted=accepted, replacing=True)) == [("a", "x", ())]


def test_drops_of_a_patch() -> None:
    """By id, in any spelling."""
    accepted = {"find_facts": FIND}
    assert normalise({"drop": ["Find Facts", "b"]}, CARDS, accepted=accepted).drop == ("find_facts", "b")


def test_exact_reading_takes_ids_as_they_are() -> None:
    """In a plan that is still being written, a near id may yet come."""
    accepted = {"find_a": FIND, "e2": FIND}
    (task,) = normalise([critic("x", "$find_b", ["t2"])], CARDS, accepted=accepted, exact=True).tasks
    assert (task.inputs["text"], task.needs) == ("$find_b", ("t2",))


def test_spelling() -> None:
    """Slugs, numbers, and spellings that mean two ids."""
    assert [slug(text) for text in ("A b", "9", "!!", "goal")] == ["a_b", "t9", "task", "goal_task"]
    assert [number_in(value) for value in (True, 2.0, 2.5, "#E12", "twelve", None, "1" * 9)] == [
        None,
        2,
        None,
        12,
        None,
        None,
        None,
    ]
    assert [id_for(value) for value in (3, "3", "#E3", "E3", "step 3")] == ["t3", "t3", "t3", "e3", "step_3"]
    spellings = Spellings(["research", "task_one", "task_two"])
    assert spellings.meaning("reserch") == "research"
    spellings.add("Same", "a")
    spellings.add("Same", "b")
    assert (spellings.meaning("Same"), spellings.meaning("task_on"), spellings.meaning("zzz")) == (
        None,
        None,
        None,
    )
    assert Spellings([f"task_{n}x" for n in range(500)]).meaning("task_1") is None


def test_parts_of_a_plan_in_odd_forms() -> None:
    """Needs in one string, tasks that are no objects under names, edges without two ends."""
    plan = raw_plan({"nodes": {"a": {"agent": "x", "needs": "b, c"}, "b": "odd"}, "edges": [["a"], 3]})
    assert plan is not None
    assert ([task.needs for task in plan.tasks], plan.edges) == ([["b", "c"]], [])
