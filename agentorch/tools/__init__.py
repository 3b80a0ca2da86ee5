"""Tools: typed functions that models and agents may call."""

from agentorch.tools.decorator import as_tool, tool
from agentorch.tools.definition import Tool, json_arguments

__all__ = ["Tool", "as_tool", "json_arguments", "tool"]
