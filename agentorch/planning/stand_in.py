"""A patch by rule: another agent in a failed task's place, if one fits.

1. It takes what the failed agent took: parameters of the same name, else the only one whose type fits.
2. It gives what the failed agent gave: nothing in the schemas may speak against it.
3. It has not failed at this task. Of those that fit, one that shares a capability comes first, then the better match
   in words, then the name.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agentorch.core.card import AgentCard
from agentorch.core.task import Task
from agentorch.planning.card_fit import can_be, parameters
from agentorch.planning.card_ranking import rank
from agentorch.ports.planner import Patch, PlanRequest


def stand_ins(request: PlanRequest, cards: tuple[AgentCard, ...]) -> tuple[Patch, list[str]]:
    """Return the patch for the failed tasks of `request`, and a line about each."""
    known = {card.name: card for card in (*request.cards, *cards)}
    tasks = {finished.task.id: finished.task for finished in request.tasks}
    failed = dict.fromkeys(problem.task for problem in request.failed if problem.task in tasks)
    put: list[Task] = []
    notes: list[str] = []
    for id in failed:
        task = tasks[str(id)]
        tried = request.tried.get(task.id, frozenset()) | {task.agent}
        untried = [card for card in cards if card.name not in tried]
        instead = _best(task, known.get(task.agent), untried, request.goal)
        if instead is None:
            notes.append(f"{task.id}: no other agent can stand in for {task.agent}")
            continue
        put.append(instead)
        notes.append(f"{task.id}: {instead.agent} stands in for {task.agent}")
    return Patch(put=tuple(put)), notes


def _best(task: Task, failed: AgentCard | None, cards: list[AgentCard], goal: str) -> Task | None:
    fits: dict[str, dict[str, Any]] = {}
    for card in cards:
        if failed and not can_be(card.output, failed.output):
            continue
        inputs = _mapped(task.inputs, failed, card)
        if inputs is not None:
            fits[card.name] = inputs
    shared = {card.name: bool(failed and set(card.capabilities) & set(failed.capabilities)) for card in cards}
    about = f"{goal} {failed.description if failed else ''}"
    scores = rank([card for card in cards if card.name in fits], about)
    order = sorted(fits, key=lambda name: (not shared[name], -scores.get(name, 0.0), name))
    return replace(task, agent=order[0], inputs=fits[order[0]]) if order else None


def _mapped(inputs: Mapping[str, Any], failed: AgentCard | None, card: AgentCard) -> dict[str, Any] | None:
    """Return the inputs of `card` made from those of the failed agent; None when a required one is not filled."""
    schemas = {each.name: each.schema for each in parameters(failed)} if failed else {}
    wanted = parameters(card)
    mapped = {
        each.name: inputs[each.name]
        for each in wanted
        if each.name in inputs and can_be(schemas.get(each.name, {}), each.schema)
    }
    spare = {name: value for name, value in inputs.items() if name not in mapped}
    for each in wanted:
        if each.name in mapped or not each.required:
            continue
        matching = [name for name in spare if can_be(schemas.get(name, {}), each.schema)]
        if len(matching) == 1:
            mapped[each.name] = spare.pop(matching[0])
        elif each.takes_goal:
            mapped[each.name] = "$goal"
        else:
            return None
    return mapped
