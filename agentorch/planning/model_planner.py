"""The planner that asks a language model.

1. While the model writes, tasks are offered as they close; the first may be running before the plan is whole.
2. A plan that does not pass goes back with its problems, twice at most; what was accepted stays and is shown as frozen.
3. A broken stream is continued from what was accepted. More tasks than allowed stop the reading at once, and the whole
   planning when as many as are allowed have been accepted: no repair can take them back.
4. It ends in a plan that passes every check, or in PlanningFailed, which says why: never in a parser's error.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Protocol

import anyio

from agentorch.core.failures import FailureKind, Problem
from agentorch.errors import ModelError, PlanError
from agentorch.planning.acceptance import Acceptance, Judged, judge_patch
from agentorch.planning.asking import patch_values, plan_values, repair_values
from agentorch.planning.plan_schema import patch_form, plan_form
from agentorch.ports.model import Message, ModelRequest, ModelResponse, OnDelta, OutputSchema
from agentorch.ports.planner import Offer, Patch, PlanReport, PlanRequest

REPAIRS: Final = 2
"""How often a plan goes back to the model."""
CONTINUATIONS: Final = 2
"""How often a broken stream is continued."""
LONGEST_WAIT: Final = 120.0
"""Seconds; when the provider asks for more, the model is given up: better a plan by rules than one much later."""


class Complete(Protocol):
    """Asks a model: `Model.complete`, governed and counted by whoever gives it."""

    async def __call__(self, request: ModelRequest, *, on_delta: OnDelta | None = None) -> ModelResponse:
        """Return the whole answer; raise ModelError."""
        ...


class Render(Protocol):
    """Renders a prompt: `Prompts.render`."""

    def __call__(self, name: str, /, **values: Any) -> str:
        """Return the text of the template `name`."""
        ...


class PlanningFailed(PlanError):
    """The model gave no plan that can be used; `problems` are the last ones, `report` what was tried."""

    def __init__(self, message: str, problems: Sequence[Problem], report: PlanReport) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        self.report = report


class ModelPlanner:
    """Plans with a language model."""

    name = "model"

    def __init__(
        self, complete: Complete, render: Render, *, sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    ) -> None:
        self._complete = complete
        self._render = render
        self._sleep = sleep

    async def plan(self, request: PlanRequest, *, offer: Offer | None = None) -> PlanReport:
        """Return a plan that passes every check; raises PlanningFailed, or ModelError when the set-up is at fault."""
        report = PlanReport()
        acceptance = Acceptance(request, offer)
        prompt = self._prompt("planner", plan_values(request, acceptance.accepted.values()))
        for turn in range(REPAIRS + 1):
            text = await self._read(request, prompt, acceptance, report)
            judged = acceptance.judge(text)
            report.graph = judged.graph
            _note(report, judged.notes)
            if not judged.errors:
                return report
            report.rejected.append(judged.errors)
            if acceptance.hopeless:
                break
            if turn < REPAIRS:
                values = repair_values(request, text, judged.errors, acceptance.accepted.values())
                prompt = self._prompt("plan_repair", values)
        raise _failed(report, judged)  # pyright: ignore[reportPossiblyUnboundVariable]  # there is a first turn

    async def patch(self, request: PlanRequest) -> PlanReport:
        """Return a patch whose plan passes every check; raises PlanningFailed, or ModelError as `plan` does."""
        report = PlanReport()
        prompt = self._prompt("replanner", patch_values(request))
        for turn in range(REPAIRS + 1):
            text = await self._patiently(partial(self._answer, prompt, patch_form(), report, None), request, report)
            patch, judged = judge_patch(text, request)
            report.graph, report.patch = judged.graph, Patch() if judged.errors else patch
            _note(report, judged.notes)
            if not judged.errors:
                return report
            report.rejected.append(judged.errors)
            if turn < REPAIRS:
                frozen = [finished.task for finished in request.tasks if finished.frozen]
                prompt = self._prompt("plan_repair", repair_values(request, text, judged.errors, frozen, patch=True))
        raise _failed(report, judged)  # pyright: ignore[reportPossiblyUnboundVariable]  # there is a first turn

    def _prompt(self, name: str, values: Mapping[str, Any]) -> str:
        return self._render(name, **values)

    async def _read(self, request: PlanRequest, prompt: str, acceptance: Acceptance, report: PlanReport) -> str:
        """Ask for a plan and read it as it comes; where the stream broke, go on from what was accepted."""
        prompts = [prompt]

        async def ask() -> str:
            acceptance.restart()
            frozen = acceptance.accepted.values()
            question = prompts.pop() if prompts else self._prompt("planner", plan_values(request, frozen))
            return await self._streamed(question, acceptance, report)

        return await self._patiently(ask, request, report)

    async def _patiently(self, ask: Callable[[], Awaitable[str]], request: PlanRequest, report: PlanReport) -> str:
        """Ask again, after a pause, while what goes wrong may soon pass; a wrong set-up is the run's to stop at."""
        turn = 0
        while True:
            try:
                return await ask()
            except ModelError as error:
                if error.kind is FailureKind.UNCONFIGURED:
                    raise
                wait = error.retry_after or 2.0**turn
                if error.kind is not FailureKind.TRANSIENT or turn == CONTINUATIONS or wait > LONGEST_WAIT:
                    problem = Problem(str(error.kind), f"the model cannot be asked for a plan: {error}")
                    raise PlanningFailed(str(problem), (problem,), report) from error
                request.note(f"the planner's answer broke off ({error}); it is asked again in {wait:g} s")
                await self._sleep(wait)
            turn += 1

    async def _streamed(self, prompt: str, acceptance: Acceptance, report: PlanReport) -> str:
        pieces: list[str] = []
        with anyio.CancelScope() as reading:

            def on_delta(piece: str) -> None:
                pieces.append(piece)
                acceptance.read(piece)
                if acceptance.overflowing:
                    reading.cancel()

            text = await self._answer(prompt, plan_form(), report, on_delta)
            if not pieces:  # a model that does not stream
                acceptance.read(text)
            return text
        return "".join(pieces)

    async def _answer(self, prompt: str, form: OutputSchema, report: PlanReport, on_delta: OnDelta | None) -> str:
        request = ModelRequest((Message("user", prompt),), output=form, labels={"purpose": form.name})
        response = await self._complete(request, on_delta=on_delta)
        report.usage += response.usage
        if response.finish_reason in ("refusal", "content_filter"):
            words = response.refusal or "a content filter stopped the answer"
            problem = Problem(FailureKind.REFUSED, f"the model declined to plan: {words}")
            raise PlanningFailed(str(problem), (problem,), report)
        return response.text


def _note(report: PlanReport, notes: Sequence[str]) -> None:
    report.notes = list(dict.fromkeys((*report.notes, *notes)))


def _failed(report: PlanReport, judged: Judged) -> PlanningFailed:
    codes = ", ".join(dict.fromkeys(str(problem.code) for problem in judged.errors))
    message = f"the model wrote no plan that can be used, {len(report.rejected)} times asked: {codes}"
    return PlanningFailed(message, judged.errors, report)
