"""Validation: schema, the agent's checks, the caller's validators."""

# Checks are written as lambdas here, whose parameters have no types.
# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false

from collections.abc import Callable
from typing import Any, cast

import pytest

from agentorch import Orchestrator, Policy
from agentorch.agents import Agent, Context, agent
from agentorch.core.verdict import Verdict
from agentorch.errors import ConfigurationError
from agentorch.validation import run_check, validate, validators_for


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    ("check", "problems"),
    [
        (lambda output: None, ()),
        (lambda output: "too short", ("too short",)),
        (lambda output: "", ()),
        (lambda output: ["a", "b"], ("a", "b")),
        (lambda output: Verdict.reject("c"), ("c",)),
        (lambda output: Verdict.accept(), ()),
        (lambda output: _raise(ValueError("not that")), ("not that",)),
        (lambda output: _raise(AssertionError("nor that")), ("nor that",)),
        (lambda output: _raise(AssertionError()), ("<lambda> does not hold",)),
        (lambda output, context: context, ("ctx",)),
        (lambda output, limit=3: str(limit), ("3",)),
        (lambda *given: given[1], ("ctx",)),
    ],
)
async def test_what_a_check_may_say(check: Callable[..., Any], problems: tuple[str, ...]):
    """None, words, a list, a verdict, or an error that rejects."""
    assert await run_check(check, "output", cast("Context", "ctx")) == problems


@pytest.mark.parametrize("result", [True, False, 3, [1]])
async def test_a_bool_says_nothing(result: Any):
    """It is a TypeError in words."""
    with pytest.raises(
        TypeError, match=r"check '<lambda>' returned .*; return None, a problem in words, a list of them"
    ):
        await run_check(lambda output: result, "output", None)


async def test_other_errors_are_the_checks_own():
    """They are not verdicts."""
    with pytest.raises(KeyError):
        await run_check(lambda output: _raise(KeyError("x")), "output", None)
    with pytest.raises(ConfigurationError, match="takes no output"):
        await run_check(lambda: None, "output", None)


def short(output: str) -> str | None:
    return "too long" if len(output) > 3 else None


@agent(description="Finds facts.")
async def researcher(topic: str) -> str:
    return topic


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"reseacher": short}, r"there is no agent 'reseacher'; did you mean 'researcher'\?"),
        ({42: short}, "42 is no agent; the keys are agents or their names"),
        ({"researcher": "short"}, "validators of 'researcher': 'short' is no list of checks"),
        ({researcher: [short, 3]}, "3 is no check; a check is a function of the output"),
        (short, r"is no list of checks; write \[short\]"),
        ("short", "is no list of checks"),
        (3, "is no list of checks"),
        ([lambda: None], "takes no output"),
    ],
)
async def test_validators_that_could_never_be_asked_are_refused_at_once(given: Any, words: str):
    """In words that name the thing and the remedy, before anything runs."""
    with pytest.raises(ConfigurationError, match=words):
        async with Orchestrator([researcher], validators=given):
            pass


@pytest.mark.parametrize("given", [{"researcher": short}, {researcher: [short]}, [short], iter([short])])
async def test_validators_are_asked_for_every_task(given: Any):
    """However they are given."""
    async with Orchestrator([researcher], validators=given, policy=Policy(attempts=1, replans=0)) as orchestrator:
        outcomes = [await orchestrator.run("a very long goal") for _ in range(2)]
    assert [outcome.problems[0].message for outcome in outcomes] == ["too long"] * 2


def _counting() -> Agent:
    @agent(description="d")
    def counting() -> set[int]:
        return {1}

    return counting


async def test_all_checks_run_and_see_the_declared_type():
    """Sync and async, the agent's before the caller's; what they see came back from JSON."""
    made = _counting()
    seen: list[Any] = []

    @made.check
    def first(output: set[int]) -> str:  # pyright: ignore[reportUnusedFunction]
        seen.append(output)
        return "first"

    @made.check
    async def second(output: set[int], context: Context) -> list[str]:  # pyright: ignore[reportUnusedFunction]
        seen.append(context)
        return ["second"]

    encoded, verdict = await validate(made, [2], context=cast("Context", "ctx"), validators=[lambda output: "third"])
    assert (encoded, verdict) == ([2], Verdict(("first", "second", "third"), ("first", "second", "<lambda>")))
    assert seen == [{2}, "ctx"]


async def test_a_broken_schema_ends_it():
    """Checks are not shown what is not of the type."""
    made = _counting()
    made.checks.append(lambda output: _raise(KeyError("seen")))
    encoded, verdict = await validate(made, ["x"])
    assert (encoded, verdict.accepted) == (None, False)
    assert verdict.problems[0].startswith("[0]: input should be a valid integer")


async def test_nothing_to_check_is_accepted():
    """With the output as JSON."""
    assert await validate(_counting(), {3}) == ([3], Verdict.accept())


def test_validators_are_for_all_or_by_agent():
    """A list, or a mapping from agent or name to one or several."""
    made = _counting()
    assert validators_for("counting", [len]) == (len,)
    assert validators_for("counting", {"counting": len, "other": max}) == (len,)
    assert validators_for("counting", {made: [len, max]}) == (len, max)
