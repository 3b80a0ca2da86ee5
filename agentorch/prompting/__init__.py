"""Prompt agents at work: requests, tools, answers."""

from agentorch.prompting.converse import converse
from agentorch.prompting.judging import judge_output
from agentorch.prompting.prompt_agent import run_prompt_agent

__all__ = ["converse", "judge_output", "run_prompt_agent"]
