"""Plans made by hand."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agentorch.agents import agent
from agentorch.core.failures import Code
from agentorch.core.policy import Policy
from agentorch.core.task import Graph, Task
from agentorch.errors import ConfigurationError, PlanFileError
from agentorch.plans import Plan
from agentorch.registry import Registry


@agent(description="d")
def researcher(topic: str) -> list[str]:
    return [topic]


@agent(description="d")
def poet(facts: list[str]) -> str:
    return "".join(facts)


def _ode() -> Plan:
    plan = Plan("An ode", answer="ode")
    facts = plan.add("facts", agent=researcher, inputs={"topic": "buses"}, seconds=2)
    plan.add("ode", agent="poet", inputs={"facts": facts}, timeout=60, join="any")
    return plan


def test_a_plan_is_added_up():
    """Agents by object or name, tasks in inputs as references, policies as keywords."""
    assert _ode().graph() == Graph(
        (
            Task("facts", "researcher", inputs={"topic": "buses"}, seconds=2),
            Task("ode", "poet", inputs={"facts": "$facts"}, policy=Policy(timeout=60, join="any")),
        ),
        "$ode",
    )


def test_parts_of_an_output_are_named_by_index():
    """`task["rows"]` is `"$load.rows"`, anywhere in the inputs; explicit needs are tasks or ids."""
    plan = Plan()
    load = plan.add("load", agent="a")
    other = plan.add("other", agent="a")
    last = plan.add(
        "last", agent="b", inputs={"rows": [load["rows"], {"k": load}], "day": date(2026, 1, 2)}, needs=[other, "load"]
    )
    plan.answer = last["text"]
    assert last.inputs == {"rows": ["$load.rows", {"k": "$load"}], "day": "2026-01-02"}
    assert (last.needs, plan.answer) == (("other", "load"), "$last.text")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"timout": 3}, "task 'x': unknown setting 'timout'; did you mean 'timeout'?"),
        ({"input": {}}, "task 'x': unknown setting 'input'; did you mean 'inputs'?"),
        ({"attempts": 0}, "task 'x': attempts: input should be greater than or equal to 1; got 0"),
        ({"inputs": {"a": object()}}, "task 'x': an input is no JSON value"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str):
    """When the task is added."""
    with pytest.raises(ConfigurationError) as caught:
        Plan().add("x", agent="a", **settings)
    assert str(caught.value).startswith(message)


def test_a_plan_is_checked_against_a_team():
    """`verify` gives the tasks in order with needs filled in, and every problem."""
    registry = Registry([researcher, poet])
    good = _ode().verify(registry)
    assert (good.problems, good.tasks[1].needs, good.answer) == ((), ("facts",), "$ode")
    bad = Plan()
    bad.add("ode", agent="pote", inputs={})
    assert [problem.code for problem in bad.verify(registry).errors] == [Code.UNKNOWN_AGENT]


def test_a_flowchart_of_the_plan():
    """Boxes with the agent, arrows along references too; text cannot break out of its box."""
    plan = _ode()
    plan.add("x", agent='"]<b>', needs=["ode"])
    assert plan.to_mermaid() == (
        "flowchart TD\n"
        '    t0["facts<br/>researcher"]\n'
        '    t1["ode<br/>poet"]\n'
        '    t2["x<br/>#quot;]&lt;b&gt;"]\n'
        "    t0 --> t1\n"
        "    t1 --> t2\n"
    )


@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_a_plan_comes_back_from_a_file(tmp_path: Path, suffix: str):
    """As YAML and as JSON."""
    path = tmp_path / f"plan{suffix}"
    value = _ode().to_dict()
    path.write_text(json.dumps(value) if suffix == ".json" else yaml.safe_dump(value))
    assert Plan.from_file(path) == _ode()
    assert Plan.from_dict(value) == _ode()
    assert Plan.from_dict(value) != Plan("other")


def test_tasks_may_be_written_by_id(tmp_path: Path):
    """A mapping instead of a list; keys with `-`; needs as one id; answer without `$`."""
    path = tmp_path / "plan.yml"
    path.write_text("answer: b\ntasks:\n  a: {agent: x}\n  b: {agent: y, needs: a, on-failure: fail_run}\n")
    assert Plan.from_file(path).graph() == Graph(
        (Task("a", "x"), Task("b", "y", needs=("a",), policy=Policy(on_failure="fail_run"))), "$b"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tasks:\n  - id: a\n    agent: x\n    inptus: {}\n",
            "line 4, column 5: unknown key 'inptus'; did you mean 'inputs'?",
        ),
        ("tasks:\n  - id: a\n", "line 2, column 5: a task has no 'agent'"),
        ("tasks:\n  - id: a\n    agent: x\n    timeout: soon\n", "line 4, column 5: task 'a': timeout: "),
        ("tasks:\n  - just text\n", "line 2, column 5: a task is a mapping with 'id' and 'agent'; got 'just text'"),
        ("tasks: 3\n", "line 1, column 1: 'tasks' is a list of tasks"),
        ("goal: x\n", "line 1, column 1: there are no tasks; list them under 'tasks'"),
        ("taks: []\n", "line 1, column 1: unknown key 'taks'; did you mean 'tasks'?"),
        ("- id: 3\n  agent: x\n", "line 1, column 3: 'id' is text; got 3; put it in quotes"),
        ("- id: a\n  agent: x\n  needs: 3\n", "line 3, column 3: 'needs' is a list of task ids; got 3"),
        ("- id: a\n  agent: x\n  seconds: long\n", "line 3, column 3: 'seconds' is a number; got 'long'"),
        ("- id: a\n  agent: x\n  inputs: [1]\n", "line 3, column 3: 'inputs' is a mapping from parameter to value"),
        ("just text", "line 1, column 1: a plan is a mapping with the key 'tasks'"),
        ("a: [", "line 1, column 5: "),
    ],
)
def test_a_wrong_plan_file_is_told_with_its_line(tmp_path: Path, text: str, message: str):
    """The path first."""
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(PlanFileError) as caught:
        Plan.from_file(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_missing_plan_file_is_told(tmp_path: Path):
    """By its path."""
    with pytest.raises(PlanFileError, match=r"none\.yaml: there is no such file"):
        Plan.from_file(tmp_path / "none.yaml")
    with pytest.raises(PlanFileError, match="plan: there are no tasks"):
        Plan.from_dict({"tasks": []})


_IDS = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_an_answer_that_is_no_reference_is_refused():
    """In one line, with what can stand there."""
    with pytest.raises(ConfigurationError, match=r"answer=\['a', 'b'\]: give a task, or its id"):
        Plan("goal", answer=["a", "b"])  # pyright: ignore[reportArgumentType]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Task,
            _IDS,
            _IDS,
            st.text(max_size=20),
            st.dictionaries(_IDS, _JSON, max_size=3),
            st.lists(_IDS, unique=True, max_size=3).map(tuple),
            st.just(Policy()) | st.builds(Policy, attempts=st.integers(1, 9)),
            st.none() | st.floats(0.5, 9),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_every_plan_comes_back_from_json(tasks: list[Task]):
    """`to_dict` loses nothing."""
    plan = Plan.from_graph(Graph(tuple(tasks)), "goal")
    assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
