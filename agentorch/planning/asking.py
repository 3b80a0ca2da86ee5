"""What the planner's prompts are told: the values of the templates `planner`, `replanner` and `plan_repair`.

Everything that users, tools or models wrote is a value here; the templates put it between delimiters.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from agentorch.core.card import AgentCard
from agentorch.core.failures import Problem
from agentorch.core.references import parse
from agentorch.core.shapes import described
from agentorch.core.task import Task
from agentorch.ports.planner import CONVERSATION, PlanRequest

_LONGEST_ANSWER: Final = 20_000
"""Characters of a rejected answer that are shown again."""


def plan_values(request: PlanRequest, frozen: Iterable[Task]) -> dict[str, Any]:
    """Return what `planner` is told; `frozen` are accepted tasks, which the model goes on from."""
    tasks = [shown_task(task) for task in frozen]
    return {**_request(request), "frozen": _json(tasks) if tasks else ""}


def repair_values(
    request: PlanRequest, text: str, problems: Sequence[Problem], frozen: Iterable[Task], *, patch: bool = False
) -> dict[str, Any]:
    """Return what `plan_repair` is told: the rejected answer, its problems, and what stays."""
    return {
        **plan_values(request, frozen),
        "rejected": text[:_LONGEST_ANSWER],
        "problems": [str(problem) for problem in problems],
        "patch": patch,
    }


def patch_values(request: PlanRequest) -> dict[str, Any]:
    """Return what `replanner` is told: the running plan, what failed, and which agents have failed at what."""
    tasks = [
        {**shown_task(one.task), "status": one.status, "frozen": one.frozen, **_preview(one.output)}
        for one in request.tasks
    ]
    tried = {id: sorted(agents) for id, agents in sorted(request.tried.items())}
    return {
        **_request(request),
        "tasks": _json(tasks),
        "failed": [str(problem) for problem in request.failed],
        "tried": _json(tried) if tried else "",
    }


def shown_task(task: Task) -> dict[str, Any]:
    """Return a task in the form in which a model is asked for one."""
    inputs = [{"name": name, "value": value} for name, value in task.inputs.items()]
    return {
        "id": task.id,
        "agent": task.agent,
        "objective": task.objective,
        "inputs": inputs,
        "needs": list(task.needs),
    }


def _request(request: PlanRequest) -> dict[str, Any]:
    return {
        "goal": request.goal,
        "conversation": request.inputs.get(CONVERSATION, ""),
        "team": [_card(card) for card in request.cards],
        "inputs": [
            {"name": name, "kind": type(value).__name__}
            for name, value in request.inputs.items()
            if parse(f"$inputs.{name}") is not None  # what cannot be referred to is of no use to a planner
        ],
        "max_tasks": request.max_tasks,
    }


def _card(card: AgentCard) -> dict[str, Any]:
    properties: dict[str, Any] = card.input.get("properties", {})
    return {
        "name": card.name,
        "description": card.description,
        "inputs": [_parameter(card, name, schema) for name, schema in properties.items()],
        "gives": described(card.output),
        "parts": list(card.output.get("properties", ())),
        "effects": card.effects,
    }


def _parameter(card: AgentCard, name: str, schema: Any) -> dict[str, Any]:
    known = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    return {
        "name": name,
        "takes": described(known, card.input),
        "required": name in card.input.get("required", ()),
        "description": known.get("description", ""),
    }


def _preview(output: Any) -> dict[str, Any]:
    return {} if output is None else {"output": output}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, default=str)
