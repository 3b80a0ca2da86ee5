"""What an agent sees of the run."""

from agentorch.context.artifact import Artifact
from agentorch.context.context import Context
from agentorch.context.judge import Judge

__all__ = ["Artifact", "Context", "Judge"]
