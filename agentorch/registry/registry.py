"""The registry: agents by name, with look-up by capability; the same for any order of the agents."""

from collections.abc import Iterable, Iterator, Mapping

from agentorch.agents import Agent
from agentorch.core.assignability import assignable
from agentorch.core.card import AgentCard
from agentorch.core.nearest import did_you_mean
from agentorch.errors import ConfigurationError, UnknownAgentError
from agentorch.pictures.bundles import prose


class Registry:
    """A team. Names are unique; iteration is by name."""

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        by_name: dict[str, Agent] = {}
        for agent in agents:
            if agent.name in by_name:
                places = " and ".join(sorted(_place(item) for item in (by_name[agent.name], agent)))
                raise ConfigurationError(f"two agents are called {agent.name!r}: {places}; rename one of them")
            by_name[agent.name] = agent
        self._agents: Mapping[str, Agent] = dict(sorted(by_name.items()))
        self._cards = {name: agent.card for name, agent in self._agents.items()}
        for agent in self._agents.values():
            for name in agent.card.fallback:
                if name not in self._agents:
                    raise self._unknown(name, f"agent {agent.name!r}: unknown fallback agent")

    @property
    def cards(self) -> Mapping[str, AgentCard]:
        """The cards by name, sorted."""
        return self._cards

    @property
    def names(self) -> tuple[str, ...]:
        """The names, sorted."""
        return tuple(self._agents)

    def __getitem__(self, name: str) -> Agent:
        """Return the agent of that name; UnknownAgentError offers the nearest."""
        try:
            return self._agents[name]
        except KeyError:
            raise self._unknown(name, "unknown agent") from None

    def __contains__(self, name: object) -> bool:
        return name in self._agents

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def __len__(self) -> int:
        return len(self._agents)

    def with_capability(self, word: str) -> tuple[Agent, ...]:
        """Return the agents that have a capability, by name."""
        return tuple(agent for agent in self if word in agent.card.capabilities)

    def stand_ins(self, card: AgentCard) -> tuple[AgentCard, ...]:
        """Return who may stand in for an agent: those declared, then those that can do the same and fit its schemas."""
        declared = [self._cards[name] for name in card.fallback if name in self._cards]
        alike = [
            other
            for other in self._cards.values()
            if other.name != card.name and other.name not in card.fallback and _can_replace(other, card)
        ]
        return (*declared, *alike)

    def __repr__(self) -> str:
        return f"Registry({', '.join(self.names)})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Show the team as a table in a notebook."""
        del include, exclude
        from agentorch.registry.agent_words import table_of  # noqa: PLC0415  # loaded when looked at

        return prose(table_of(self._cards.values()), repr(self))

    def _unknown(self, name: str, what: str) -> UnknownAgentError:
        hint = did_you_mean(name, self._agents.keys()) or f"the team has {len(self)} agents"
        return UnknownAgentError(f"{what} {name!r}; {hint}")


def _can_replace(other: AgentCard, card: AgentCard) -> bool:
    if not set(other.capabilities) & set(card.capabilities):
        return False
    takes = assignable(card.input, other.input) is not False
    return takes and assignable(other.output, card.output) is not False


def _place(agent: Agent) -> str:
    if agent.source is not None:
        return str(agent.source)
    module = getattr(agent.function, "__module__", None)
    return f"one in {module}" if module else "one made in code"
