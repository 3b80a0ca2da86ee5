"""What a worker in this process asks of its supervisor: delegation, questions, reports."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from agentorch.core import inbox
from agentorch.core.failures import Problem
from agentorch.core.identity import digest
from agentorch.core.state import FINAL, Status, TaskState
from agentorch.core.usage import Usage
from agentorch.errors import AgentorchError, PermanentError
from agentorch.runtime.account import Account
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.supervisor import Supervisor

_log = logging.getLogger(__name__)


class Host:
    """The supervisor's side of a running dispatch."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def account(self, run_id: str) -> Account | None:
        """Return the run's account."""
        run = self._supervisor.scheduler.runs.get(run_id)
        return run.account if run is not None else None

    def spent_late(self, run_id: str, key: str, used: Usage) -> None:
        """Charge the run with a model call that was answered when the dispatch that made it was over."""
        run = self._supervisor.scheduler.runs.get(run_id)
        if run is None:
            _log.warning("%s: a model call was answered after its run had ended: %s", key, used)
        else:
            self._supervisor.send(run, inbox.Spend(self._supervisor.now(), f"left behind by {key}", used))

    async def delegate(self, key: str, name: str, agent: str, inputs: Mapping[str, Any]) -> Any:
        """Run `agent` as the task `name` under the dispatch `key`; return its output."""
        run = self._run(key)
        if agent not in run.state.catalog:
            known = ", ".join(sorted(run.state.catalog))
            raise PermanentError(f"context.call: no agent named '{agent}'; this team has {known}")
        supervisor = self._supervisor
        supervisor.send(run, inbox.Delegate(supervisor.now(), key, name, agent, inputs))
        child = run.state.tasks.get(name)
        if child is None:
            raise asyncio.CancelledError(f"{key} is no longer carried out")
        while child.status not in FINAL:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            run.calls.setdefault(name, []).append(waiter)
            await waiter
            child = run.state.tasks.get(name)
            if child is None:
                raise PermanentError(f"'{agent}' was taken out by a new plan")
        if child.status is Status.SUCCEEDED:
            return run.state.outputs[name]
        raise PermanentError(_why(child))

    async def ask(self, key: str, question: str, answer_schema: dict[str, Any], *, number: int = 1) -> Any:
        """Ask a person; return the answer, also one that was given before a crash.

        `number` counts how often the attempt has asked just this: asking again is another question.
        """
        run = self._run(key)
        task = key.split("/")[1:4]
        again = f":{number}" if number > 1 else ""
        request_id = f"question:{':'.join(task)}:{digest(question)[:8]}{again}"
        if request_id not in run.state.answers:
            waiter = run.questions.get(request_id)
            if waiter is None:
                waiter = run.questions[request_id] = asyncio.get_running_loop().create_future()
            now = self._supervisor.now()
            self._supervisor.send(run, inbox.Ask(now, key, request_id, question, answer_schema))
            await asyncio.shield(waiter)
        return run.state.answers[request_id]

    def report(self, key: str, text: str) -> None:
        """Journal a line of progress."""
        run = self._run(key)
        self._supervisor.send(run, inbox.Report(self._supervisor.now(), key, text))

    def trimmed(self, key: str, name: str, *, tokens: int, kept: int, blob: str) -> None:
        """Journal that an input was shown as a preview."""
        run = self._run(key)
        self._supervisor.send(run, inbox.Trim(self._supervisor.now(), key, name, tokens, kept, blob))

    def _run(self, key: str) -> HostedRun:
        run = self._supervisor.scheduler.runs.get(key.split("/", 1)[0])
        if run is None:
            raise AgentorchError(f"{key} is not carried out here any more")
        return run


def _why(child: TaskState) -> str:
    problem = child.problem or Problem(str(child.status), f"the task was {child.status}")
    return f"'{child.task.agent}' failed: {problem.message}"
