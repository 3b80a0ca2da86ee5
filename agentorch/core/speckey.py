"""The spec key: what a task's output depends on, apart from the values that it refers to.

An output stays valid while its spec key and the digests of its input values are unchanged: that is how a patch keeps
work. Checks and prompts are part of the agent's version.
"""

from typing import Any

from agentorch.core.identity import digest
from agentorch.core.task import Task


def spec_key(task: Task, version: str = "", *, output: dict[str, Any] | None = None) -> str:
    """Return the hash of (agent, its `version`, objective, inputs with references, `output` schema)."""
    return digest([task.agent, version, task.objective, task.inputs, output or {}])
