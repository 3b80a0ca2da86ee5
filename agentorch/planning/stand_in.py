"""A patch by rule: another agent in a failed task's place, if one fits.

1. It takes what the failed agent took: parameters of the same name, else the only one whose type fits.
2. It gives what the failed agent gave: nothing in the schemas may speak against it.
3. Where either has effects, they share a capability, and its effects are no stronger: what nobody asked for is not
   done, and what was to be done is not taken for done.
4. It has not failed at this task. Of those that fit, one that shares a capability comes first, then the better match
   in words, then the name.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from agentorch.core.card import AgentCard, Effect
from agentorch.core.task import Task
from agentorch.planning.card_fit import can_be, parameters
from agentorch.planning.card_ranking import rank
from agentorch.ports.planner import Patch, PlanRequest

_STRENGTH: Final[Mapping[Effect, int]] = {"none": 0, "idempotent": 1, "once": 2}


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
        instead, refused = _best(task, known.get(task.agent), untried, request.goal)
        notes.extend(f"{task.id}: {refusal}" for refusal in refused)
        if instead is None:
            notes.append(f"{task.id}: no other agent can stand in for {task.agent}")
            continue
        put.append(instead)
        notes.append(f"{task.id}: {instead.agent} stands in for {task.agent}")
    return Patch(put=tuple(put)), notes


def _best(task: Task, failed: AgentCard | None, cards: list[AgentCard], goal: str) -> tuple[Task | None, list[str]]:
    """Return the task with the best stand-in, and why others that would fit may not stand in."""
    fits = _fits(task, failed, cards)
    shared = {card.name: bool(failed and set(card.capabilities) & set(failed.capabilities)) for card in cards}
    refused = {
        card.name: refusal
        for card in cards
        if card.name in fits and (refusal := _refusal(card, task.agent, failed, shared=shared[card.name]))
    }
    allowed = [card for card in cards if card.name in fits and card.name not in refused]
    scores = rank(allowed, f"{goal} {failed.description if failed else ''}")
    order = sorted(allowed, key=lambda card: (not shared[card.name], -scores.get(card.name, 0.0), card.name))
    best = replace(task, agent=order[0].name, inputs=fits[order[0].name]) if order else None
    return best, list(refused.values())


def _refusal(card: AgentCard, agent: str, failed: AgentCard | None, *, shared: bool) -> str | None:
    """Return why `card` may not act in the place of `agent`, None when it may."""
    before = failed.effects if failed else "none"
    if _STRENGTH[card.effects] > _STRENGTH[before]:
        return f"{card.name} may not stand in for {agent}: its effects are {card.effects!r}, not {before!r}"
    if before != "none" and not shared:
        return f"{card.name} may not stand in for {agent}, which has effects: they share no capability"
    return None


def _fits(task: Task, failed: AgentCard | None, cards: list[AgentCard]) -> dict[str, dict[str, Any]]:
    """Return the inputs of each of `cards` that takes what the failed agent took, and gives what it gave."""
    fits: dict[str, dict[str, Any]] = {}
    for card in cards:
        if failed and not can_be(card.output, failed.output):
            continue
        inputs = _mapped(task.inputs, failed, card)
        if inputs is not None:
            fits[card.name] = inputs
    return fits


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
        elif each.takes_goal or each.takes_any_text:
            mapped[each.name] = "$goal"
        else:
            return None
    return mapped
