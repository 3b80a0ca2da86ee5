"""Carries out checks across tasks: their outputs, in their declared types, go in; the verdict goes to the run.

A check that raises, or takes longer than the run's timeout, has not judged: its problem stands with the run.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agentorch.agents import Agent
from agentorch.core import inbox
from agentorch.core.commands import CheckOutputs
from agentorch.core.values import clipped, fresh
from agentorch.errors import ConfigurationError
from agentorch.ports.blobs import Blobs
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.large import loaded
from agentorch.runtime.supervisor import Supervisor
from agentorch.threads import Threads, under
from agentorch.validation import Across

LONGEST_PROBLEM = 4_000
"""Characters of a problem that are kept."""


class CheckDesk:
    """Asks the orchestrator's checks across tasks."""

    def __init__(
        self,
        checks: Sequence[Across],
        agents: Mapping[str, Agent],
        blobs: Blobs,
        *,
        redacted: Callable[[str], str] = str,
    ) -> None:
        self._checks = {check.name: check for check in checks}
        self._agents = agents
        self._blobs = blobs
        self._redacted = redacted

    def refuse_unknown(self, run_id: str, names: Sequence[str]) -> None:
        """Raise ConfigurationError unless every check of a run that is to be taken up is there."""
        for name in names:
            if name not in self._checks:
                raise ConfigurationError(
                    f"run {run_id} is held to check {name!r}, which is not here: give it in validators="
                )

    def ask(self, supervisor: Supervisor, run: HostedRun, command: CheckOutputs) -> None:
        """Start a check; its verdict comes to the run as a message."""
        name = f"check:{command.check}:{command.number}"
        task = asyncio.get_running_loop().create_task(self._carry_out(supervisor, run, command), name="agentorch check")
        run.awaited().enter(name, task, f"check '{command.check}'")

    async def _carry_out(self, supervisor: Supervisor, run: HostedRun, command: CheckOutputs) -> None:
        with run.or_lost():
            await self._asked(supervisor, run, command)

    async def _asked(self, supervisor: Supervisor, run: HostedRun, command: CheckOutputs) -> None:
        broken, threads = False, Threads()
        try:
            async with asyncio.timeout(run.state.policy.timeout):
                outputs = [await self._output(run, name) for name in command.tasks]
                with under(threads):
                    problems = await self._checks[command.check].problems(outputs)
        except TimeoutError:
            goes_on = ", and could not be stopped: it goes on by itself" if threads else ""
            broken, problems = True, (f"it took longer than {run.state.policy.timeout:g} s{goes_on}",)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # a check may raise anything; then it has not judged
            if isinstance(error, asyncio.CancelledError) and _is_stopped():
                await threads.ended()  # it is named when that takes longer than the grace
                raise
            broken, problems = True, (f"{type(error).__name__}: {error}",)
        words = tuple(clipped(self._redacted(problem), LONGEST_PROBLEM) for problem in problems)
        supervisor.send(run, inbox.Checked(supervisor.now(), command.check, command.number, words, broken))

    async def _output(self, run: HostedRun, name: str) -> Any:
        agent = self._agents[run.state.tasks[name].agent]
        return agent.revive(fresh(await loaded(run.state.outputs[name], self._blobs)))


def _is_stopped() -> bool:
    """Whether it is the run that has cancelled what is carried out just now."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
