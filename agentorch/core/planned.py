"""A run begins, and its plan comes in: whole, or task by task while it is being written."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from agentorch.core import events as ev
from agentorch.core import inbox as msg
from agentorch.core.card import AgentCard, money_problem
from agentorch.core.failures import Problem
from agentorch.core.policy import Policy
from agentorch.core.stamping import Stamp
from agentorch.core.state import ANSWERER, RunState
from agentorch.core.task import Graph, Task
from agentorch.core.verifier import Verified, verify

JOIN_SETTINGS: Final = frozenset({"join", "on_failure", "cancel_rest"})
"""The settings that `apply` reads."""
SIGNATURE: Final[dict[str, Any]] = {
    "anyOf": [
        {"type": "boolean"},
        {
            "type": "object",
            "properties": {"plan": {"type": "object"}},
            "required": ["plan"],
            "additionalProperties": False,
        },
    ]
}
"""What a person may say of a plan: whether it is to be carried out, or `{"plan": ...}`, as in a plan file."""


def begin(state: RunState, message: msg.Begin, stamp: Stamp) -> list[ev.Event]:
    """Accept a goal, and its plan when there is one already."""
    if state.seq:
        return []
    started = stamp(
        ev.RunStarted,
        goal=message.goal,
        inputs=message.inputs,
        policy=message.policy.whole(),
        budget=message.budget,
        cards=versions_of(state.catalog, message.templates),
        planner=message.planner,
        person=message.person,
        priority=message.priority,
        tags=message.tags,
        key=message.key,
        request=message.request,
        checks=message.checks,
        owner=message.owner,
        release=message.release,
    )
    if message.plan is None:
        return [started]
    return [started, *accept(state, message.plan, "user", stamp, policy=message.policy)]


def opening(catalog: Mapping[str, AgentCard], message: msg.Begin) -> tuple[ev.Event, ...]:
    """Return what a run that is told `message` begins with, for others that are told the same; see `BeginAs`."""
    state = RunState("", catalog)
    events = begin(state, message, Stamp(state, message.at))
    for event in events:
        if isinstance(event, ev.TasksAccepted):
            _ = event.dependents  # what is known once is shared with it
    return tuple(events)


def begin_as(state: RunState, message: msg.BeginAs, stamp: Stamp) -> list[ev.Event]:
    """Begin as another run did."""
    return [] if state.seq else [stamp.again(event) for event in message.events]


def versions_of(catalog: Mapping[str, AgentCard], templates: Mapping[str, str]) -> dict[str, str]:
    """Return what a resume compares: the version of every agent by name, of every template by `prompt:name`."""
    agents = {name: card.version for name, card in sorted(catalog.items())}
    return agents | {f"prompt:{name}": version for name, version in sorted(templates.items())}


def propose(state: RunState, message: msg.Propose, stamp: Stamp) -> list[ev.Event]:
    """Accept or refuse tasks of an unfinished plan."""
    if state.complete or "plan" not in state.pending:
        return []
    verified = verify_more(state, message.tasks, None, known=plan_of(state), whole=False, inputs=message.inputs)
    if verified.errors:
        return [stamp(ev.PlanRejected, problems=verified.errors, source=message.source)]
    tasks = with_join_settings(state, verified.tasks)
    return [stamp(ev.TasksAccepted, tasks=tasks, source=message.source)]


def cut_short(state: RunState, problems: tuple[Problem, ...], source: str, stamp: Stamp) -> list[ev.Event]:
    """End a plan that no planner could finish with what was accepted of it: every prefix of a plan is a plan.

    The first problem stays with the run, so that it cannot end as if nothing were missing.
    """
    verified = verify(Graph(()), state.catalog, known=plan_of(state))
    events = accept(state, verified, source, stamp)
    told = {"problems": problems[:1]}
    return [event.model_copy(update=told) if isinstance(event, ev.PlanCompleted) else event for event in events]


def plan_of(state: RunState) -> dict[str, Task]:
    """Return the live tasks of the plan, delegated ones left out."""
    return {name: task.task for name, task in state.tasks.items() if task.caller is None}


def verify_more(
    state: RunState,
    tasks: tuple[Task, ...],
    answer: str | None,
    *,
    known: Mapping[str, Task],
    whole: bool,
    inputs: Mapping[str, Any] | None,
) -> Verified:
    """Check what a planner adds to the `known` part of its plan; `inputs` are as in `inbox.Propose`."""
    return verify(
        Graph(tasks, answer),
        state.catalog,
        known=known,
        max_tasks=state.policy.max_tasks,
        strict=True,
        whole=whole,
        budget_problem=money_problem(state.budget.max_money),
        inputs=state.outputs["inputs"] if inputs is None else inputs,
        policy=state.policy,
    )


def last_tasks(state: RunState, verified: Verified) -> tuple[tuple[Task, ...], str]:
    """Return the tasks that make a verified plan whole, and what answers the goal."""
    tasks, answer = verified.tasks, verified.answer
    if answer is None:
        name = free_name({*state.tasks, *(task.id for task in tasks)}, "answer")
        tasks = (*tasks, answer_task(name, verified.sinks))
        answer = f"${name}"
    return with_join_settings(state, tasks), answer


def accept(
    state: RunState, verified: Verified, source: str, stamp: Stamp, *, policy: Policy | None = None
) -> list[ev.Event]:
    """Accept what a verified plan adds, and end the plan with it; `policy` is that of a run that just begins."""
    tasks, answer = last_tasks(state, verified)
    events: list[ev.Event] = [stamp(ev.TasksAccepted, tasks=tasks, source=source)] if tasks else []
    completed = stamp(ev.PlanCompleted, answer=answer, source=source, problems=verified.warnings)
    return [*events, completed, *sign_off(policy or state.policy, stamp)]


def sign_off(policy: Policy, stamp: Stamp) -> list[ev.Event]:
    """Ask a person for the whole plan, where the policy wants that."""
    if policy.approval != "plan":
        return []
    question = "Carry the plan out as it is? Agree, refuse, or give it as edited."
    return [
        stamp(ev.RequestOpened, request_id="plan", kind="plan", question=question, answer_schema=SIGNATURE),
    ]


def answer_task(name: str, sinks: tuple[str, ...], missing: tuple[str, ...] = ()) -> Task:
    """Return the ordinary last task that writes one answer out of several outputs."""
    return Task(
        name,
        ANSWERER,
        objective="Answer the goal from the parts.",
        inputs={"goal": "$goal", "parts": {sink: f"${sink}" for sink in sinks}, "missing": list(missing)},
        needs=sinks,
        policy=Policy(join="settled"),
    )


def is_answer_task(task: Task) -> bool:
    """Whether the task is one that `answer_task` made for a whole plan."""
    return task.agent == ANSWERER and task.inputs == answer_task(task.id, task.needs).inputs


def free_name(taken: set[str], wanted: str) -> str:
    """Return `wanted`, or the first `wanted-2`, `wanted-3` ... that no task bears."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    return name


def with_join_settings(state: RunState, tasks: tuple[Task, ...]) -> tuple[Task, ...]:
    """Write on each task what its agent's card says of joins: `apply` knows the journal, not the cards."""
    if not any(JOIN_SETTINGS & card.policy.model_fields_set for card in state.catalog.values()):
        return tasks
    return tuple(_with_join_settings(state, task) for task in tasks)


def _with_join_settings(state: RunState, task: Task) -> Task:
    card = state.catalog[task.agent]
    names = (JOIN_SETTINGS & card.policy.model_fields_set) - task.policy.model_fields_set
    if not names:
        return task
    return replace(task, policy=task.policy.model_copy(update={name: getattr(card.policy, name) for name in names}))
