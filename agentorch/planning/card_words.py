"""What the words of a card say: what the agent does, and what it makes.

Words are compared by their roots: "drafter", "drafts" and "drafting" are one, and so are "analyst" and "analysis".
"""

import re
from functools import lru_cache
from typing import Final

from agentorch.core.card import AgentCard
from agentorch.library.words import stem
from agentorch.planning.goal_words import ARTICLES, PREPOSITIONS, bare

_SHORTEST_ROOT: Final = 4
_ENDINGS: Final = (("izer", ""), ("iser", ""), ("er", ""), ("or", ""), ("i", ""), ("sis", "s"), ("yst", "ys"))
_LEADS_TO_VERB: Final = frozenset({"that", "which", "who", "to", "can"})


def root(word: str) -> str:
    """Return the stem of what an agent's noun makes: "drafter" and "drafts" are "draft"."""
    found = stem(word)
    for ending, instead in _ENDINGS:
        if found.endswith(ending) and len(found) - len(ending) >= _SHORTEST_ROOT:
            return found.removesuffix(ending) + instead
    return found


def parts(name: str) -> list[str]:
    """Split snake_case, kebab-case and CamelCase into roots: "FactFinders" is "fact", "find"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [root(part.lower()) for part in re.split(r"[\s_\-]+", spaced) if part]


def deeds(card: AgentCard) -> frozenset[str]:
    """Return the roots of what the agent does: the verbs of its description, its name, and the verbs of its tags."""
    verbs = [verb for clause in _clauses(card.description) for verb in _verbs(clause)]
    tags = [part for tag in card.capabilities for part in parts(tag)[:1]]
    return frozenset([*parts(card.name), *tags, *map(root, verbs)])


def makes(card: AgentCard, name: str) -> bool:
    """Whether the card's words say that the agent makes what `name` names: "Finds facts about a topic" names facts.

    What comes after a preposition is what it works on or from, not what it makes.
    """
    wanted = parts(name)
    return bool(wanted) and (
        wanted[-1] in _made(card.description) or any(parts(tag) == wanted for tag in card.capabilities)
    )


@lru_cache(maxsize=1024)
def _made(description: str) -> frozenset[str]:
    found: set[str] = set()
    for clause in _clauses(description):
        end = next((at for at, word in enumerate(clause) if word in PREPOSITIONS), len(clause))
        found.update(root(word) for word in clause[:end] if word)
    return frozenset(found)


def _clauses(text: str) -> list[list[str]]:
    """Split a description where a mark or "and" may begin the next thing that the agent does."""
    clauses: list[list[str]] = [[]]
    for word in text.split():
        if bare(word) == "and":
            clauses.append([])
            continue
        clauses[-1].append(bare(word))
        if word[-1] in ",;:.!?":
            clauses.append([])
    return [clause for clause in clauses if clause]


def _verbs(clause: list[str]) -> list[str]:
    """Return the first word, and what follows "that" or "to"."""
    starts = [0, *(at + 1 for at, word in enumerate(clause[:-1]) if word in _LEADS_TO_VERB)]
    return [clause[at] for at in starts if clause[at] and clause[at] not in ARTICLES]
