"""The rule planner: plans by types and words, without a model, the same plan for the same team in any order.

It is the planner when no model is there, and the last resort when a model's plan cannot be mended.

1. An agent whose required parameters the goal can fill is a source; who can be fed by others follows (`wiring`).
2. Several questions or items in the goal fan the sources out; each agent at most once for each item (`fanning`).
3. Of what could work, what the goal speaks of is taken, by BM25 over the cards, then by name (`casting`).
4. An agent with effects is used only when the goal orders what it does (`goal_orders`).
5. What nobody consumes feeds the answer. What nobody can fill is refused in words.
"""

from typing import Final

from agentorch.core.card import AgentCard
from agentorch.core.references import parse
from agentorch.core.schema import described
from agentorch.core.task import Graph
from agentorch.errors import PlanError
from agentorch.planning.card_ranking import rank
from agentorch.planning.card_words import deeds
from agentorch.planning.casting import Cast, choose
from agentorch.planning.fanning import graph
from agentorch.planning.goal_items import Items, items_of
from agentorch.planning.goal_orders import orders
from agentorch.planning.stand_in import stand_ins
from agentorch.planning.wiring import Wiring
from agentorch.ports.planner import Offer, PlanReport, PlanRequest

__all__ = ["RulePlanner"]

_MOST_NAMED: Final = 5
"""Agents and parameters that one message names."""


class RulePlanner:
    """Implements `agentorch.ports.planner.Planner` without a model."""

    name: str = "rules"

    def __init__(self, *, has_model: bool = True) -> None:
        self.has_model = has_model
        """Whether agents that need a model may be used."""

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:  # noqa: ARG002 - nothing is early here: the plan is made in one go
        """Return the plan; raises PlanError in words when no agent can be used."""
        usable = self._usable(request)
        unasked = _unasked(usable, request.goal)
        cards = tuple(card for card in usable if card not in unasked)
        if not cards:
            raise PlanError(_nobody(request, unasked))
        scores = rank(cards, request.goal)
        wiring = Wiring(cards, request.inputs, scores, _absent(request, cards))
        _refuse_unfilled(wiring)
        cast = choose(wiring)
        _refuse_blocked(wiring, cast)
        made, items = _within_limit(cast, _items(request.goal), request.max_tasks)
        return PlanReport(graph=made, notes=_notes(wiring, cast, items) + _notes_on(unasked))

    async def patch(self, request: PlanRequest) -> PlanReport:
        """Put the best-fitting agent that has not failed in each failed task's place; nothing when none is left."""
        patch, notes = stand_ins(request, self._usable(request))
        return PlanReport(patch=patch, notes=notes)

    def _usable(self, request: PlanRequest) -> tuple[AgentCard, ...]:
        usable = (card for card in request.cards if self.has_model or not card.needs_model)
        return tuple(sorted(usable, key=lambda card: card.name))


def _absent(request: PlanRequest, cards: tuple[AgentCard, ...]) -> tuple[AgentCard, ...]:
    used = {card.name for card in cards}
    return tuple(sorted((card for card in request.cards if card.name not in used), key=lambda card: card.name))


def _unasked(cards: tuple[AgentCard, ...], goal: str) -> tuple[AgentCard, ...]:
    """Return the agents with effects that the goal does not order to act."""
    ordered = orders(goal)
    return tuple(card for card in cards if card.effects != "none" and deeds(card).isdisjoint(ordered))


def _notes_on(unasked: tuple[AgentCard, ...]) -> list[str]:
    return [f"{card.name} is left out: it has effects, and the goal does not order what it does" for card in unasked]


def _nobody(request: PlanRequest, unasked: tuple[AgentCard, ...]) -> str:
    if not request.cards:
        return "no agent can be used: give the orchestrator at least one, or a model for those that need one"
    if unasked:
        names = ", ".join(card.name for card in unasked[:_MOST_NAMED])
        remedy = "order it in the words of its description, or plan by hand"
        return f"no other agent can be used, and the goal does not order what those with effects do ({names}): {remedy}"
    names = ", ".join(card.name for card in request.cards[:_MOST_NAMED])
    return f"every agent needs a model ({names}): configure one, or add an agent that needs none"


def _refuse_unfilled(wiring: Wiring) -> None:
    """Raise PlanError when nobody can work, or when the one that the goal speaks of most cannot."""
    left_out = [card.name for card in wiring.cards if card.name not in wiring.places]
    best = max(wiring.scores.values(), default=0.0)
    wanted = [name for name in left_out if best and wiring.scores.get(name, 0.0) == best]
    refused = wanted or ([] if wiring.places else left_out)
    if refused:
        raise PlanError("; ".join(_unfilled(wiring, name) for name in refused[:_MOST_NAMED]))


def _refuse_blocked(wiring: Wiring, cast: Cast) -> None:
    """Raise PlanError when the goal speaks of nobody, and the plan would stop before one whose feeder cannot be fed."""
    if wiring.scores or cast.closing:
        return
    left_out = [card.name for card in wiring.cards if card.name not in wiring.places]
    blocked = [name for name in left_out if any(wiring.blockers(each) for each in wiring.unfilled(name))]
    stopped = [name for name in blocked if any(wiring.could_take(name, end) for end in cast.ends)]
    if stopped:
        raise PlanError("; ".join(_unfilled(wiring, name) for name in stopped[:_MOST_NAMED]))


def _unfilled(wiring: Wiring, name: str, above: tuple[str, ...] = ()) -> str:
    missing = wiring.unfilled(name)
    blockers = [agent for each in missing for agent in wiring.blockers(each) if agent not in above]
    if blockers:
        return f"agent {name!r} needs {blockers[0]!r}, and {_unfilled(wiring, blockers[0], (*above, name))}"
    if any(card.name == name for card in wiring.absent):
        return f"agent {name!r} cannot be used for this goal"
    named = " and ".join(f"{each.name!r} ({described(each.schema)})" for each in missing[:_MOST_NAMED])
    if not missing:
        return f"agent {name!r} waits for agents that wait for it: give one of them its input with inputs={{...}}"
    example = f"inputs={{{missing[0].name!r}: ...}}"
    return f"agent {name!r}: nobody can fill {named}: give it with {example}, or add an agent that returns it"


def _items(goal: str) -> Items:
    """Return the pieces of the goal; none when one of them would be read as a reference."""
    items = items_of(goal)
    return Items() if any(parse(text) for text in items.texts) else items


def _within_limit(cast: Cast, items: Items, most: int) -> tuple[Graph, Items]:
    """Return the plan; the goal is left in one piece when its pieces would make too many tasks."""
    for tried in (items, Items()):
        made = graph(cast, tried)
        if len(made.tasks) <= most:
            return made, tried
    raise PlanError(f"{len(cast.places)} agents fit the goal, but a plan may have {most} tasks: say which to use")


def _notes(wiring: Wiring, cast: Cast, items: Items) -> list[str]:
    """Explain each choice in one line."""
    notes = [f"the goal has {len(items.texts)} pieces ({items.form}): one task each"] if items.texts else []
    chosen = [*cast.places, *([cast.closing] if cast.closing else [])]
    for place in chosen:
        fed = "; ".join(f"{name} from {filling.why}" for name, filling in place.fillings.items())
        role = "closes" if place is cast.closing else "follows" if place.feeders else "is a source"
        notes.append(f"{place.card.name} {role}: {fed or 'it needs nothing'}")
    names = {place.card.name for place in chosen}
    notes.extend(_left_out(wiring, card.name) for card in wiring.cards if card.name not in names)
    return notes


def _left_out(wiring: Wiring, name: str) -> str:
    if name in wiring.places:
        return f"{name} is left out: others fit the goal better"
    missing = ", ".join(repr(each.name) for each in wiring.unfilled(name))
    return f"{name} is left out: nobody can fill {missing or 'what it waits for'}"
