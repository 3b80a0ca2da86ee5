"""What an agent sees of the run."""

from agentorch.context.artifact import Artifact
from agentorch.context.context import Context

__all__ = ["Artifact", "Context"]
