"""Prompt templates."""

from agentorch.prompts.fencing import escaped, fenced, shown_value
from agentorch.prompts.folders import builtin_folder
from agentorch.prompts.prompts import Prompts

__all__ = ["Prompts", "builtin_folder", "escaped", "fenced", "shown_value"]
