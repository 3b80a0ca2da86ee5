"""Who is in the plan: of all that could work for a goal, those that the goal asks for, and those who feed them.

1. What nothing consumes is an end. Ends that share no word with the goal, nor does anyone who feeds them, are left
   out when another one does; when none does, a chain that takes the goal by name is taken before one that takes it as
   any text, then one that answers questions, as its capabilities say, then the longest, then the first by name.
2. Ends that live on the same outputs compete: if the goal speaks of one, the others are left out.
3. An agent that takes loose ends closes the plan when there are several, when the only one is not text yet, or when
   the goal speaks of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agentorch.planning.wiring import Place, Wiring, fitting

ANSWERS: Final = "answer-question"
"""The capability of who takes a goal that speaks of nobody."""


@dataclass(frozen=True, slots=True)
class Cast:
    """The agents of a plan."""

    places: tuple[Place, ...]
    """Each after those who feed it."""
    ends: tuple[str, ...]
    """Agents whose output nobody takes, but `closing`."""
    closing: Place | None
    """Who takes the ends, if anybody does."""


def choose(wiring: Wiring) -> Cast:
    """Return who is needed for the goal; at least one agent can work."""
    workers = {name: place for name, place in wiring.places.items() if not place.takes_loose_ends}
    closers = [place for place in wiring.places.values() if place.takes_loose_ends]
    taken = {name for place in workers.values() for name in place.feeders}
    chosen = _compete(
        _asked_for([name for name in workers if name not in taken], workers, wiring.scores), workers, wiring.scores
    )
    needed = set[str]().union(*(_chain(name, workers) for name in chosen))
    closing = _closing(closers, [workers[name] for name in chosen], wiring.scores)
    places = tuple(place for name, place in workers.items() if name in needed)
    return Cast(places, tuple(sorted(chosen)), closing)


def _asked_for(ends: list[str], workers: Mapping[str, Place], scores: Mapping[str, float]) -> list[str]:
    """Leave out the ends whose whole chain has less to do with the goal."""
    chains = {end: _chain(end, workers) for end in ends}
    best = {end: max(scores.get(name, 0.0) for name in chains[end]) for end in ends}
    best = {end: score for end, score in best.items() if score}
    if best or not ends:
        return fitting(ends, best)
    first = min(ends, key=lambda end: (*_unfit(chains[end], workers), -len(chains[end]), end))
    return [end for end in ends if end == first or chains[end] & (chains[first] - {first})]


def _unfit(chain: set[str], workers: Mapping[str, Place]) -> tuple[bool, bool]:
    """Return what speaks against a chain for a goal that speaks of nobody, the gravest first."""
    takes_any_text = any(workers[name].takes_any_text for name in chain)
    return takes_any_text, not any(ANSWERS in workers[name].card.capabilities for name in chain)


def _compete(ends: list[str], workers: Mapping[str, Place], scores: Mapping[str, float]) -> list[str]:
    """Leave out the ends that a better fit, fed by the same agents, makes needless."""
    rivals = {end: [other for other in ends if _rivals(workers[end], workers[other])] for end in ends}
    return [end for end in ends if not rivals[end] or end in fitting(rivals[end], scores)]


def _rivals(first: Place, second: Place) -> bool:
    return not set(first.feeders).isdisjoint(second.feeders)


def _chain(end: str, workers: Mapping[str, Place]) -> set[str]:
    """Return `end` and everyone who feeds it."""
    found: set[str] = set()
    waiting = [end]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(workers[name].feeders)
    return found


def _closing(closers: list[Place], ends: list[Place], scores: Mapping[str, float]) -> Place | None:
    if not closers:
        return None
    best = min(closers, key=lambda place: (-scores.get(place.card.name, 0.0), -len(place.fillings), place.card.name))
    is_text = len(ends) == 1 and ends[0].card.output.get("type") == "string"
    return None if is_text and not scores.get(best.card.name) else best
