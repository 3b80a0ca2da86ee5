"""The registry."""

import random
from pathlib import Path

import pytest

from agentorch.agents import Agent, agent
from agentorch.errors import ConfigurationError, UnknownAgentError
from agentorch.loading import load_agents
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


def test_the_places_of_two_of_a_name_are_told(tmp_path: Path):
    """A file by its path, a function by its module, and what was made in code as such."""
    (tmp_path / "poet.md").write_text("---\ndescription: d\n---\np")
    (file,) = load_agents([tmp_path])
    made = Agent("poet", description="d", prompt="p")
    for other, place in ((poet, f"one in {__name__}"), (made, "one made in code")):
        with pytest.raises(ConfigurationError) as caught:
            Registry([file, other])
        places = " and ".join(sorted([str(tmp_path / "poet.md"), place]))
        assert str(caught.value) == f"two agents are called 'poet': {places}; rename one of them"


def test_what_is_far_from_every_name_is_told_by_the_number():
    """A long team is not listed."""
    team = [Agent(f"agent{number}", description="d", prompt="p") for number in range(13)]
    with pytest.raises(UnknownAgentError) as caught:
        Registry(team)["zzz"]
    assert str(caught.value) == "unknown agent 'zzz'; the team has 13 agents"


def test_an_agent_that_demands_more_stands_in_only_when_declared():
    """`picky` wants a day that `archive` is not given; `counter` gives a number."""

    @agent(description="d", capabilities=["search"], fallback=["picky"])
    def first(query: str) -> list[str]:
        return [query]

    registry = Registry([first, archive, picky, counter])
    assert [card.name for card in registry.stand_ins(first.card)] == ["picky", "archive"]
    assert [card.name for card in registry.stand_ins(archive.card)] == ["first"]
    assert registry.stand_ins(poet.card) == ()
