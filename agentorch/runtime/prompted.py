"""The runtime's side of `agentorch.prompting`: templates and the token budget given, services passed on."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentorch.agents import Agent, Judge
from agentorch.core.card import AgentCard
from agentorch.core.verdict import Verdict
from agentorch.messages.work import Work
from agentorch.prompting import converse, judge_output, run_prompt_agent
from agentorch.prompts import Prompts
from agentorch.runtime.large import objective_beside
from agentorch.runtime.services import DispatchServices

INPUT_TOKENS: Final = 24_000
"""Tokens that the inputs of one prompt may take; larger ones are shown as previews."""


class Prompting:
    """Runs prompt agents and conversations."""

    def __init__(self, prompts: Prompts, team: Mapping[str, AgentCard]) -> None:
        self._prompts = prompts
        self._team = team

    async def run(self, agent: Agent, work: Work, services: DispatchServices) -> Any:
        """Return the output of a prompt agent as JSON."""
        objective, beside = objective_beside(work)
        return await run_prompt_agent(
            agent,
            work.inputs,
            services,
            objective=objective,
            beside=beside,
            prompts=self._prompts,
            mode=work.mode,
            previous_output=work.output,
            problems=work.problems,
            token_budget=INPUT_TOKENS,
            repeats=work.terms.repeats,
            team=self._team,
        )

    async def converse(self, services: DispatchServices, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Return the model's answer to `prompt` as the type `output`."""
        return await converse(
            services,
            prompt,
            output=output,
            tools=tools,
            prompts=self._prompts,
            agent=services.agent,
            token_budget=INPUT_TOKENS,
            repeats=services.repeats,
            team=self._team,
        )

    async def judge(self, services: DispatchServices, judge: Judge, output: Any) -> Verdict:
        """Return a judge's verdict on an output of the dispatch."""
        objective, beside = services.asked_for
        return await judge_output(services, judge, output, prompts=self._prompts, objective=objective, inputs=beside)
