"""How a task and a run may move from one state to the next: what the drawings of the guide are made of.

1. A move is what one append does. Between the events of an append a task may stand elsewhere; nobody sees that.
2. A state that is final has no way out of it. What a patch does again is another revision, which begins anew.
3. Nothing here decides. `apply` does, and tests hold every append to these tables, and each row of them to a run.
"""

from collections.abc import Mapping
from typing import Final

from agentorch.core.invariants import InvariantError
from agentorch.core.state import RunState, Status

TASK_MOVES: Final[Mapping[Status, Mapping[Status, str]]] = {
    Status.PENDING: {
        Status.READY: "its join is met: the needs that it waits for hold",
        Status.SKIPPED: "its join cannot be met any more: a need was lost",
        Status.CANCELLED: "the run ends early, or nobody waits for it any more",
    },
    Status.READY: {
        Status.RUNNING: "it is admitted: a slot is free, its inputs are frozen",
        Status.WAITING: "it needs approval, room in the budget, or a new plan",
        Status.SUCCEEDED: "it is kept: it was done before a patch, and its inputs came out equal",
        Status.FAILED: "what it was to be given is not there, or may not be spent",
        Status.CANCELLED: "the run ends early, or nobody waits for it any more",
    },
    Status.RUNNING: {
        Status.SUCCEEDED: "its output is accepted",
        Status.READY: "it failed, and a rung of the ladder starts it again",
        Status.WAITING: "it failed, and a timer, a person, the budget or a new plan is waited for",
        Status.FAILED: "it failed, and no rung is left",
        Status.CANCELLED: "the run ends early, its caller gave it up, or a patch took it out",
    },
    Status.WAITING: {
        Status.READY: "what it waited for is there",
        Status.SUCCEEDED: "a person said that it has happened, and what came of it",
        Status.FAILED: "a person said no, or there is no new plan",
        Status.CANCELLED: "the run ends early, or nobody waits for it any more",
    },
    Status.SUCCEEDED: {},
    Status.FAILED: {},
    Status.SKIPPED: {},
    Status.CANCELLED: {},
}
"""From each state of a task to those that may follow, and when they do."""

ENDED: Final = "ended"
"""Stands for the four ways in which a run ends."""
ENDS: Final = ("succeeded", "partial", "failed", "cancelled")

RUN_MOVES: Final[Mapping[str, Mapping[str, str]]] = {
    "planning": {
        "running": "the plan is whole",
        "replanning": "the plan is whole, and one of its tasks has given up",
        "answering": "its time is up, and what there is is answered with",
        "stopped": "the set-up is wrong, or somebody stops it",
        ENDED: "it is cancelled, there is no plan, or all was done before the planner had said its last word",
    },
    "running": {
        "replanning": "a task has given up, and the planner is asked for a patch",
        "answering": "the answer has no value, and a last task writes one over what there is",
        "stopped": "the set-up is wrong, or somebody stops it",
        ENDED: "no task is open any more",
    },
    "replanning": {
        "running": "the patch is in, or there will be none",
        "answering": "its time is up, and what there is is answered with",
        "stopped": "the set-up is wrong, or somebody stops it",
        ENDED: "it is cancelled or takes too long, or nobody waits for the patch any more",
    },
    "answering": {
        "stopped": "the set-up is wrong, or somebody stops it",
        ENDED: "the last task is done, or failed as well",
    },
    "stopped": {
        "planning": "it is resumed",
        "running": "it is resumed",
        "replanning": "it is resumed",
        "answering": "it is resumed",
        ENDED: "it is cancelled, or what was under way ends it",
    },
    ENDED: {},
}
"""From each state of a run to those that may follow, and when they do."""

Standing = Mapping[tuple[str, int, int], Status]
"""How tasks stand, by id, revision and order."""


def standing(state: RunState) -> dict[tuple[str, int, int], Status]:
    """Return how every task stands, also those that a patch took out."""
    everyone = (*state.tasks.values(), *(task for _, task in state.retired))
    return {(task.task.id, task.revision, task.order): task.status for task in everyone}


def run_state(status: str) -> str:
    """Return the status of a run as the table names it."""
    return ENDED if status in ENDS else status


def check_moves(state: RunState, before: Standing, status: str) -> None:
    """Raise InvariantError when the last append moved the run from `status`, or a task, as no row of a table says."""
    was, now = run_state(status), run_state(state.status)
    if now != was and now not in RUN_MOVES[was]:
        raise InvariantError(f"run {state.run_id}, event {state.seq}: from {was!r} no run goes to {now!r}")
    for (name, *_), task, old in ((key, task, before.get(key, task)) for key, task in standing(state).items()):
        if task is not old and task not in TASK_MOVES[old]:
            words = f"from {str(old)!r} no task goes to {str(task)!r}, as '{name}' did"
            raise InvariantError(f"run {state.run_id}, event {state.seq}: {words}")
