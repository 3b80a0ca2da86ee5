"""The verifier: every code, on typed plans of our own; good plans raise none."""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from agentorch.core.card import AgentCard, money_problem
from agentorch.core.nearest import did_you_mean, nearest
from agentorch.core.policy import Policy
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import Verified, verify


def card(name: str, output: Any = Any, *, required: str | None = None, more: Any = False, **inputs: Any) -> AgentCard:
    needed = list(inputs) if required is None else required.split()
    parts = {key: TypeAdapter(kind).json_schema() for key, kind in inputs.items()}
    schema = {"type": "object", "properties": parts, "required": needed, "additionalProperties": more}
    return AgentCard(name=name, input=schema, output=TypeAdapter(output).json_schema())


TEAM = {
    one.name: one
    for one in (
        card("researcher", dict[str, list[str]], topic=str),
        card("poet", str, facts=list[str]),
        card("counter", int, required="text", text=str, limit=int | None),
        card("picker", str, required="", first=str | None, second=str | None),
        card("mailer", str, text=str).model_copy(update={"effects": "once"}),
        card("anything", Any, more=True),
        card("sums", int, more={"type": "integer"}),
        AgentCard(name="bare"),
        AgentCard(name="closed", output={"type": "object", "properties": {"text": {"type": "string"}, "n": True}}),
        card("keen", str, text=str | None).model_copy(update={"policy": Policy(join="any")}),
    )
}
FIND = Task("find", "researcher", "Find facts", {"topic": "$goal"})
WRITE = Task("write", "poet", "Write about ${goal}", {"facts": "$find.facts"})
TEXT = Task("text", "bare")


def check(*tasks: Task, answer: str | None = None, **options: Any) -> Verified:
    return verify(Graph(tasks, answer), TEAM, **options)


def said(verified: Verified) -> list[str]:
    return [str(problem) for problem in verified.problems]


def test_a_good_plan() -> None:
    """It comes back in order, with its needs, its answer and no problems."""
    result = check(WRITE, FIND)
    write = Task("write", "poet", "Write about ${goal}", {"facts": "$find.facts"}, ("find",))
    assert result == Verified((FIND, write), "$write", ("write",), ())
    assert (result.errors, result.warnings) == ((), ())


def test_several_sinks_leave_the_answer_open() -> None:
    """Then the caller adds an answer task over them."""
    result = check(FIND, Task("count", "counter", "", {"text": "x"}))
    assert (result.answer, result.sinks, said(result)) == (None, ("find", "count"), [])


def test_known_tasks_may_be_needed_and_are_not_checked_again() -> None:
    """A prefix that was accepted counts for needs, ids, sinks and limits."""
    odd = Task("odd", "nobody")
    result = check(WRITE, known={"find": FIND, "odd": odd}, answer="$write")
    assert [task.needs for task in result.tasks] == [("find",)]
    assert (result.answer, result.sinks) == ("$write", ("odd", "write"))
    assert said(result) == ["W_ORPHAN odd: nothing uses its output, and the answer is $write (refer to it or drop it)"]


def test_a_prefix_is_not_asked_for_an_answer() -> None:
    """Answer, orphans, duplicates and emptiness are for whole plans."""
    result = check(WRITE, known={"find": FIND}, whole=False, answer="$nowhere")
    assert (result.answer, result.sinks, result.problems) == (None, (), ())
    assert check(whole=False).problems == ()


def inputs(agent: str, **values: Any) -> Task:
    return Task("t", agent, "", values)


WRONG: Mapping[str, tuple[tuple[Task, ...], list[str]]] = {
    "empty": ((), ["E_EMPTY the plan has no tasks (add at least one task)"]),
    "id": (
        (Task("Find", "bare"),),
        ["E_SCHEMA Find: 'Find' cannot be a task's id (use lower-case letters, digits, '_' and '-', a letter first)"],
    ),
    "reserved id": (
        (Task("goal", "bare"),),
        ["E_SCHEMA goal: a task may not be called 'goal' (rename it: $goal is the run's own)"],
    ),
    "twice": ((TEXT, Task("text", "anything")), ["E_DUP_ID text: two tasks are called 'text' (rename one)"]),
    "agent": (
        (Task("t", "reseacher"),),
        ["E_UNKNOWN_AGENT t: there is no agent 'reseacher' (did you mean 'researcher'?)"],
    ),
    "need": (
        (TEXT, Task("t", "bare", needs=("test",))),
        ["E_UNKNOWN_DEP t: it needs 'test', which is no task of the plan (did you mean 'text'?)"],
    ),
    "self": (
        (Task("t", "anything", "", {"x": "$t"}),),
        ["E_SELF_DEP t: it needs itself (take 't' out of its needs and inputs)"],
    ),
    "cycle": (
        (Task("a", "bare", needs=("b",)), Task("b", "bare", needs=("a",))),
        ["E_CYCLE a: tasks wait for each other: a needs b needs a (take one of these needs out)"],
    ),
    "path": (
        (Task("c", "closed"), inputs("anything", x="$c.txt")),
        [
            (
                "E_REF_PATH t: input 'x': $c.txt names a part that the output does not have"
                " ('closed' gives object with n, text)"
            )
        ],
    ),
    "path of text": (
        (Task("p", "picker"), inputs("anything", x="$p.a")),
        ["E_REF_PATH t: input 'x': $p.a names a part that the output does not have ('picker' gives string)"],
    ),
    "path of the goal": (
        (inputs("anything", x="$goal.a"),),
        [
            (
                "E_REF_PATH t: input 'x': $goal.a names a part that the output does not have"
                " (the goal is a string without parts)"
            )
        ],
    ),
    "path in objective": (
        (Task("c", "closed"), Task("t", "bare", "See ${c.txt} and ${c.text} and ${x}")),
        [
            (
                "E_REF_PATH t: objective: $c.txt names a part that the output does not have"
                " ('closed' gives object with n, text)"
            )
        ],
    ),
    "type": (
        (Task("n", "counter", "", {"text": "x"}), inputs("poet", facts="$n")),
        [
            (
                "E_TYPE t: input 'facts' of agent 'poet' takes list of string, but $n is integer"
                " (refer to a part of it that fits, or put a task between them)"
            )
        ],
    ),
    "type within": (
        (Task("n", "counter", "", {"text": "x"}), inputs("poet", facts=["a", "$n"])),
        [
            (
                "E_TYPE t: input 'facts.1' of agent 'poet' takes string, but $n is integer"
                " (refer to a part of it that fits, or put a task between them)"
            )
        ],
    ),
    "missing": (
        (inputs("poet"),),
        ["E_ARGS t: input 'facts' of agent 'poet' is missing (give 'facts' a value or a reference (list of string))"],
    ),
    "unknown argument": (
        (inputs("counter", text="x", limt=3),),
        ["E_ARGS t: agent 'counter' takes no input 'limt' (did you mean 'limit'?)"],
    ),
    "literal": (
        (inputs("counter", text="x", limit="3"),),
        ["E_ARGS t: input 'limit': '3' is not integer or null ('limit' takes integer or null)"],
    ),
    "literal of the rest": (
        (inputs("sums", a=1, b="2"),),
        ["E_ARGS t: input 'b': '2' is not integer ('b' takes integer)"],
    ),
    "null": (
        (TEXT, FIND, Task("t", "counter", "", {"text": "$text"}, ("find",), Policy(join="any"))),
        [
            (
                "E_ARGS t: input 'text': $text may be null, because the task does not wait for all its needs to hold"
                " ('text' takes string: use join 'all', or an agent that accepts null there)"
            )
        ],
    ),
    "k of n": (
        (TEXT, Task("t", "bare", needs=("text",), policy=Policy(join=2))),
        ["E_SCHEMA t: join=2 of 1 needs (k of n takes k from 1 to 1)"],
    ),
    "k of none": (
        (Task("t", "bare", policy=Policy(join=1)),),
        ["E_SCHEMA t: join=1 of 0 needs (a task without needs takes no number as its join)"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_each_thing_that_can_be_wrong(case: str) -> None:
    """One problem, with its code, its task, the value and a remedy."""
    tasks, expected = WRONG[case]
    assert said(check(*tasks)) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            "$write.title",
            "E_UNREACHABLE_FINAL write: answer '$write.title' names a part that is never there ('poet' gives string)",
        ),
        ("$wrote", "E_UNREACHABLE_FINAL answer '$wrote' names no task of the plan (did you mean 'write'?)"),
        ("write", "E_UNREACHABLE_FINAL answer 'write' is not a reference (write '$write')"),
        ("the poem", "E_UNREACHABLE_FINAL answer 'the poem' is not a reference (write '$id' or '$id.path')"),
    ],
)  # fmt: skip
def test_an_answer_that_can_never_be(answer: str, expected: str) -> None:
    """The answer must name a task, and a part that its output may have."""
    assert said(check(FIND, WRITE, answer=answer)) == [expected]


def test_orphans_but_not_those_with_effects() -> None:
    """A task that sends something has done its work without being referred to."""
    send = Task("send", "mailer", "", {"text": "$write"})
    result = check(FIND, WRITE, send, Task("lost", "poets"), answer="$write")
    assert said(result) == [
        "E_UNKNOWN_AGENT lost: there is no agent 'poets' (did you mean 'poet'?)",
        "W_ORPHAN lost: nothing uses its output, and the answer is $write (refer to it or drop it)",
    ]
    assert [problem.code for problem in result.errors] == ["E_UNKNOWN_AGENT"]
    assert [problem.code for problem in result.warnings] == ["W_ORPHAN"]


def test_limit_and_budget() -> None:
    """Too many tasks; an agent whose price is unknown is reported once."""

    def price(one: AgentCard) -> str | None:
        return "no price is known for poet's model" if one.name == "poet" else None

    result = check(FIND, WRITE, Task("again", "poet", "", {"facts": []}), max_tasks=2, budget_problem=price)
    says = "AGENTORCH_PRICES, Orchestrator(prices=...), or `cost` of your own class"
    remedy = f"say its price ({says}), or limit tokens instead"
    assert said(result) == [
        f"E_BUDGET write: no price is known for poet's model ({remedy})",
        "E_LIMIT 3 tasks, at most 2 (plan fewer, larger tasks)",
    ]


def test_dollar_strings_in_hand_made_plans_and_in_a_planners() -> None:
    """An unknown `$x` is a string for people and a mistake of a planner, in inputs and objective."""
    task = Task("t", "counter", "in ${usd}", {"text": "$eur"})
    result = check(task)
    assert (result.tasks[0].inputs, result.errors) == ({"text": "$eur"}, ())
    assert said(result) == ["W_UNKNOWN_REF t: input 'text': $eur names no task, so it is passed on as text"]
    assert said(check(task, TEXT, strict=True)) == [
        "E_UNKNOWN_DEP t: it needs 'eur', which is no task of the plan (use one of t, text)",
        "E_UNKNOWN_DEP t: it needs 'usd', which is no task of the plan (use one of t, text)",
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (None, []),
        ({"n": 3, "deep": {"n": 4}}, []),
        ({"m": 3, "deep": {"n": 4}}, [
            "E_REF_PATH t: input 'limit': $inputs.n names no input of the run (use one of deep, m)",
        ]),
        ({"n": "3", "deep": {"n": 4}}, ["E_TYPE t: input 'limit': $inputs.n: '3' is not integer or null"]),
        ({}, [
            "E_REF_PATH t: input 'limit': $inputs.n names no input of the run (give it with inputs={'n': ...})",
            "E_REF_PATH t: objective: $inputs.deep.n names no input of the run (give it with inputs={'deep': ...})",
        ]),
    ],
)  # fmt: skip
def test_inputs_of_the_run(values: dict[str, Any] | None, expected: list[str]) -> None:
    """When they are known, their presence and their types are checked before anything runs."""
    task = Task("t", "counter", "up to ${inputs.deep.n}", {"text": "x", "limit": "$inputs.n"})
    assert said(check(task, inputs=values)) == expected


def test_the_whole_of_the_inputs() -> None:
    """`$inputs` is an object."""
    assert check(inputs("anything", x="$inputs"), inputs={"a": 1}).problems == ()
    assert [p.code for p in check(inputs("counter", text="$inputs"), inputs={"a": 1}).problems] == ["E_TYPE"]


@pytest.mark.parametrize(
    ("policy", "needs", "fine"),
    [
        (Policy(), ("find",), True),
        (Policy(join="settled"), (), False),
        (Policy(join="any"), (), True),
        (Policy(join=1), ("find",), False),
        (Policy(join=2), ("find",), True),
    ],
)
def test_which_joins_may_leave_a_need_without_a_value(policy: Policy, needs: tuple[str, ...], fine: bool) -> None:
    """All, n of n, and any of one wait for a value; the others demand a parameter that takes null."""
    strict = check(TEXT, FIND, Task("t", "counter", "", {"text": "$text"}, needs, policy))
    lenient = check(TEXT, FIND, Task("t", "picker", "", {"first": "$text"}, needs, policy))
    assert ([p.code for p in strict.errors], lenient.errors) == ([] if fine else ["E_ARGS"], ())


def test_joins_of_the_agent_and_of_the_run() -> None:
    """The task's join beats the agent's, which beats the run's."""
    keen = Task("t", "keen", "", {"text": "$text"}, ("find",))
    meek = Task("t", "counter", "", {"text": "$text"}, ("find",))
    codes = [
        [problem.code for problem in check(TEXT, FIND, task, policy=Policy(join="settled")).errors]
        for task in (keen, meek, Task("t", "counter", "", {"text": "$text"}, ("find",), Policy(join="all")))
    ]
    assert codes == [[], ["E_ARGS"], []]


def test_parts_that_a_schema_does_not_speak_of_are_accepted() -> None:
    """References under unknown keys of an object cannot be judged; unknown parameters are reported once."""
    team = TEAM | {"boxed": card("boxed", str, box=dict[str, int])}
    closed = AgentCard(name="shut", input={"properties": {"box": {"properties": {"a": {}}}, "flag": True}})
    graph = Graph(
        (
            TEXT,
            Task("t", "shut", "", {"box": {"b": "$text"}, "flag": "$text"}),
            Task("u", "boxed", "", {"box": {"x": "$text"}, "bix": "$text"}),
        )
    )
    result = verify(graph, team | {"shut": closed})
    assert [str(problem) for problem in result.problems] == [
        "E_ARGS u: agent 'boxed' takes no input 'bix' (did you mean 'box'?)"
    ]


def test_a_second_reference_between_the_same_agents_is_judged_like_the_first() -> None:
    """What was learnt of a pair of agents holds for good and for bad ones."""
    bad = [Task(f"t{n}", "poet", str(n), {"facts": "$n"}) for n in range(2)]
    good = [Task(f"g{n}", "poet", str(n), {"facts": "$find.x"}) for n in range(2)]
    result = check(Task("n", "counter", "", {"text": "x"}), FIND, *bad, *good)
    assert [(p.code, p.task) for p in result.problems] == [("E_TYPE", "t0"), ("E_TYPE", "t1")]


def test_equal_tasks_are_warned_of_when_a_planner_wrote_them() -> None:
    """By hand they are meant."""
    same = (Task("a", "bare", "x", {"i": 1}), Task("b", "bare", "x", {"i": 1}), Task("c", "bare", "x", {"i": 2}))
    assert said(check(*same)) == []
    assert said(check(*same, strict=True)) == ["W_DUPLICATE_TASK b: the same task as a: b (keep one)"]


def test_long_cycles_and_large_groups_are_shortened() -> None:
    """A message stays one line that can be read."""
    ring = [Task(f"t{n}", "bare", str(n), needs=(f"t{(n + 1) % 12}",)) for n in range(12)]
    same = [Task(f"s{n}", "bare", "same") for n in range(9)]
    cycle, group = said(check(*ring, *same, strict=True))
    assert cycle.endswith("t9 needs ... (12 tasks) needs t0 (take one of these needs out)")
    assert group == "W_DUPLICATE_TASK s1: the same task as s0: s1, s2, s3, s4, s5, s6 and 2 more (keep one)"


def test_hints_stop_when_everything_is_wrong() -> None:
    """Looking for near names costs too much to do it ten thousand times."""
    result = check(*(Task(f"t{n}", "pooet", needs=(f"x{n}",)) for n in range(100)))
    hinted = [problem for problem in result.problems if problem.remedy and "poet" in problem.remedy]
    assert (len(result.problems), 0 < len(hinted) <= 20) == (200, True)


def test_unknown_producers_are_not_judged() -> None:
    """One mistake, one problem: an unknown agent's output may be anything."""
    assert [p.code for p in check(Task("x", "nobody"), inputs("poet", facts="$x.y")).problems] == ["E_UNKNOWN_AGENT"]


def test_near_names() -> None:
    """Close ones are offered, few are listed, and many cost nothing."""
    assert nearest("poett", ["poet", "pilot"]) == "poet"
    assert nearest("poet", [f"poet{n}" for n in range(500)]) is None
    assert did_you_mean("zzz", ["a", "b"]) == "use one of a, b"
    assert did_you_mean("zzz", []) is None
    assert did_you_mean("zzz", [f"a{n}" for n in range(20)]) is None


def test_a_limit_of_money_refuses_agents_without_a_price() -> None:
    """Only under a limit, only for a model of unknown price, and once per agent."""
    cards = {"paid": AgentCard(name="paid"), "free": AgentCard(name="free", unpriced="local")}
    plan = Graph((Task("a", "free"), Task("b", "paid"), Task("c", "free")))

    limited = verify(plan, cards, budget_problem=money_problem(0.5)).errors

    assert verify(plan, cards, budget_problem=money_problem(None)).errors == ()
    assert [(problem.code, problem.task) for problem in limited] == [("E_BUDGET", "a")]
    assert "'local' is unknown" in limited[0].message
