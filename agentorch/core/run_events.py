"""What happens to a run as a whole: its plan, its owner, its planner, the people it asks, its end."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from agentorch.core.crosscheck import CrossCheck
from agentorch.core.fact import Event
from agentorch.core.failures import Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.core.usage import NOTHING, Budget, Usage

RequestKind = Literal["failure", "approval", "question", "effect", "plan"]
RunStatus = Literal["succeeded", "partial", "failed", "cancelled"]


class RunStarted(Event, frozen=True):
    """A goal was accepted: from here on the run exists."""

    type: Literal["RunStarted"] = "RunStarted"
    goal: str
    inputs: dict[str, Any] = {}
    """Values that tasks may refer to as `$inputs.name`."""
    policy: Policy = Policy()
    budget: Budget = Budget()
    cards: dict[str, str] = {}
    """Version (source or prompt hash) of every agent of the team, by name."""
    planner: str | None = None
    """What plans and re-plans: "model", "rules", or None for a hand-made plan that is never re-planned."""
    person: bool = False
    """Whether somebody can be asked."""
    priority: Literal["interactive", "batch"] = "interactive"
    tags: dict[str, str] = {}
    key: str | None = None
    """The caller's idempotency key."""
    request: str | None = None
    """Digest of what was asked under `key`."""
    checks: tuple[CrossCheck, ...] = ()
    """Checks across tasks."""
    owner: str = ""
    """The process that carries the run out."""
    release: str = ""
    """The agentorch version that wrote it."""


class RunAdopted(Event, frozen=True):
    """Another owner took the run over; what was pending is carried out again."""

    type: Literal["RunAdopted"] = "RunAdopted"
    owner: str
    """Who carries it out from here; empty for nobody, when a process that lives has let it go."""
    cards: dict[str, str] = {}
    """Version of every agent and template of the new owner's team, by name; empty when they are as before."""


class RunForked(Event, frozen=True):
    """The run, a copy of another one so far, goes its own way from here."""

    type: Literal["RunForked"] = "RunForked"
    parent: str
    """The other run."""
    place: int
    """The last sequence number of the other run that counts here."""
    outputs: dict[str, Any] = {}
    """Outputs that take the place of what tasks gave, or were to give."""
    owner: str
    cards: dict[str, str] = {}
    """Version of every agent and template of the owner's team, by name."""
    effects: bool = False
    """Whether it may have effects, once only, that the other run has not had."""
    release: str = ""
    """The agentorch version that wrote it."""


class TasksAccepted(Event, frozen=True):
    """Tasks passed every check that this prefix of the plan allows."""

    type: Literal["TasksAccepted"] = "TasksAccepted"
    tasks: tuple[Task, ...]
    """In an order in which each needs only tasks above it."""
    source: str
    """Who proposed them: "user", "model", "rules", "closing"."""

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """Which of them need each one; runs of one plan share it, as they share the tasks."""
        found: dict[str, list[str]] = {}
        for task in self.tasks:
            for need in task.needs:
                found.setdefault(need, []).append(task.id)
        return {name: tuple(names) for name, names in found.items()}


class PlanRejected(Event, frozen=True):
    """A proposed plan, or part of one, had errors; nothing of that part runs."""

    type: Literal["PlanRejected"] = "PlanRejected"
    problems: tuple[Problem, ...]
    source: str


class PlanNoted(Event, frozen=True):
    """The planner's own account: what was repaired without a model, why the rules chose as they did."""

    type: Literal["PlanNoted"] = "PlanNoted"
    notes: tuple[str, ...]
    source: str


class PlanCompleted(Event, frozen=True):
    """The plan is whole: `answer` is what the run is for."""

    type: Literal["PlanCompleted"] = "PlanCompleted"
    answer: str
    """A reference."""
    source: str
    problems: tuple[Problem, ...] = ()
    """Warnings."""


class CheckStarted(Event, frozen=True):
    """Every output that a check across tasks is about is there: it is asked."""

    type: Literal["CheckStarted"] = "CheckStarted"
    check: str
    number: int
    """How-many-eth time of this check."""
    tasks: tuple[str, ...]


class CheckEnded(Event, frozen=True):
    """The verdict of a check across tasks; `task` is the one that is done again, in a new revision."""

    type: Literal["CheckEnded"] = "CheckEnded"
    check: str
    number: int
    problems: tuple[str, ...] = ()
    """Empty is accepted."""
    revision: int = 0
    """Revision of the plan in which `task` is done again."""
    standing: Problem | None = None
    """A problem that stays with the run: nothing can be done again, or the check could not be carried out."""


class ReplanRequested(Event, frozen=True):
    """The planner is asked for a patch."""

    type: Literal["ReplanRequested"] = "ReplanRequested"
    number: int
    """Which re-plan of the run, from 1."""
    tasks: tuple[str, ...]
    """The tasks that gave up."""
    again: bool = False
    """Whether this is the same re-plan, asked again because more problems arrived."""


class PlanPatched(Event, frozen=True):
    """The plan was changed while it ran."""

    type: Literal["PlanPatched"] = "PlanPatched"
    revision: int
    put: tuple[Task, ...]
    drop: tuple[str, ...]
    answer: str | None = None
    """The new answer reference; None keeps the old one."""
    source: str


class ReplanFailed(Event, frozen=True):
    """No acceptable patch: the tasks that waited for it go on down the ladder."""

    type: Literal["ReplanFailed"] = "ReplanFailed"
    problems: tuple[Problem, ...]
    source: str


class RequestOpened(Event, frozen=True):
    """Something waits for a person."""

    type: Literal["RequestOpened"] = "RequestOpened"
    request_id: str
    kind: RequestKind
    question: str
    answer_schema: dict[str, Any] = {}
    """What an answer must look like."""
    key: str | None = None
    """The dispatch that asked, for a question of an agent and the approval of a tool."""
    effect: str | None = None
    """Idempotency key of what nobody knows whether it has happened."""


class RequestAnswered(Event, frozen=True):
    """A person answered."""

    type: Literal["RequestAnswered"] = "RequestAnswered"
    request_id: str
    value: Any
    by: str


class RunStopped(Event, frozen=True):
    """The run stands still because of the set-up (a wrong key, no connection); it can be resumed."""

    type: Literal["RunStopped"] = "RunStopped"
    problem: Problem


class RunAborted(Event, frozen=True):
    """The run is brought to its end: its time is up, or no plan could be made."""

    type: Literal["RunAborted"] = "RunAborted"
    problem: Problem


class RunCancelling(Event, frozen=True):
    """Somebody stopped the run: nothing more is started."""

    type: Literal["RunCancelling"] = "RunCancelling"
    by: str
    reason: str = ""


class ModelCalled(Event, frozen=True):
    """A model call is about to leave, under a budget that limits models: from here on it counts."""

    type: Literal["ModelCalled"] = "ModelCalled"
    call: str
    """Names it among the calls of the run that are under way."""
    reserved: Usage
    """What it may use at most: so much is not there for anybody else."""
    expected: Usage
    """What is charged when nobody ever tells what it used."""
    purpose: str = ""
    """Whose it is, where that is no task."""


class UsageAdded(Event, frozen=True):
    """Use of a model outside any task (planning and re-planning), or of one call under a budget that limits models."""

    type: Literal["UsageAdded"] = "UsageAdded"
    purpose: str
    usage: Usage = NOTHING
    call: str | None = None
    """The `ModelCalled` that it settles."""


class CallAbandoned(Event, frozen=True):
    """Something outside any task (a check, a question) did not end although the run is over: nobody waits for it."""

    type: Literal["CallAbandoned"] = "CallAbandoned"
    problem: Problem


class RunFinished(Event, frozen=True):
    """The last word: nothing follows but what a late outcome used, what became of effects, and what did not end."""

    type: Literal["RunFinished"] = "RunFinished"
    status: RunStatus
    problems: tuple[Problem, ...] = ()
