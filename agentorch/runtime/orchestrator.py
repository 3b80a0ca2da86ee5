"""The orchestrator: the face of agentorch. A goal and a team go in; an answer comes out."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal, Self, Unpack

from agentorch.core.policy import DEFAULT, Policy
from agentorch.core.usage import UNLIMITED, Budget
from agentorch.core.verifier import Verified
from agentorch.errors import ConfigurationError
from agentorch.models import Price
from agentorch.plans import Plan
from agentorch.ports.bus import Bus
from agentorch.ports.clock import Clock, SystemClock
from agentorch.ports.journal import Journal, RunRecord
from agentorch.ports.planner import Planner
from agentorch.registry import Registry
from agentorch.runtime.beginnings import Beginnings
from agentorch.runtime.engine import Engine
from agentorch.runtime.launch import Launch
from agentorch.runtime.options import StartOptions, checked
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.ownership import Changed
from agentorch.runtime.redaction import Secrets
from agentorch.runtime.run import Run
from agentorch.runtime.settings import ModelSpec, OnRequest, Settings
from agentorch.runtime.sync import run_in_thread
from agentorch.runtime.views import OnRun
from agentorch.validation import Validators


class Orchestrator:
    """Coordinates a team of agents.

    `agents` is the whole team: decorated functions, `Agent`s, paths, `"builtin/librarian"`; when empty, the project's
    agents and the built-in ones. `model` is None for no model, a name, a `Model`, or a list tried in order. `journal`
    is None or "memory:", a path, or a `Journal`. `files` are the folders that file agents may read. With
    `takeover`, runs of the journal whose process has died are carried on here within seconds, for as long as this is
    open. `prices` and `quirks` are what you know better of models that are given by name, by that name. `secrets` are
    values that are never journaled, by name or as a list; an input `"secret:NAME"` gives a function that one's value.
    `on_run` is called with each `Run` that is started, taken up or forked here, and awaited before the outcome is:
    in a notebook, `agentorch.notebook.live` draws it while it goes on.

    Open it once for many runs: `async with Orchestrator([...]) as orchestrator`. Without that, each call opens and
    closes what it needs, and a journal in memory is gone after it.
    """

    def __init__(
        self,
        agents: Sequence[Any] = (),
        *,
        model: ModelSpec = None,
        planner: str | Planner | None = None,
        validators: Validators = (),
        policy: Policy = DEFAULT,
        budget: Budget | None = None,
        bus: str | Bus | None = None,
        journal: str | Path | Journal | None = None,
        durability: Literal["power", "process"] = "power",
        resources: Sequence[object] = (),
        files: Sequence[str | Path] = (),
        project: str | Path | None = None,
        on_request: OnRequest | None = None,
        on_run: OnRun | None = None,
        takeover: bool = False,
        clock: Clock | None = None,
        prices: Mapping[str, Price] | None = None,
        quirks: Mapping[str, Mapping[str, Any]] | None = None,
        secrets: Secrets = (),
    ) -> None:
        _check_types(policy=(policy, Policy), budget=(budget, Budget))
        self._settings = Settings(
            agents=agents,
            model=model,
            planner=planner,
            validators=validators,
            policy=policy,
            budget=budget or UNLIMITED,
            bus=bus,
            journal=journal,
            durability=durability,
            resources=resources,
            files=(files,) if isinstance(files, str | Path) else files,
            project=project,
            on_request=on_request,
            clock=clock or SystemClock(),
            prices=prices or {},
            quirks=quirks or {},
            secrets=secrets,
        )
        self._takeover = takeover
        self._on_run = on_run
        self._engine: Engine | None = None
        self._opened: Launch | None = None

    async def __aenter__(self) -> Self:
        if self._engine is not None:
            raise ConfigurationError("this Orchestrator is open already; open another, or share this one")
        take_over = self.take_up if self._takeover else None
        self._engine = await Engine(self._settings, take_over).open()
        self._opened = Launch(self._engine, self._on_run)
        return self

    async def __aexit__(self, *exception: object) -> None:
        engine, launch, self._engine, self._opened = self._engine, self._opened, None, None
        if engine is not None:
            await engine.close()
        if launch is not None and launch.views is not None:
            await launch.views.close()

    @asynccontextmanager
    async def _launch(self) -> AsyncGenerator[Launch]:
        if self._opened is not None:
            yield self._opened
            return
        engine = await Engine(self._settings).open()
        launch = Launch(engine, self._on_run)
        try:
            yield launch
        finally:
            await engine.close()
            if launch.views is not None:
                await launch.views.close()

    def _open_launch(self, method: str) -> Launch:
        if self._opened is None:
            raise ConfigurationError(
                f"Orchestrator.{method} needs an open orchestrator: use `async with Orchestrator(...)`"
            )
        return self._opened

    @property
    def registry(self) -> Registry:
        """The team."""
        return (self._engine or Engine(self._settings)).team.registry

    def verify(self, plan: Plan, *, inputs: Mapping[str, Any] | None = None, policy: Policy = DEFAULT) -> Verified:
        """Check a plan against the team as a run with these inputs and this policy would; a run of it then need not."""
        if self._opened is None:
            return Beginnings(Engine(self._settings)).check(plan, inputs or {}, policy)
        beginnings = self._opened.beginnings
        verified = beginnings.check(plan, inputs or {}, policy)
        if not (verified.errors or inputs or policy.model_fields_set):
            beginnings.make_ready(plan)
        return verified

    async def plan(self, goal: str, *, inputs: Mapping[str, Any] | None = None) -> Plan:
        """Return the plan that would be run for `goal`; raise PlanError in words when there is none."""
        async with self._launch() as launch:
            return await launch.plan(goal, checked({"inputs": inputs}).get("inputs", {}))

    async def run(self, goal: str | Plan, **options: Unpack[StartOptions]) -> Outcome:
        """Carry out a goal, or a plan, to its end, and return what came of it.

        Raises PlanError for a hand-made plan with errors; what goes wrong later is in the outcome.
        """
        if self._opened is not None:
            return await self._opened.carry_out(goal, options)
        async with self._launch() as launch:
            return await launch.carry_out(goal, options)

    @asynccontextmanager
    async def start(
        self, goal: str | Plan, *, detach: bool = False, **options: Unpack[StartOptions]
    ) -> AsyncGenerator[Run]:
        """Start a run and watch it in the block.

        Leaving the block by an exception cancels the run; leaving it normally waits for the end. `detach` hands the
        run to the orchestrator instead.
        """
        if detach and self._engine is None:
            raise ConfigurationError(
                "start(detach=True) needs an open orchestrator: use `async with Orchestrator(...)`"
            )
        async with self._launch() as launch, launch.start(goal, options, detach=detach) as run:
            yield run

    async def submit(self, goal: str | Plan, **options: Unpack[StartOptions]) -> Run:
        """Start a run that goes on by itself while the orchestrator is open; it is accepted when this returns."""
        return await self._open_launch("submit").begin(goal, options)

    async def attach(self, run_id: str) -> Run:
        """Return a run of this journal for reading."""
        return await self._open_launch("attach").attach(run_id)

    async def resume(self, run_id: str, *, changed: Changed = "refuse") -> Outcome:
        """Take up a run where its journal ends, and carry it out; a finished one gives its outcome.

        Raises RunOwnedError when a live process carries it out. Agents and prompts that have changed since the run
        began are refused in one line, unless `changed` is "accept" (go on as it is) or "restart" (what they had begun
        begins afresh).
        """
        async with self._launch() as launch:
            run = await launch.adopt(run_id, changed=changed)
            return await run.outcome()

    async def take_up(self, run_id: str, *, changed: Changed = "refuse") -> Run:
        """Do as `resume`, and return the run at once, to be watched; it goes on while the orchestrator is open."""
        return await self._open_launch("take_up").adopt(run_id, changed=changed)

    async def fork(
        self, run_id: str, *, at: int, outputs: Mapping[str, Any] | None = None, allow_effects: bool = False
    ) -> Outcome:
        """Begin a new run with what another one's journal says up to its event `at`, and carry it out.

        `outputs` take the place of what tasks gave, by id: what saw another output runs again, everything else is kept.
        What would have an effect, once only, that the other run has not had is refused unless `allow_effects`. The time
        limit begins anew; what was used up to there counts. Raises ConfigurationError in one line for a place at which
        no run can begin, an unknown task, or an output that its agent could not have given.
        """
        async with self._launch() as launch:
            run = await launch.fork(run_id, at=at, outputs=outputs or {}, effects=allow_effects)
            return await run.outcome()

    async def start_fork(
        self, run_id: str, *, at: int, outputs: Mapping[str, Any] | None = None, allow_effects: bool = False
    ) -> Run:
        """Do as `fork`, and return the run at once, to be watched; it goes on while the orchestrator is open."""
        launch = self._open_launch("start_fork")
        return await launch.fork(run_id, at=at, outputs=outputs or {}, effects=allow_effects)

    async def cancel(self, run_id: str, *, by: str = "user", reason: str = "") -> None:
        """Stop a run, whoever carries it out; what is done is kept.

        In another process that lives the request is obeyed within a tenth of a second of its return. A run that nobody
        carries out any more is ended here. A finished one stays as it is.
        """
        async with self._launch() as launch:
            await launch.cancel(run_id, by=by, reason=reason)

    def runs(
        self, *, status: str | None = None, tags: dict[str, str] | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRecord]:
        """Go through the runs of the journal, newest first."""
        return self._runs(status, tags, limit)

    async def _runs(
        self, status: str | None, tags: dict[str, str] | None, limit: int | None
    ) -> AsyncIterator[RunRecord]:
        async with self._launch() as launch:
            async for record in launch.engine.journal.runs(status=status, tags=tags, limit=limit):
                yield record

    def run_sync(self, goal: str | Plan, **options: Unpack[StartOptions]) -> Outcome:
        """Do the same as `run`, for callers that are not async; works in a notebook too."""
        if self._engine is not None:
            raise ConfigurationError("this Orchestrator is open: use `await orchestrator.run(...)`")
        return run_in_thread(lambda: self.run(goal, **options))


def _check_types(**given: tuple[Any, type]) -> None:
    """Say in one line what was given in the place of what."""
    for name, (value, kind) in given.items():
        if value is not None and not isinstance(value, kind):
            raise ConfigurationError(f"{name}={value!r}: give a {kind.__name__}, such as {name}={kind.__name__}(...)")
