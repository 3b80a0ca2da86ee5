"""Coordinate teams of AI agents: a goal becomes a checked plan, a journaled run, an answer.

The public names below are imported when they are first used, so that `import agentorch` costs next to nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

# For type checkers alone, which do not see through `__getattr__`. Nothing in agentorch imports this module, so no
# cycle can hide here; tests/test_public_names.py holds the two lists to each other.
if TYPE_CHECKING:
    from agentorch.agents import Agent as Agent
    from agentorch.agents import agent as agent
    from agentorch.context import Context as Context
    from agentorch.context import Judge as Judge
    from agentorch.core.card import AgentCard as AgentCard
    from agentorch.core.events import Event as Event
    from agentorch.core.policy import Policy as Policy
    from agentorch.core.task import Task as Task
    from agentorch.core.usage import Budget as Budget
    from agentorch.core.verdict import Verdict as Verdict
    from agentorch.errors import AgentorchError as AgentorchError
    from agentorch.plans import Plan as Plan
    from agentorch.registry import Registry as Registry
    from agentorch.runtime.orchestrator import Orchestrator as Orchestrator
    from agentorch.runtime.outcome import Outcome as Outcome
    from agentorch.runtime.run import Run as Run
    from agentorch.tools import tool as tool
    from agentorch.validation import Validator as Validator
    from agentorch.validation import across as across

    __version__: str

_PLACES: Final = {
    "Agent": "agentorch.agents",
    "AgentCard": "agentorch.core.card",
    "AgentorchError": "agentorch.errors",
    "Budget": "agentorch.core.usage",
    "Context": "agentorch.context",
    "Event": "agentorch.core.events",
    "Judge": "agentorch.context",
    "Orchestrator": "agentorch.runtime.orchestrator",
    "Outcome": "agentorch.runtime.outcome",
    "Plan": "agentorch.plans",
    "Policy": "agentorch.core.policy",
    "Registry": "agentorch.registry",
    "Run": "agentorch.runtime.run",
    "Task": "agentorch.core.task",
    "Validator": "agentorch.validation",
    "Verdict": "agentorch.core.verdict",
    "across": "agentorch.validation",
    "agent": "agentorch.agents",
    "tool": "agentorch.tools",
}

__all__ = [
    "Agent",
    "AgentCard",
    "AgentorchError",
    "Budget",
    "Context",
    "Event",
    "Judge",
    "Orchestrator",
    "Outcome",
    "Plan",
    "Policy",
    "Registry",
    "Run",
    "Task",
    "Validator",
    "Verdict",
    "__version__",
    "across",
    "agent",
    "tool",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    value: Any
    if name == "__version__":
        value = _installed_version()
    elif name in _PLACES:
        value = getattr(importlib.import_module(_PLACES[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _installed_version() -> str:
    metadata = importlib.import_module("importlib.metadata")
    try:
        return metadata.version("agentorch")
    except metadata.PackageNotFoundError:  # run from a folder of sources that is not installed
        return "unknown"
