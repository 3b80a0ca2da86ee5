"""The toolbox: what a model may call in one dispatch, and what it is told of each call."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from agentorch.core.card import AgentCard
from agentorch.core.values import in_line, whole_characters
from agentorch.errors import AgentorchError, ConfigurationError, PermanentError, TransientError
from agentorch.ports.model import ToolCall, ToolSpec
from agentorch.ports.services import Services, Tell, Told
from agentorch.prompting.reading_on import NAME as READ_INPUT
from agentorch.prompting.reading_on import ReadingOn
from agentorch.prompts import shown_value
from agentorch.signatures import MalformedInput
from agentorch.tools import Tool, as_tool, json_arguments

_LONGEST_NAME: Final = 64
"""Characters of a name that is no tool's, which a model made up."""


class Toolbox:
    """Tools, agents that may be called by name, and reading on.

    A call that goes wrong is answered with the error, so that the model can mend it, and the answer is journaled: an
    attempt that is continued tells the model the same. What stops the dispatch (cancellation, budget, a provider that
    fails) is raised.
    """

    def __init__(
        self, tools: Sequence[Any], services: Services, *, reading: ReadingOn, team: Mapping[str, AgentCard]
    ) -> None:
        self._services = services
        self._reading = reading
        self._tools: dict[str, Tool[..., Any]] = {}
        self._agents: dict[str, AgentCard] = {}
        for given in tools:
            self._add(given, team)

    @property
    def empty(self) -> bool:
        """Whether there is nothing but reading on."""
        return not self._tools and not self._agents

    @property
    def with_effects(self) -> frozenset[str]:
        """The names of what changes the outside world."""
        tools = (name for name, tool in self._tools.items() if tool.effect != "none")
        return frozenset((*tools, *(name for name, card in self._agents.items() if card.effects != "none")))

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools as a model sees them."""
        tools = [tool.spec for tool in self._tools.values()]
        agents = [ToolSpec(name, card.description, card.input) for name, card in self._agents.items()]
        return (*tools, *agents, *((self._reading.spec,) if self._reading else ()))

    async def answer(self, calls: Sequence[ToolCall]) -> list[str]:
        """Carry out the calls of one turn side by side; return what to tell the model of each, in their order."""
        if len(calls) == 1:
            return [await self._answer(calls[0])]
        tasks = [asyncio.ensure_future(self._answer(call)) for call in calls]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, call: ToolCall) -> str:
        tell = partial(_told, call.name)
        try:
            return await self._carry_out(call, tell)
        except Exception as error:
            words = tell(error)
            if words is None:
                raise
            return words

    async def _carry_out(self, call: ToolCall, tell: Tell) -> str:
        if call.name == READ_INPUT and self._reading:
            return self._reading.invoke(json_arguments(call.arguments))
        tool = self._tools.get(call.name)
        if tool is not None:
            return _shown(await self._services.use(tool, tool.parse(call.arguments), told=tell))
        if call.name in self._agents:
            return _shown(await self._services.call(call.name, json_arguments(call.arguments), told=tell))
        known = ", ".join(spec.name for spec in self.specs) or "none"
        return f"error: there is no tool {in_line(call.name, _LONGEST_NAME)!r}; the tools are {known}"

    def _add(self, given: Any, team: Mapping[str, AgentCard]) -> None:
        if isinstance(given, str):
            if given not in team:
                raise ConfigurationError(f"unknown tool {given!r}: neither a tool nor an agent of the team")
            self._agents[given] = team[given]
        elif isinstance(getattr(given, "card", None), AgentCard):
            self._agents[given.card.name] = given.card
        else:
            tool = as_tool(given)
            self._tools[tool.name] = tool


def _shown(result: Any) -> str:
    return result.text if isinstance(result, Told) else shown_value(result)


def _told(name: str, error: Exception) -> str | None:
    """Return what a model is told of a call that failed; None where the dispatch has to stop."""
    match error:
        case MalformedInput():
            words = f"error: {error}"
        case TransientError() | PermanentError():
            words = f"error: {name} failed: {error}"
        case AgentorchError():
            return None
        case _:
            words = f"error: {name} failed: {type(error).__name__}: {error}"
    return whole_characters(words)
