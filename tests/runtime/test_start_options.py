"""What a call that starts a run is given: misspelled, of the wrong type, or out of range is said before it starts."""

import math
from typing import Any

import pytest

from agentorch import Budget, Orchestrator, Outcome, Plan, Policy, agent
from agentorch.errors import ConfigurationError

CALLS: list[str] = []


@agent(description="Greets.")
async def greeter() -> str:
    CALLS.append("called")
    return "hello"


def greeting() -> Plan:
    plan = Plan("greet")
    plan.add("greet", agent=greeter)
    return plan


async def run(**options: Any) -> Outcome:
    return await Orchestrator([greeter]).run(greeting(), **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timout": 1}, "unknown option 'timout' for a run: did you mean 'timeout'?"),
        ({"zzz": 1}, "unknown option 'zzz' for a run: use one of budget, inputs, key, policy"),
        ({"timeout": -1}, "timeout=-1: give seconds, more than 0"),
        ({"timeout": 0}, "timeout=0: "),
        ({"timeout": math.nan}, "timeout=nan: "),
        ({"timeout": True}, "timeout=True: "),
        ({"timeout": "5"}, "timeout='5': "),
        ({"budget": 3}, "budget=3: give a Budget"),
        ({"policy": {"attempts": 1}}, "policy={'attempts': 1}: give a Policy"),
        ({"priority": "urgent"}, "priority='urgent': it can be 'interactive' or 'batch'"),
        ({"tags": {"a": 1}}, "tags={'a': 1}: give words by name"),
        ({"tags": "a"}, "tags='a': "),
        ({"key": 5}, "key=5: give a word"),
        ({"key": ""}, "key='': "),
        ({"inputs": ["a"]}, "inputs=['a']: give values by name"),
        ({"inputs": {1: "a"}}, "inputs={1: 'a'}: "),
        ({"inputs": {"lock": object()}}, "inputs: 'lock' has no JSON form: "),
        (
            {"policy": Policy(fallback=("greter",))},
            "Policy(fallback=['greter']): no agent 'greter'; did you mean 'greeter'?",
        ),
    ],
)
async def test_what_does_not_fit_is_one_line_and_nothing_starts(options: dict[str, Any], message: str) -> None:
    """The option, the value and what is wanted."""
    CALLS.clear()
    with pytest.raises(ConfigurationError) as caught:
        await run(**options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)
    assert CALLS == []


async def test_none_is_the_same_as_leaving_an_option_out() -> None:
    """Callers may pass on what they were not given."""
    nothing: dict[str, Any] = dict.fromkeys(("inputs", "budget", "policy", "priority", "tags", "timeout", "key"))
    assert (await run(**nothing)).answer == "hello"


async def test_what_fits_is_taken() -> None:
    """Every option at once."""
    outcome = await run(
        inputs={"a": {1, 2}}, budget=Budget(max_calls=1), policy=Policy(attempts=1), priority="batch",
        tags={"team": "a"}, timeout=5, key="k",
    )  # fmt: skip
    assert outcome.answer == "hello"


async def test_a_planner_that_lacks_a_part_is_refused_when_it_is_given() -> None:
    """Before anything is planned, with what it needs."""

    class Nameless:
        async def plan(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

    with pytest.raises(ConfigurationError, match="has no 'name': it needs a name, plan\\(\\) and patch\\(\\)"):
        await Orchestrator([greeter], planner=Nameless()).run("greet")  # pyright: ignore[reportArgumentType]
