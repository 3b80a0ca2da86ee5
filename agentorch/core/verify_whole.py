"""The verifier's checks that need the whole plan: what answers the goal, and what serves nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from agentorch.core.card import AgentCard
from agentorch.core.failures import Code, Problem
from agentorch.core.nearest import did_you_mean
from agentorch.core.references import parse
from agentorch.core.schema import at, described
from agentorch.core.task import Task

_SHOWN: Final = 6
"""Ids of one group of equal tasks that a warning shows."""


def sinks_of(tasks: Iterable[Task]) -> tuple[str, ...]:
    """Return the ids of the tasks that no other needs, in order."""
    ids: list[str] = []
    needed: set[str] = set()
    for task in tasks:
        ids.append(task.id)
        needed.update(task.needs)
    return tuple(id for id in ids if id not in needed)


def answer_problem(answer: str, tasks: Mapping[str, Task], cards: Mapping[str, AgentCard]) -> Problem | None:
    """Return why the reference `answer` can give no value, or None."""
    reference = parse(answer)
    if reference is None:
        remedy = "write '$id' or '$id.path'" if answer not in tasks else f"write '${answer}'"
        return Problem(Code.UNREACHABLE_FINAL, f"answer {answer!r} is not a reference", None, remedy)
    task = tasks.get(reference.id)
    if task is None:
        remedy = did_you_mean(reference.id, tasks)
        return Problem(Code.UNREACHABLE_FINAL, f"answer {answer!r} names no task of the plan", None, remedy)
    card = cards.get(task.agent)
    if card is not None and at(card.output, reference.path) is None:
        remedy = f"{card.name!r} gives {described(card.output)}"
        return Problem(Code.UNREACHABLE_FINAL, f"answer {answer!r} names a part that is never there", task.id, remedy)
    return None


def orphans(
    answer: str, sinks: Sequence[str], tasks: Mapping[str, Task], cards: Mapping[str, AgentCard]
) -> Iterator[Problem]:
    """Yield a warning for each last task whose output the answer does not hold, unless its agent has effects."""
    reference = parse(answer)
    for id in sinks:
        card = cards.get(tasks[id].agent)
        if reference is not None and id != reference.id and (card is None or card.effects == "none"):
            yield Problem(
                Code.ORPHAN, f"nothing uses its output, and the answer is {answer}", id, "refer to it or drop it"
            )


def duplicates(tasks: Iterable[Task]) -> Iterator[Problem]:
    """Yield one warning for each group of tasks that ask one agent for the same."""
    groups: dict[tuple[str, str, tuple[str, ...], int], dict[str, list[str]]] = {}
    first: dict[tuple[str, str, tuple[str, ...], int], Task] = {}
    for task in tasks:
        key = (task.agent, task.objective, task.needs, len(task.inputs))
        other = first.setdefault(key, task)
        if other is not task:  # inputs are compared only where all the rest is equal: most tasks differ earlier
            group = groups.setdefault(key, {repr(other.inputs): [other.id]})
            group.setdefault(repr(task.inputs), []).append(task.id)
    for group in groups.values():
        for ids in group.values():
            if len(ids) > 1:
                yield Problem(Code.DUPLICATE_TASK, f"the same task as {ids[0]}: {_listed(ids[1:])}", ids[1], "keep one")


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more
