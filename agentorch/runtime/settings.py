"""What an orchestrator was given, checked: the constructor's arguments as one value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agentorch.core.policy import Policy
from agentorch.core.usage import UNLIMITED, Budget
from agentorch.models import Price
from agentorch.ports.bus import Bus
from agentorch.ports.clock import Clock, SystemClock
from agentorch.ports.journal import Journal
from agentorch.ports.model import Model
from agentorch.ports.planner import Planner
from agentorch.runtime.redaction import Secrets
from agentorch.validation import Validators

ModelSpec = str | Model | Sequence[str | Model] | None
OnRequest = Callable[..., Any]
"""Called with the request when something waits for a person; what it returns is the answer, None is "later"."""


@dataclass(frozen=True, slots=True)
class Settings:
    """See `Orchestrator`."""

    agents: Sequence[Any] = ()
    model: ModelSpec = None
    planner: str | Planner | None = None
    validators: Validators = ()
    policy: Policy = Policy()  # noqa: RUF009  # frozen: safe to share
    budget: Budget = UNLIMITED
    bus: str | Bus | None = None
    journal: str | Path | Journal | None = None
    durability: Literal["power", "process"] = "power"
    resources: Sequence[object] = ()
    files: Sequence[str | Path] = ()
    project: str | Path | None = None
    on_request: OnRequest | None = None
    clock: Clock = SystemClock()  # noqa: RUF009  # it never changes
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    quirks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    secrets: Secrets = ()
