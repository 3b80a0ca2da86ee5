"""The verifier: everything that can be known to be wrong with a plan before it costs anything.

1. It reports all problems, not the first, in an order that depends on the plan alone; each has a code to repair from.
2. Prefix checks (`whole=False`) hold for any prefix of a plan: what passed them may run while the rest is written.
3. It is linear in tasks and references; schemas are compared once for each pair of agents and paths.
"""

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from agentorch.core.card import AgentCard
from agentorch.core.failures import Code, Problem
from agentorch.core.identity import ID
from agentorch.core.nearest import did_you_mean
from agentorch.core.ordering import ordered
from agentorch.core.policy import Policy
from agentorch.core.references import PROVIDED, adding, found, targets_of
from agentorch.core.task import UNSET, Graph, Task
from agentorch.core.verify_inputs import InputChecks
from agentorch.core.verify_whole import answer_problem, duplicates, orphans, sinks_of

BudgetProblem = Callable[[AgentCard], str | None]
"""Says why an agent cannot be used within the budget, or None."""

_HINTS: Final = 20
"""Problems after which near names are no longer looked for: each costs a look at every name."""
_SHOWN: Final = 10
"""Ids of a cycle that a message shows."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a plan."""

    tasks: tuple[Task, ...]
    """In an order in which each needs only tasks above it, or known ones, with needs filled in."""
    answer: str | None
    """What answers the goal; None when that takes a further task over several `sinks`, or for a prefix."""
    sinks: tuple[str, ...]
    """Tasks that no other needs, the known ones included; empty for a prefix."""
    problems: tuple[Problem, ...]
    """Errors and warnings."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that stop the plan."""
        return tuple(problem for problem in self.problems if problem.is_error) if self.problems else ()

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The problems that do not."""
        return tuple(problem for problem in self.problems if not problem.is_error)


def verify(
    graph: Graph,
    cards: Mapping[str, AgentCard],
    *,
    known: Mapping[str, Task] | None = None,
    max_tasks: int | None = None,
    strict: bool = False,
    whole: bool = True,
    inputs: Mapping[str, Any] | None = None,
    policy: Policy = UNSET,
    budget_problem: BudgetProblem | None = None,
) -> Verified:
    """Check `graph` against the team and return it in order, needs filled in, with every problem found.

    `known` are tasks accepted before: they are not checked again, and new ones may need them. `strict` is for plans
    that a planner wrote: `$x` with an unknown x is E_UNKNOWN_DEP there, and an ordinary string otherwise; equal tasks
    are warned of there, and meant otherwise. `inputs` are the run's, if known. `policy` is the run's. `whole=False`
    leaves out what only a whole plan can be asked.
    """
    accepted = known or {}
    problems: list[Problem] = []
    unique = _named(graph.tasks, accepted, problems)
    # A prefix is checked for each task that arrives: it must not cost a copy of all that came before.
    tasks = {**accepted, **unique} if whole else ChainMap(unique, cast("dict[str, Task]", accepted))
    checks = InputChecks(cards, tasks, inputs=inputs, policy=policy, strict=strict)
    agents = _Agents(cards, budget_problem)
    linked: list[Task] = []
    for task in unique.values():
        references = found(task.inputs)
        whole_task = adding(task, targets_of(task, references), tasks, strict=strict)
        linked.append(whole_task)
        if whole_task.needs:
            problems.extend(_needs(whole_task, tasks, hints=len(problems) < _HINTS))
        card = agents.card(whole_task, problems)
        if card is not None:
            problems.extend(checks.problems(whole_task, card, references))
            if card.fallback or card.policy.fallback or whole_task.policy.fallback:
                problems.extend(checks.fallback_problems(whole_task, card, references))
    order = ordered(linked)
    problems.extend(_cycle(cycle) for cycle in order.cycles if len(cycle) > 1)
    count = len(accepted) + len(graph.tasks)
    if max_tasks is not None and count > max_tasks:
        problems.append(Problem(Code.LIMIT, f"{count} tasks, at most {max_tasks}", None, "plan fewer, larger tasks"))
    answer, sinks = None, ()
    if whole:
        tasks.update((task.id, task) for task in linked)
        answer, sinks = _whole(graph.answer, tasks, cards, problems)
        if strict:
            problems.extend(duplicates(tasks.values()))
    return Verified(order.tasks + order.rest, answer, sinks, tuple(problems))


def _named(given: Sequence[Task], accepted: Mapping[str, Task], problems: list[Problem]) -> dict[str, Task]:
    """Return the tasks by id, the first of each; report ids that are taken or are none."""
    unique: dict[str, Task] = {}
    for task in given:
        if task.id in unique or task.id in accepted:
            problems.append(Problem(Code.DUP_ID, f"two tasks are called {task.id!r}", task.id, "rename one"))
            continue
        unique[task.id] = task
        if task.id in PROVIDED:
            remedy = f"rename it: ${task.id} is the run's own"
            problems.append(Problem(Code.SCHEMA, f"a task may not be called {task.id!r}", task.id, remedy))
        elif not ID.fullmatch(task.id):
            remedy = "use lower-case letters, digits, '_' and '-', a letter first"
            problems.append(Problem(Code.SCHEMA, f"{task.id!r} cannot be a task's id", task.id, remedy))
    return unique


def _needs(task: Task, tasks: Mapping[str, Task], *, hints: bool) -> Iterator[Problem]:
    for need in task.needs:
        if need == task.id:
            yield Problem(Code.SELF_DEP, "it needs itself", task.id, f"take {need!r} out of its needs and inputs")
        elif need not in tasks:
            remedy = did_you_mean(need, tasks) if hints else None
            yield Problem(Code.UNKNOWN_DEP, f"it needs {need!r}, which is no task of the plan", task.id, remedy)


def _cycle(cycle: tuple[str, ...]) -> Problem:
    shown = cycle if len(cycle) <= _SHOWN else (*cycle[:_SHOWN], f"... ({len(cycle)} tasks)")
    words = " needs ".join((*shown, cycle[0]))
    return Problem(Code.CYCLE, f"tasks wait for each other: {words}", cycle[0], "take one of these needs out")


class _Agents:
    """The team, as the tasks name it."""

    def __init__(self, cards: Mapping[str, AgentCard], budget_problem: BudgetProblem | None) -> None:
        self._cards = cards
        self._budget_problem = budget_problem
        self._priced: set[str] = set()

    def card(self, task: Task, problems: list[Problem]) -> AgentCard | None:
        """Return the card of the task's agent; report an agent that is unknown, or once that it costs too much."""
        card = self._cards.get(task.agent)
        if card is None:
            remedy = did_you_mean(task.agent, self._cards) if len(problems) < _HINTS else None
            problems.append(Problem(Code.UNKNOWN_AGENT, f"there is no agent {task.agent!r}", task.id, remedy))
        elif self._budget_problem is not None and card.name not in self._priced:
            self._priced.add(card.name)
            if words := self._budget_problem(card):
                says = "AGENTORCH_PRICES, Orchestrator(prices=...), or `cost` of your own class"
                remedy = f"say its price ({says}), or limit tokens instead"
                problems.append(Problem(Code.BUDGET, words, task.id, remedy))
        for name in task.policy.fallback if task.policy is not UNSET else ():
            if name not in self._cards:
                remedy = did_you_mean(name, self._cards)
                problems.append(
                    Problem(Code.UNKNOWN_AGENT, f"there is no agent {name!r} to fall back on", task.id, remedy)
                )
        return card


def _whole(
    answer: str | None, tasks: Mapping[str, Task], cards: Mapping[str, AgentCard], problems: list[Problem]
) -> tuple[str | None, tuple[str, ...]]:
    """Return what answers the goal and the sinks; report what only a whole plan shows."""
    if not tasks:
        problems.append(Problem(Code.EMPTY, "the plan has no tasks", None, "add at least one task"))
    sinks = sinks_of(tasks.values())
    if answer is None:
        return (f"${sinks[0]}" if len(sinks) == 1 else None), sinks
    problem = answer_problem(answer, tasks, cards)
    problems.extend([problem] if problem else orphans(answer, sinks, tasks, cards))
    return answer, sinks
