"""The team of an orchestrator: its agents, their models, and the cards that planners and the core see."""

from collections.abc import Mapping, Sequence

from agentorch.agents import Agent
from agentorch.core.card import AgentCard
from agentorch.core.usage import Budget
from agentorch.errors import ConfigurationError
from agentorch.ports.model import Model
from agentorch.registry import Registry
from agentorch.runtime.opener import Opener


class Team:
    """Agents by name, each with the models that it is tried with."""

    def __init__(self, agents: Sequence[Agent], models: Sequence[Model], answerer: Agent, opener: Opener) -> None:
        self.registry = Registry(agents)
        self.models = tuple(models)
        """The run's models, in order."""
        if answerer.name in self.registry:
            raise ConfigurationError(f"an agent is called {answerer.name!r}, which is the built-in answerer's name")
        self.agents: Mapping[str, Agent] = {one.name: one for one in (*self.registry, answerer)}
        self._own: dict[str, tuple[Model, ...]] = {
            one.name: tuple(_opened(name, one, opener) for name in one.models) for one in self.registry if one.models
        }
        self.catalog: Mapping[str, AgentCard] = {name: self._card(one) for name, one in sorted(self.agents.items())}
        """Every card, the answerer's included, with the number of models that it can be tried with."""

    @property
    def cards(self) -> tuple[AgentCard, ...]:
        """What planners may choose from: without a model, only agents that need none."""
        return tuple(
            self.catalog[name]
            for name in self.registry.names
            if not self.catalog[name].needs_model or self.model_of(name, 0) is not None
        )

    def model_of(self, agent: str, index: int) -> Model | None:
        """Return the agent's model number `index`; None when there is none."""
        models = self._own.get(agent, self.models)
        return models[min(index, len(models) - 1)] if models else None

    def catalog_under(self, budget: Budget) -> Mapping[str, AgentCard]:
        """Return the catalog for a run; under a limit of money it says which models have no known price."""
        if budget.max_money is None:
            return self.catalog
        return {name: card.model_copy(update={"unpriced": self._unpriced(name)}) for name, card in self.catalog.items()}

    def _unpriced(self, agent: str) -> str:
        uses_model = self.agents[agent].kind == "prompt" or self.agents[agent].card.needs_model
        models = self._own.get(agent, self.models) if uses_model else ()
        return unpriced(models)

    async def close(self) -> None:
        """Release the models' connections."""
        for model in {id(model): model for models in (self.models, *self._own.values()) for model in models}.values():
            await model.close()

    def _card(self, agent: Agent) -> AgentCard:
        count = len(self._own.get(agent.name, self.models))
        uses_model = agent.kind == "prompt" or agent.card.needs_model
        return agent.card.model_copy(update={"models": max(1, count) if uses_model else 1})


def unpriced(models: Sequence[Model]) -> str:
    """Return the first model whose price is not known, or an empty name."""
    return next((model.name for model in models if not getattr(model, "priced", True)), "")


def _opened(name: str, agent: Agent, opener: Opener) -> Model:
    given = agent.given_models.get(name)
    model = opener(given if given is not None else name)
    if model is None:
        raise ConfigurationError(f"agent {agent.name!r}: no model is named by {name!r}")
    return model
