"""The team of an orchestrator: its agents, their models, and the cards that planners and the core see."""

from collections.abc import Iterable, Mapping, Sequence

from agentorch.agents import Agent, Judge
from agentorch.core.card import AgentCard
from agentorch.core.state import ANSWERER
from agentorch.core.usage import NOTHING, Budget, Usage
from agentorch.errors import ConfigurationError
from agentorch.ports.model import Model, is_priced, secrets_of
from agentorch.registry import Registry
from agentorch.runtime.call_terms import USUAL_OUTPUT, price_at
from agentorch.runtime.opener import Opener
from agentorch.validation import Validators, validators_for


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
        self._opener = opener
        self._judges: dict[str, tuple[Judge, ...]] = {}
        self._of_judges: dict[str, tuple[str | Model, Model]] = {}
        """Models of judges that have their own, with what they were given as, by name."""
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

    def seat_judges(self, validators: Validators) -> None:
        """Open the models of every agent's judges; ConfigurationError for a judge that nobody could ask."""
        for name, one in self.agents.items():
            checks = (*one.checks, *validators_for(name, validators))
            self._judges[name] = judges = tuple(check for check in checks if isinstance(check, Judge))
            for judge in judges:
                if judge.model is not None:
                    self._seat(judge, judge.model)
                elif not one.card.needs_model and self.model_of(name, 0) is None:
                    raise ConfigurationError(
                        f"judge {judge.name!r} of agent {name!r} needs a language model and none is set: give "
                        "Orchestrator(model=...), or Judge(model=...)"
                    )

    def _seat(self, judge: Judge, given: str | Model) -> None:
        name = judge.model_name or ""
        known = self._of_judges.get(name)
        if known is not None and known[0] is not given and known[0] != given:
            raise ConfigurationError(f"two models of judges are called {name!r}; give one of them another name")
        if known is not None:
            return
        model = self._opener(given)
        if model is None:
            raise ConfigurationError(f"judge {judge.name!r}: no model is named by {name!r}")
        self._of_judges[name] = (given, model)

    def model_named(self, name: str) -> Model:
        """Return the model of a judge."""
        if name not in self._of_judges:
            raise ConfigurationError(f"model {name!r} of a judge was not opened: list it in validators or checks")
        return self._of_judges[name][1]

    def catalog_under(self, budget: Budget) -> Mapping[str, AgentCard]:
        """Return the catalog for a run; under a limit of money it says which models have no known price."""
        if budget.max_money is None:
            return self.catalog
        return {name: card.model_copy(update=self._prices(name)) for name, card in self.catalog.items()}

    def _prices(self, agent: str) -> dict[str, str | float]:
        """Return what a card says of money: a model without a known price, and what a usual call costs."""
        model = self.model_of(agent, 0)
        usual = Usage(USUAL_OUTPUT, USUAL_OUTPUT)
        return {"unpriced": self._unpriced(agent), "call_money": price_at(model, NOTHING)(usual)}

    def _unpriced(self, agent: str) -> str:
        uses_model = self.agents[agent].kind == "prompt" or self.agents[agent].card.needs_model
        judges = self._judges.get(agent, ())
        shared = any(judge.model is None for judge in judges)
        models = self._own.get(agent, self.models) if uses_model or shared else ()
        return unpriced((*models, *(self.model_named(one.model_name) for one in judges if one.model_name is not None)))

    async def close(self) -> None:
        """Release the models' connections."""
        for model in self._everyone():
            await model.close()

    @property
    def secrets(self) -> frozenset[str]:
        """Keys and passwords with which the models ask, as far as they say."""
        return frozenset(secret for model in self._everyone() for secret in secrets_of(model))

    def _everyone(self) -> Iterable[Model]:
        opened = [model for models in (self.models, *self._own.values()) for model in models]
        opened += [model for _, model in self._of_judges.values()]
        return {id(model): model for model in opened}.values()

    def _card(self, agent: Agent) -> AgentCard:
        count = len(self._own.get(agent.name, self.models))
        uses_model = agent.kind == "prompt" or agent.card.needs_model
        asks = agent.name == ANSWERER and bool(self.models)
        return agent.card.model_copy(update={"models": max(1, count) if uses_model else 1, "asks_model": asks})


def unpriced(models: Sequence[Model]) -> str:
    """Return the first model whose price is not known, or an empty name."""
    return next((model.name for model in models if not is_priced(model)), "")


def _opened(name: str, agent: Agent, opener: Opener) -> Model:
    given = agent.given_models.get(name)
    model = opener(given if given is not None else name)
    if model is None:
        raise ConfigurationError(f"agent {agent.name!r}: no model is named by {name!r}")
    return model
