"""A plan as a picture."""

from agentorch.core.references import with_needs
from agentorch.core.task import Graph, Task
from agentorch.pictures import Box, graph, heading, sheet
from agentorch.pictures.amounts import counted


def picture_of(plan: Graph, goal: str) -> str:
    """Return the picture; the plan need not have been checked."""
    known = {task.id: index for index, task in enumerate(plan.tasks)}
    needed = {task.id: [need for need in with_needs(task, known).needs if need in known] for task in plan.tasks}
    answer = _answer(plan, needed)
    boxes = [
        Box(
            task.id,
            task.agent,
            needs=needed[task.id],
            tip=_tip(task),
            marked=task.id == answer,
        )
        for task in plan.tasks
    ]
    facts = counted(len(plan.tasks), "task")
    return sheet([heading("plan", facts, goal), graph(boxes)], label=f"{goal or 'a plan'}: {facts}")


def _answer(plan: Graph, needed: dict[str, list[str]]) -> str:
    """Return the task that answers the goal: the one that is named, else the only one that no other needs."""
    if plan.answer is not None:
        return plan.answer[1:].split(".", 1)[0]
    inner = {need for needs in needed.values() for need in needs}
    ends = [name for name in needed if name not in inner]
    return ends[0] if len(ends) == 1 else ""


def _tip(task: Task) -> str:
    return f"{task.id}: {task.agent}" + (f"; {task.objective}" if task.objective else "")
