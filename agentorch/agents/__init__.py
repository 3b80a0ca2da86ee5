"""What an agent's author touches: `Agent`, `@agent`, `Context`."""

from agentorch.agents.decorator import agent
from agentorch.agents.definition import Agent, Check, Injected
from agentorch.agents.function import FunctionAgent
from agentorch.agents.settings import policy_of
from agentorch.context import Artifact, Context, Judge
from agentorch.signatures import MalformedInput

__all__ = [
    "Agent",
    "Artifact",
    "Check",
    "Context",
    "FunctionAgent",
    "Injected",
    "Judge",
    "MalformedInput",
    "agent",
    "policy_of",
]
