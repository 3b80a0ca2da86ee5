"""Tools: typed functions that models and agents may call."""

from agentorch.tools.decorator import as_tool, tool
from agentorch.tools.definition import Tool

__all__ = ["Tool", "as_tool", "tool"]
