"""The registry."""

import random

import pytest

from agentorch.agents import Agent, agent
from agentorch.errors import ConfigurationError, UnknownAgentError
from agentorch.registry import Registry


@agent(description="d", capabilities=["search"], fallback="bing")
def google(query: str) -> list[str]:
    return [query]


@agent(description="d", capabilities=["search"])
def bing(query: str, limit: int = 3) -> list[str]:
    return [query] * limit


@agent(description="d", capabilities=["search"])
def archive(query: str) -> list[str]:
    return [query]


@agent(description="d", capabilities=["search"])
def counter(query: str) -> int:
    return len(query)


@agent(description="d", capabilities=["search"])
def picky(query: str, day: str) -> list[str]:
    return [query, day]


@agent(description="d")
def poet(facts: list[str]) -> str:
    return "".join(facts)


TEAM = [google, bing, archive, counter, picky, poet]


def test_it_is_the_same_for_any_order():
    """Cards, names and stand-ins."""
    shuffled = random.Random(1).sample(TEAM, len(TEAM))
    assert list(Registry(TEAM).cards.items()) == list(Registry(shuffled).cards.items())
    assert Registry(shuffled).names == ("archive", "bing", "counter", "google", "picky", "poet")


def test_stand_ins_are_the_declared_then_those_that_fit():
    """Same capability, takes what the other takes, gives what the other gives."""
    stand_ins = Registry(TEAM).stand_ins(google.card)
    assert [card.name for card in stand_ins] == ["bing", "archive"]


def test_look_up():
    """By name and by capability."""
    registry = Registry(TEAM)
    assert registry["poet"] is poet
    assert "poet" in registry
    assert len(registry) == 6
    assert [found.name for found in registry.with_capability("search")] == [
        "archive", "bing", "counter", "google", "picky",
    ]  # fmt: skip


def test_an_unknown_name_offers_the_nearest():
    """In one line."""
    with pytest.raises(UnknownAgentError, match=r"unknown agent 'pote'; did you mean 'poet'\?"):
        Registry(TEAM)["pote"]


def test_two_of_a_name_are_refused():
    """Saying where both are."""
    with pytest.raises(ConfigurationError, match=r"two agents are called 'poet': .*; rename one"):
        Registry([poet, Agent("poet", description="d", prompt="p")])


def test_an_unknown_fallback_is_refused():
    """When the team is put together, not when it is needed."""
    with pytest.raises(UnknownAgentError, match="agent 'google': unknown fallback agent 'bing'"):
        Registry([google])
