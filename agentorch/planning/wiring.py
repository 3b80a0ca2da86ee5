"""Who can work after whom: every agent of a team that can be fed, in an order in which each takes from those before it.

1. An agent waits for every other agent that could feed it; in a ring the best fit, then the name, goes first.
2. A parameter is filled by the run's input of its name, else by the goal if its name asks for it, else by the output
   that speaks best for it: by name, by type and what the card says, by type, by what the card says. Of equals the
   latest in the chain is taken, then the better fit to the goal, then the name; but an agent that takes the goal only
   because it takes any text comes last. Nothing better offered, an agent's only text takes the goal.
3. Where a team has an agent of a parameter's name, another is no substitute: if it cannot be fed, nothing is.
4. Agents that turn a type into the same type stand side by side, not in a row: none is known to come first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agentorch.core.card import AgentCard
from agentorch.planning.card_fit import NO_FEED, Evidence, Feed, Parameter, feed, parameters, value_fits

FITTING: Final = 0.25
"""The share of the best score from which a card counts as fitting, too."""
_WORDS_FOR: Final = {
    Evidence.NAME_AND_TYPE: "name and type",
    Evidence.NAME: "name",
    Evidence.WORDS_AND_TYPE: "description and type",
    Evidence.TYPE: "type",
    Evidence.WORDS: "description",
    Evidence.TEXTS: "a text each",
}


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills one parameter."""

    kind: Literal["input", "goal", "items", "output", "outputs", "parts"]
    agents: tuple[str, ...] = ()
    """Whose output it takes."""
    evidence: Evidence = Evidence.NONE
    """What speaks for it; of the goal, its name or nothing."""

    @property
    def why(self) -> str:
        """The filling in a few words."""
        match self.kind:
            case "input":
                return "the run's input"
            case "goal":
                return "the goal"
            case "items":
                return "all items of the goal"
            case "parts":
                return "whatever is left"
            case "output" | "outputs":
                return f"{', '.join(self.agents)} (by {_WORDS_FOR[self.evidence]})"


@dataclass(frozen=True, slots=True)
class Place:
    """An agent in the chain."""

    card: AgentCard
    fillings: Mapping[str, Filling]
    depth: int

    @property
    def feeders(self) -> tuple[str, ...]:
        """Agents whose output it takes, each once."""
        return tuple(dict.fromkeys(name for filling in self.fillings.values() for name in filling.agents))

    @property
    def takes_any_text(self) -> bool:
        """Whether it takes the goal only because it takes any text."""
        return any(f.kind == "goal" and not f.evidence for f in self.fillings.values()) and not self.feeders

    @property
    def takes_loose_ends(self) -> bool:
        """Whether it can take whatever the others leave."""
        return any(filling.kind == "parts" for filling in self.fillings.values())


def fitting(names: list[str], scores: Mapping[str, float]) -> list[str]:
    """Return those of `names` whose score is near the best of them; all when none has any."""
    best = max((scores.get(name, 0.0) for name in names), default=0.0)
    return [name for name in names if scores.get(name, 0.0) >= best * FITTING and (not best or name in scores)]


@dataclass
class Wiring:
    """A team, laid out for one goal."""

    cards: tuple[AgentCard, ...]
    """Sorted by name."""
    inputs: Mapping[str, Any]
    scores: Mapping[str, float]
    absent: tuple[AgentCard, ...] = ()
    """Agents of the team that may not work this time."""
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    """Who can work, by name, each after those that feed it."""

    def __post_init__(self) -> None:
        self._team = {card.name: card for card in (*self.cards, *self.absent)}
        self._parameters = {name: parameters(card) for name, card in self._team.items()}
        self._feeds = self._all_feeds()
        self._reachable = self._reach()
        while self._keep_to_names():
            self._reachable = self._reach()
        waiting = sorted(self._reachable, key=lambda name: (-self.scores.get(name, 0.0), name))
        while waiting:
            name = self._next(waiting)
            waiting.remove(name)
            self.places[name] = self._place(self._team[name])

    def unfilled(self, name: str) -> list[Parameter]:
        """Return the required parameters of the agent `name` that nobody can fill."""
        return [
            each
            for each in self._parameters[name]
            if each.required and not self._given(each) and not self._could_feed(each, self._reachable)
        ]

    def blockers(self, parameter: Parameter) -> list[str]:
        """Return the agents of the parameter's name that nobody can feed, sorted."""
        feeds = self._feeds.get((parameter.agent, parameter.name), {})
        named = sorted(name for name, found in feeds.items() if found.evidence >= Evidence.NAME)
        return named if self._reachable.isdisjoint(named) else []

    def could_take(self, name: str, output: str) -> bool:
        """Whether a parameter of the agent `name` could be filled by what the agent `output` gives."""
        return any(self._could_feed(each, {output}) for each in self._parameters[name])

    def _keep_to_names(self) -> bool:
        """Leave out substitutes for agents of a parameter's name that cannot be fed; return whether there was any."""
        found = False
        for listed in self._parameters.values():
            for each in listed:
                if blockers := self.blockers(each):
                    feeds = self._feeds[each.agent, each.name]
                    found = found or len(feeds) > len(blockers)
                    self._feeds[each.agent, each.name] = {name: feeds[name] for name in blockers}
        return found

    def _all_feeds(self) -> dict[tuple[str, str], dict[str, Feed]]:
        """What every card can be to every parameter, those that can be nothing left out; who closes feeds nobody."""
        closers = {name for name, listed in self._parameters.items() if any(each.takes_loose_ends for each in listed)}
        return {
            (each.agent, each.name): {
                card.name: found
                for card in self._team.values()
                if card.name not in {each.agent, *closers} and (found := self._feed(card, each)).evidence
            }
            for listed in self._parameters.values()
            for each in listed
            if not each.takes_goal and not any(other.takes_loose_ends for other in listed)
        }

    def _feed(self, producer: AgentCard, parameter: Parameter) -> Feed:
        found = feed(producer, parameter)
        if not parameter.required and found.evidence < Evidence.NAME and not parameter.is_structured:
            return NO_FEED  # an optional list of text may be anything: `problems`, `hints`
        if (
            found.evidence < Evidence.NAME
            and self._turns_into_itself(parameter)
            and any(map(self._turns_into_itself, self._parameters[producer.name]))
        ):
            return NO_FEED
        return found

    def _turns_into_itself(self, parameter: Parameter) -> bool:
        """Whether the agent gives what it takes."""
        return feed(self._team[parameter.agent], parameter).evidence >= Evidence.TYPE

    def _reach(self) -> set[str]:
        """Return the agents that can be fed at all, however long the chain."""
        reached: set[str] = set()
        while True:
            more = {card.name for card in self.cards if card.name not in reached and self._is_ready(card.name, reached)}
            if not more:
                return reached
            reached |= more

    def _is_ready(self, name: str, placed: set[str]) -> bool:
        return all(
            not each.required or self._given(each) or self._could_feed(each, placed) for each in self._parameters[name]
        )

    def _given(self, parameter: Parameter) -> bool:
        """Whether it needs no other agent."""
        return (
            parameter.takes_goal
            or parameter.takes_any_text
            or parameter.takes_items
            or parameter.takes_loose_ends
            or self._is_input(parameter)
            or self._is_only_text(parameter)
        )

    def _is_input(self, parameter: Parameter) -> bool:
        return parameter.name in self.inputs and value_fits(self.inputs[parameter.name], parameter)

    def _is_only_text(self, parameter: Parameter) -> bool:
        required = [each for each in self._parameters[parameter.agent] if each.required and not self._is_input(each)]
        return required == [parameter] and parameter.is_text

    def _could_feed(self, parameter: Parameter, names: set[str]) -> bool:
        return not names.isdisjoint(self._feeds.get((parameter.agent, parameter.name), ()))

    def _next(self, waiting: list[str]) -> str:
        """Return who goes next: ready, and fed by nobody who still waits, if there is such a one."""
        ready = [name for name in waiting if self._is_ready(name, set(self.places))]
        for name in ready:
            others = set(waiting) - {name}
            if not any(self._could_feed(each, others) for each in self._parameters[name]):
                return name
        return ready[0]

    def _place(self, card: AgentCard) -> Place:
        fillings = {each.name: filling for each in self._parameters[card.name] if (filling := self._filling(each))}
        feeders = [self.places[name].depth for filling in fillings.values() for name in filling.agents]
        return Place(card, fillings, 1 + max(feeders, default=-1))

    def _filling(self, parameter: Parameter) -> Filling | None:
        if self._is_input(parameter):
            return Filling("input")
        if parameter.takes_goal:
            return Filling("goal", evidence=Evidence.NAME)
        if parameter.takes_loose_ends:
            return Filling("parts")
        feeds = self._feeds.get((parameter.agent, parameter.name), {})
        offered = [name for name in feeds if name in self.places]
        if offered:
            return self._taken(feeds, offered)
        if parameter.takes_items:
            return Filling("items")
        return Filling("goal") if parameter.takes_any_text or self._is_only_text(parameter) else None

    def _taken(self, feeds: Mapping[str, Feed], offered: list[str]) -> Filling:
        """Return the best of what is offered: one output, or several gathered in a list."""
        best = min(offered, key=lambda name: (-feeds[name].evidence, *self._order(name)))
        if not feeds[best].gathered:
            return Filling("output", (best,), feeds[best].evidence)
        any_text = self.places[best].takes_any_text
        alike = [
            name for name in offered if feeds[name] == feeds[best] and self.places[name].takes_any_text == any_text
        ]
        return Filling("outputs", tuple(sorted(fitting(alike, self.scores))), feeds[best].evidence)

    def _order(self, name: str) -> tuple[bool, int, float, str]:
        """Which of two that speak equally for a parameter is taken: the less."""
        place = self.places[name]
        return place.takes_any_text, -place.depth, -self.scores.get(name, 0.0), name
