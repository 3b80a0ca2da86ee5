"""The services of one dispatch: what `Context` and the prompt agents reach the run through."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

import anyio.to_thread

from agentorch import tokens
from agentorch.context import Context
from agentorch.core.identity import digest, lineage
from agentorch.core.task import Task
from agentorch.core.usage import NOTHING, Budget, Usage
from agentorch.core.values import clipped, fresh, may_hold_blobs
from agentorch.core.verdict import Verdict
from agentorch.errors import ConfigurationError, PermanentError
from agentorch.messages.envelope import Envelope
from agentorch.messages.work import TextDelta, Work
from agentorch.models import CALLER, WAITING, Caller
from agentorch.ports.blobs import Blobs
from agentorch.ports.bus import Bus
from agentorch.ports.model import Model, ModelRequest, ModelResponse, used_by, wasted_by
from agentorch.ports.services import Tell, Told
from agentorch.runtime.account import Account, Call
from agentorch.runtime.effect_calls import EffectCall, EffectCalls
from agentorch.runtime.guard import Guard
from agentorch.runtime.host import Host, RequestKind
from agentorch.runtime.insides import Insides
from agentorch.runtime.job import Job
from agentorch.runtime.large import loaded, objective_beside, objective_text, stored
from agentorch.runtime.once import Once
from agentorch.runtime.places import Place, place_of, stepping
from agentorch.runtime.scheduler import behind
from agentorch.runtime.steps import MODEL, Steps, arguments_of, asked, response_as_json, response_from_json
from agentorch.signatures import output_of_step
from agentorch.threads import called, under
from agentorch.tools import Tool, as_tool

LONGEST_REPORT: Final = 1_000
"""Characters of a line of progress that are kept."""

WAITS: Final = "waits for its turn at the model: the provider's rate limit, or other calls"
"""What is reported of a task whose call has waited long."""


class Converse(Protocol):
    """Holds a conversation with the dispatch's model, tools included; see `agentorch.prompting`."""

    async def __call__(self, services: "DispatchServices", prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Return the answer as the type `output`."""
        ...


@dataclass(slots=True)
class _Used:
    """Model use of a dispatch."""

    spent: Usage = NOTHING
    waited_long: bool = False
    """Whether it was told that a call waits long."""


class AskJudge(Protocol):
    """Asks a judge about an output; see `agentorch.prompting`."""

    async def __call__(self, services: "DispatchServices", judge: Any, output: Any) -> Verdict:
        """Return the verdict."""
        ...


def task_of(work: Work) -> Task:
    """Return the task of a dispatch as its agent may have it: the objective filled in, the inputs its own."""
    task, objective = work.task, objective_text(work)
    if not task.inputs and objective == task.objective:
        return task
    inputs = work.inputs if may_hold_blobs(task.inputs) else task.inputs
    return replace(task, objective=objective, inputs=fresh(inputs))


class DispatchServices:
    """One dispatch's access to the run.

    After a withdrawal every call raises `asyncio.CancelledError`, after the body's end PermanentError.
    """

    def __init__(
        self,
        job: Job,
        *,
        source: str,
        host: Host,
        bus: Bus,
        blobs: Blobs,
        model: Model | None,
        converse: Converse,
        ask_judge: AskJudge,
        model_named: Callable[[str], Model],
    ) -> None:
        work: Work = job.work
        self._job = job
        self._work = work
        self._source = source
        self._host = host
        self._bus = bus
        self._blobs = blobs
        self._model = model
        self._converse = converse
        self._ask_judge = ask_judge
        self._model_named = model_named
        job.turned = lambda: host.turned(work.key, still=job.stands)
        self._used = _Used()
        self._steps = Steps(work, host, blobs)
        self._effects = EffectCalls(work.key, host)
        self._insides = Insides(work.steps or {}, self._steps, self._effects)
        self.at = Place("", f"{work.terms.run_id}/{lineage(work.task.id)}")

    @property
    def place(self) -> Place:
        """Where in the dispatch these services are used just now."""
        return place_of(self, self.at)

    @property
    def spent(self) -> Usage:
        """Model use of this dispatch so far."""
        return self._used.spent

    @property
    def task(self) -> Task:
        """The task, its objective filled in."""
        return task_of(self._work)

    @property
    def asked_for(self) -> tuple[str, dict[str, Any]]:
        """The objective, and the values that were given with it: inputs, and what it speaks of and is too large for."""
        objective, beside = objective_beside(self._work)
        return objective, {**self._work.inputs, **beside}

    @property
    def key(self) -> str:
        """The dispatch key."""
        return self._work.key

    @property
    def agent(self) -> str:
        """Who does the task."""
        return self._work.agent

    @property
    def run_id(self) -> str:
        """The run."""
        return self._work.terms.run_id

    @property
    def attempt(self) -> int:
        """Which fresh start of the task this is."""
        return self._work.attempt

    @property
    def budget(self) -> Budget:
        """What is left for this dispatch now."""
        return self._host.budget(self._work.key, self._work.terms.budget)

    @property
    def deadline(self) -> float | None:
        """When the task's time, or the run's, is up at the earliest, in seconds since the epoch."""
        return self._work.deadline

    @property
    def idempotency_key(self) -> str:
        """The same over dispatches, attempts and fallback agents; in a tool, or a step's function, it names that."""
        return self.place.effect

    @property
    def repeats(self) -> int | None:
        """Turns in a row in which the model may only repeat calls."""
        return self._work.terms.repeats

    @property
    def has_model(self) -> bool:
        """Whether there is a language model to ask."""
        return self._model is not None

    async def complete(self, request: ModelRequest, *, stream: bool = True) -> ModelResponse:
        """Call the dispatch's model: a step, counted against the budget, its deltas shown to readers of the run."""
        self.check()
        given = digest([self._work.model, asked(request)])
        with self._steps.begun(MODEL, given, within=self.place.step) as step:
            known = step in self._steps
            said = await (self._steps.read(step) if known else self._completed(step, request, stream=stream))
        return response_from_json(said)

    async def _completed(self, step: str, request: ModelRequest, *, stream: bool) -> Any:
        """Call the model anew and return its answer as the journal has it."""
        account = self._host.account(self._work.key)
        call = await self._opened(account, request)
        try:
            response = await self._answered(call.request, stream=stream)
        except BaseException as error:
            self._bring_nothing(account, call, error)
            raise
        usage = used_by(self._model_for(call.request), response.usage)
        self._used.spent += usage
        try:
            said = response_as_json(response)
            return await self._steps.finish(step, MODEL, said, usage=usage, call=call.name or None)
        finally:
            if account is not None:
                account.settle(call, usage)

    async def _opened(self, account: Account | None, request: ModelRequest) -> Call:
        """Make room in the budget for a call, where something limits it; waiting for that is not the task's time."""
        if request.silence is None:
            request = replace(request, silence=self._work.terms.silence)
        model = self._model_for(request)
        if account is None or model is None:
            return Call("", request)
        watching = WAITING.set(self._job.wait_for_turn)
        try:
            return await account.open(request, model)
        finally:
            WAITING.reset(watching)

    def _model_for(self, request: ModelRequest) -> Model | None:
        return self._model if request.model is None else self._model_named(request.model)

    async def _answered(self, request: ModelRequest, *, stream: bool) -> ModelResponse:
        """Return the model's answer."""
        model = self._model_for(request)
        if model is None:
            raise ConfigurationError(
                f"task '{self._work.task.id}' needs a language model and none is set: give --model, AGENTORCH_MODEL "
                "or Orchestrator(model=...)"
            )
        watching, calling = WAITING.set(self._job.wait_for_turn), CALLER.set(self._caller())
        try:
            return await model.complete(request, on_delta=self._on_delta if stream else None)
        finally:
            WAITING.reset(watching)
            CALLER.reset(calling)

    def _caller(self) -> Caller:
        delivery = self._job.delivery
        priority = delivery.envelope.subject.rpartition(".")[2] if delivery is not None else ""
        return Caller(self._work.agent, behind(priority), self._waits_long)

    def _waits_long(self) -> None:
        """Tell whoever watches the run, once in a dispatch, why nothing comes."""
        if not (self._used.waited_long or self._job.ended or self._job.stopped):
            self._used.waited_long = True
            self._host.report(self._work.key, WAITS)

    def _bring_nothing(self, account: Account | None, call: Call, error: BaseException) -> None:
        """Count a call that brought no answer."""
        if (model := self._model_for(call.request)) is None:
            return
        used = wasted_by(error, model)
        if account is not None:
            account.settle(call, used)
        elif self._job.ended:
            self._host.spent_late(self._work.terms.run_id, self._work.key, used)
        else:
            self._used.spent += used
            self._job.used += used

    def _on_delta(self, text: str) -> None:
        delta = TextDelta(self._work.key, text)
        self._bus.broadcast(Envelope(f"delta.{self._source}", delta))

    def count(self, text: str) -> int:
        """Return about how many tokens `text` is."""
        return self._model.count(text) if self._model is not None else (len(text.encode("utf-8", "replace")) + 2) // 3

    async def counting(self) -> None:
        """Wait until `count` is as exact as it will be."""
        if self._model is not None:
            await anyio.to_thread.run_sync(tokens.load, self._model.name, abandon_on_cancel=True)

    async def converse(self, prompt: str, *, output: Any, tools: Sequence[Any]) -> Any:
        """Ask the model in words; return its answer as the type `output`."""
        self.check()
        return await self._converse(self, prompt, output=output, tools=tools)

    async def judge(self, judge: Any, output: Any) -> Verdict:
        """Ask a judge about an output, in a context of its own."""
        self.check()
        return await self._ask_judge(self, judge, output)

    async def use(self, tool: Any, arguments: Mapping[str, Any], *, told: Tell | None = None) -> Any:
        """Use a tool as a step: its approval asked for, its effect had once."""
        self.check()
        used = as_tool(tool)
        values = used.parse(arguments)
        given = digest(values)
        with self._steps.begun(used.name, given, within=self.place.step, in_turn=True) as step:
            place, once = self.place, used.effect == "once"
            call = self._effects.begin(place.effect, used.name, given, once=once, own=self._insides.key_of(step))
            unplaced = place is not self.at or (self._insides.nested and not place.step)
            self._insides.effect(call.key)
            if step in self._steps:
                return await self._steps.read(step)
            with self._insides.made(step, partial(self._effects.failed, call, used.name)) as made:
                work = partial(self._used_anew, used, values, step, call)
                result = await self._steps.told(step, used.name, told, work)
                if isinstance(result, Told):
                    self._insides.forget(made)
                    return result
                self._effects.ended(call, used.name)
                await self._insides.keep(made, used.name, effect=call.key if unplaced else "")
                return await self._steps.finish(step, used.name, result)

    async def _used_anew(self, used: Tool[..., Any], values: dict[str, Any], step: str, call: EffectCall) -> Any:
        if used.approval and not call.doubt and not self._host.is_known(self._work.key, call.key):
            await self._approved(used, values, step)
        inside = copy(self)
        inside.at = Place(step, call.key)
        context = Context(Guard(inside, self._job))
        with under(self._job.own_threads()):
            if used.effect != "once":
                return await used.invoke(values, context=context)
            key, grace = self._work.key, self._work.terms.grace
            once = Once(used, values, key=key, call=call, host=self._host, blobs=self._blobs, grace=grace)
            return await once.result(context)

    async def _approved(self, tool: Tool[..., Any], values: Mapping[str, Any], step: str) -> None:
        """Wait until a person agrees to the call; PermanentError when they do not."""
        shown = clipped(self._host.redacted(json.dumps(values, ensure_ascii=False)), LONGEST_REPORT)
        question = f"May '{self._work.agent}' use '{tool.name}' with {shown}?"
        with self._steps.asked_about(step) as identity:
            agreed = await self._asked(question, {"type": "boolean"}, identity, "approval")
        if agreed is not True:
            raise PermanentError(f"tool '{tool.name}': a person did not approve the call")

    async def call(self, agent: str, inputs: Mapping[str, Any], *, told: Tell | None = None) -> Any:
        """Run another agent as a task of its own and return its output (JSON)."""
        self.check()
        with self._steps.called(agent, digest(dict(inputs))) as name:
            given = {parameter: await stored(value, self._blobs) for parameter, value in inputs.items()}
            waits = self._job.call_waits()
            work = partial(self._host.delegate, self._work.key, name, agent, given, waits)
            self._insides.call(name, brought=False)
            result = await self._steps.told(f"@{name}", agent, told, work)
            self._insides.call(name, brought=not isinstance(result, Told))
        return result if isinstance(result, Told) else await loaded(result, self._blobs)

    async def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call `function` unless the attempt has done so before; return its result as its annotation says."""
        self.check()
        output = output_of_step(name, function)
        with self._steps.begun(name, digest(arguments_of(name, args)), within=self.place.step, in_turn=True) as step:
            if step in self._steps:
                return output.revive(await self._steps.read(step))
            inside = Place(step, f"{self.place.effect}/step/{digest(name)[:16]}")
            with self._insides.made(step) as made:
                with under(self._job.own_threads()), stepping(self, inside):
                    encoded = output.encode(await called(function, *args))
                await self._insides.keep(made, name)
                kept = await self._steps.finish(step, name, encoded)
            return output.revive(fresh(kept))

    async def ask(self, question: str, answer_schema: dict[str, Any]) -> Any:
        """Ask a person and wait for the answer; that time is not the task's."""
        self.check()
        with self._steps.begun("ask", digest([question, answer_schema]), within=self.place.step) as identity:
            return await self._asked(question, answer_schema, identity, "question")

    async def _asked(self, question: str, schema: dict[str, Any], identity: str, kind: RequestKind) -> Any:
        self._job.wait_for_turn(True)
        try:
            return fresh(await self._host.ask(self._work.key, question, schema, identity=identity, kind=kind))
        finally:
            self._job.wait_for_turn(False)

    def report(self, text: str) -> None:
        """Say in one line how far the work is."""
        self.check()
        self._host.report(self._work.key, clipped(self._host.redacted(text), LONGEST_REPORT))

    def trimmed(self, name: str, *, tokens: int, kept: int, blob: str) -> None:
        """Record that an input was shown as a preview."""
        self._host.trimmed(self._work.key, name, tokens=tokens, kept=kept, blob=blob)

    async def put_blob(self, data: bytes) -> str:
        """Store a large value; return its SHA-256."""
        self.check()
        return await self._blobs.put(data)

    async def get_blob(self, sha256: str) -> bytes:
        """Read a large value."""
        self.check()
        try:
            return await self._blobs.get(sha256)
        except KeyError:
            raise PermanentError(f"there is no blob {sha256!r:.80} in this journal") from None

    def check(self) -> None:
        """Raise when the dispatch was stopped or has ended."""
        self._job.check()
