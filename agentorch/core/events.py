"""What happened: the facts of a run, in the past tense, as they stand in the journal.

1. An event says all that `apply` needs; applying the same events in order gives the same state in every release.
2. A released event type never changes its meaning. New fields have defaults; anything else is a new `version` with an
   upcaster.
3. Values in events are JSON. A large value is a `BlobRef` (see `agentorch.core.values`).
"""

from typing import Annotated

from pydantic import Field

from agentorch.core.fact import Event, TaskEvent
from agentorch.core.run_events import (
    CallAbandoned,
    CheckEnded,
    CheckStarted,
    ModelCalled,
    PlanCompleted,
    PlanNoted,
    PlanPatched,
    PlanRejected,
    ReplanFailed,
    ReplanRequested,
    RequestAnswered,
    RequestKind,
    RequestOpened,
    RunAborted,
    RunAdopted,
    RunCancelling,
    RunFinished,
    RunForked,
    RunStarted,
    RunStatus,
    RunStopped,
    TasksAccepted,
    UsageAdded,
)
from agentorch.core.task_events import (
    AttemptFailed,
    EffectDone,
    EffectIntended,
    EffectVoided,
    InputTrimmed,
    OutcomeLate,
    Rung,
    StepFinished,
    TaskCancelled,
    TaskDelegated,
    TaskFailed,
    TaskGaveUp,
    TaskKept,
    TaskQueued,
    TaskReported,
    TaskRetried,
    TaskStarted,
    TaskSucceeded,
    TaskWentOn,
)

__all__ = [
    "AnyEvent",
    "AttemptFailed",
    "CallAbandoned",
    "CheckEnded",
    "CheckStarted",
    "EffectDone",
    "EffectIntended",
    "EffectVoided",
    "Event",
    "InputTrimmed",
    "ModelCalled",
    "OutcomeLate",
    "PlanCompleted",
    "PlanNoted",
    "PlanPatched",
    "PlanRejected",
    "ReplanFailed",
    "ReplanRequested",
    "RequestAnswered",
    "RequestKind",
    "RequestOpened",
    "RunAborted",
    "RunAdopted",
    "RunCancelling",
    "RunFinished",
    "RunForked",
    "RunStarted",
    "RunStatus",
    "RunStopped",
    "Rung",
    "StepFinished",
    "TaskCancelled",
    "TaskDelegated",
    "TaskEvent",
    "TaskFailed",
    "TaskGaveUp",
    "TaskKept",
    "TaskQueued",
    "TaskReported",
    "TaskRetried",
    "TaskStarted",
    "TaskSucceeded",
    "TaskWentOn",
    "TasksAccepted",
    "UsageAdded",
]

AnyEvent = Annotated[
    RunStarted
    | RunAdopted
    | RunForked
    | TasksAccepted
    | PlanRejected
    | PlanNoted
    | PlanCompleted
    | TaskStarted
    | TaskQueued
    | ModelCalled
    | TaskSucceeded
    | TaskKept
    | AttemptFailed
    | TaskRetried
    | TaskGaveUp
    | TaskFailed
    | TaskCancelled
    | TaskDelegated
    | TaskWentOn
    | OutcomeLate
    | InputTrimmed
    | TaskReported
    | StepFinished
    | EffectIntended
    | EffectDone
    | EffectVoided
    | ReplanRequested
    | PlanPatched
    | CheckStarted
    | CheckEnded
    | ReplanFailed
    | RequestOpened
    | RequestAnswered
    | RunStopped
    | RunAborted
    | RunCancelling
    | UsageAdded
    | RunFinished
    | CallAbandoned,
    Field(discriminator="type"),
]
"""Every event, told apart by `type`."""
