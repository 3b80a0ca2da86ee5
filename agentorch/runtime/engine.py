"""The engine: everything that an open orchestrator holds, wired together once."""

import asyncio
import importlib
import inspect
import logging
import os
import secrets
import socket
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Self, cast
from weakref import WeakValueDictionary

import anyio

from agentorch.agents import Agent
from agentorch.blobs.memory import MemoryBlobs
from agentorch.bus import open_bus
from agentorch.core.commands import AskPerson
from agentorch.core.planned import versions_of
from agentorch.errors import AgentorchError, ConfigurationError
from agentorch.isolation.standing import refuse_while_loading
from agentorch.journal.opening import open_journal
from agentorch.library import Library, file_tools
from agentorch.loading import load_agents
from agentorch.planning.model_planner import ModelPlanner
from agentorch.planning.rule_planner import RulePlanner
from agentorch.ports.blobs import Blobs
from agentorch.ports.journal import Journal, KeepsBlobs, KnowsOwners
from agentorch.ports.model import Model
from agentorch.ports.planner import Planner
from agentorch.prompts import Prompts
from agentorch.runtime.account import charged
from agentorch.runtime.answering import answerer
from agentorch.runtime.asking_planner import PlannerDesk
from agentorch.runtime.backlog import MUCH, Backlog
from agentorch.runtime.cross_checking import CheckDesk
from agentorch.runtime.execution import Execution
from agentorch.runtime.followed import FollowedRun
from agentorch.runtime.host import Host
from agentorch.runtime.hosted import HostedRun
from agentorch.runtime.isolated import Isolated
from agentorch.runtime.job import Job
from agentorch.runtime.named_secrets import NamedSecrets
from agentorch.runtime.opener import Opener
from agentorch.runtime.person_answers import answer_of
from agentorch.runtime.prompted import Prompting
from agentorch.runtime.reconciler import Reconciler, TakeOver
from agentorch.runtime.redaction import RedactedBlobs, Redactor
from agentorch.runtime.request_desk import RequestDesk
from agentorch.runtime.run_ids import new_run_id
from agentorch.runtime.services import DispatchServices
from agentorch.runtime.settings import ModelSpec, Settings
from agentorch.runtime.supervisor import Supervisor
from agentorch.runtime.team import Team
from agentorch.runtime.worker import Worker
from agentorch.validation import sort_validators

log = logging.getLogger(__name__)

with suppress(ImportError):  # its place is anyio's own affair: else it is imported when a run first needs it
    importlib.import_module("anyio._backends._asyncio")


class Engine:
    """An open journal, bus, team, supervisor and worker."""

    def __init__(self, settings: Settings, take_over: TakeOver | None = None) -> None:
        """`take_over` takes runs over whose process has died."""
        self.take_over = take_over
        self.new_run_id = new_run_id
        """Names runs; a simulation names them itself."""
        self.settings = settings
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
        self.prompts = Prompts(_prompt_folders(settings))
        self.templates = {name: self.prompts.version(name) for name in self.prompts.names()}
        """Versions of the prompt templates."""
        self.team = team_of(settings, self.prompts)
        self.isolated = Isolated(self.team.agents)
        self.validators, self.across = sort_validators(settings.validators, self.team.agents)
        self.team.seat_judges(self.validators)
        self.planners = planners_of(settings, self.team, self.prompts)
        journal = settings.journal
        self.journal: Journal = (
            open_journal(journal, durability=settings.durability)
            if journal is None or isinstance(journal, str | os.PathLike)
            else journal
        )
        self.redactor = Redactor(settings.secrets, known=self.team.secrets)
        self.secrets = NamedSecrets(settings.secrets if isinstance(settings.secrets, Mapping) else {})
        blobs = self.journal.blobs if isinstance(self.journal, KeepsBlobs) else MemoryBlobs()
        self.blobs: Blobs = RedactedBlobs(blobs, self.redactor)
        self.bus = open_bus(settings.bus)
        self.followed: set[FollowedRun] = set()
        """Runs that are read here and carried out elsewhere."""
        self.keys: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """A lock for each idempotency key under which a run is just being started."""
        self.adopting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """A lock for each run that is just being taken up, or cancelled."""
        self.prompting = Prompting(self.prompts, self.team.catalog)
        self._goes_on = False
        """Whether a call with an effect could not be stopped."""

    @property
    def versions(self) -> dict[str, str]:
        """The version of every agent and template, as the journal names them."""
        return versions_of(self.team.catalog, self.templates)

    async def open(self) -> Self:
        """Open the journal and the bus, and start to supervise and to work."""
        refuse_while_loading()
        await self.journal.open()
        if isinstance(self.journal, KnowsOwners):
            self.journal.claim(self.owner)
        try:
            await self.bus.open()
            self._start()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._close_journal()
            raise
        return self

    def _start(self) -> None:
        """Start to supervise and to work."""
        self.checks = CheckDesk(self.across, self.team.agents, self.blobs, redacted=self.redactor.text)
        backlog = Backlog() if self.bus is self.settings.bus else Backlog(MUCH)  # one that was given may be others' too
        desk = PlannerDesk(self.planners, self.team.cards, self.blobs)
        self.supervisor = Supervisor(
            owner=self.owner,
            bus=self.bus,
            journal=self.journal,
            clock=self.settings.clock,
            slots=self.settings.policy.parallel,
            backlog=backlog,
            ask_planner=desk.ask,
            ask_person=self._ask_person,
            ask_check=self.checks.ask,
            redact=self.redactor.message,
        )
        for card in self.team.catalog.values():
            if "parallel" in card.policy.model_fields_set:
                self.supervisor.scheduler.limit_agent(card.name, card.policy.parallel)
        self._host = Host(self.supervisor, self.journal, redacted=self.redactor.value)
        execution = Execution(
            agents=self.team.agents,
            validators=self.validators,
            services=self._services,
            prompted=self.prompting.run,
            blobs=self.blobs,
            isolated=self.isolated,
            secrets=self.secrets,
            redacted=self.redactor.text,
            threads=self.settings.policy.parallel,
        )
        self.requests = RequestDesk(self.journal, self.supervisor, redacted=self.redactor.value)
        self.requests.open()
        self.reconciler = Reconciler(self.journal, self.supervisor, self.take_over)
        self.reconciler.open()
        self.worker = Worker(
            self.bus,
            agents=tuple(self.team.agents),
            execute=execution,
            clock=self.settings.clock,
            backlog=backlog,
        )

    async def close(self) -> None:
        """Let go of every run, then of everything else; a cancellation waits until that is done."""
        with anyio.CancelScope(shield=True):
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._close_journal)
                stack.push_async_callback(self.bus.close)
                stack.push_async_callback(self.team.close)
                stack.push_async_callback(self.isolated.close)
                stack.push_async_callback(self.worker.close)
                stack.push_async_callback(self.requests.close)
                stack.push_async_callback(self.reconciler.close)
                stack.push_async_callback(self.supervisor.endings.written)
                stack.callback(self._let_go)
                stack.push_async_callback(self.supervisor.ended)
                stack.push_async_callback(self._host.land)
                stack.callback(self.supervisor.scheduler.close)
                for run in self.followed:
                    stack.push_async_callback(run.stop_following)

    def _let_go(self) -> None:
        """End the calls that have effects and let go of their runs in one: what is cut off does not count as broken."""
        self._goes_on = self._host.close()
        self.supervisor.close()

    async def _close_journal(self) -> None:
        try:
            await self.journal.close()
        finally:
            if isinstance(self.journal, KnowsOwners):
                # Last: whoever finds it disclaimed finds nothing more being written.
                goes_on = {"goes_on": True} if self._goes_on else {}
                self.journal.disclaim(self.owner, **goes_on)

    def _services(self, job: Job) -> DispatchServices:
        work = job.work
        return DispatchServices(
            job,
            source=self.owner,
            host=self._host,
            bus=self.bus,
            blobs=self.blobs,
            model=self.team.model_of(work.agent, work.model),
            converse=self.prompting.converse,
            ask_judge=self.prompting.judge,
            model_named=self.team.model_named,
        )

    def _ask_person(self, run: HostedRun, command: AskPerson) -> None:
        """Show a request to the caller's `on_request`; without one it waits in `run.waiting`."""
        if self.settings.on_request is None:
            return
        task = asyncio.get_running_loop().create_task(self._answered(run, command.request_id))
        about = run.state.requests[command.request_id].task
        what = f"on_request, asked {command.request_id!r},"
        run.awaited().enter(command.request_id, task, what, task=about, person=True)

    async def _answered(self, run: HostedRun, request_id: str) -> None:
        request = run.state.requests[request_id]
        try:
            value = cast("Any", self.settings.on_request)(request)
            if inspect.isawaitable(value):
                value = await value
        except Exception:
            log.exception("on_request raised for %s of run %s; the request stays open", request_id, run.state.run_id)
            return
        if value is None or request_id not in run.state.requests:
            return
        try:
            answer, plan = answer_of(run.state, request, value)
        except AgentorchError as error:
            words = self.redactor.text(str(error))  # they show the answer
            log.error("on_request answered %s of run %s wrongly: %s", request_id, run.state.run_id, words)  # noqa: TRY400  # the answer is at fault
        else:
            with run.or_lost():
                self.supervisor.answer(run, request_id, answer, "on_request", plan=plan)


def _prompt_folders(settings: Settings) -> Sequence[str]:
    return () if settings.project is None else (os.path.join(settings.project, "prompts"),)  # noqa: PTH118


def models_of(spec: ModelSpec, opener: Opener) -> tuple[Model, ...]:
    """Return the models that `model=` names, opened, in order."""
    listed = () if spec is None else (spec,) if isinstance(spec, str) or hasattr(spec, "complete") else spec
    several = cast("Sequence[str | Model]", listed)
    opened = (opener(one) for one in several)
    return tuple(model for model in opened if model is not None)


def team_of(settings: Settings, prompts: Prompts) -> Team:
    """Return the team: the listed agents, or the project's and the built-in ones, with their resources given."""
    opener = Opener(prices=settings.prices, quirks=settings.quirks)
    models = models_of(settings.model, opener)
    # A library among the resources is the run's: the command line gives one whose index is kept in a file.
    library = next((one for one in settings.resources if isinstance(one, Library)), None) or Library(settings.files)
    tools = () if _are_made(settings.agents) else file_tools(library)
    loaded = load_agents(settings.agents, project=settings.project, tools=tools)
    resources = (*settings.resources, library)
    agents = [agent.with_resources(resources) for agent in loaded]
    return Team(agents, models, answerer(prompts, with_model=bool(models)), opener)


def _are_made(agents: Sequence[Any]) -> bool:
    """Whether these are agents, and no files that may name tools: to make those is a tenth of an opening."""
    return isinstance(agents, list | tuple) and bool(agents) and all(isinstance(one, Agent) for one in agents)


def planners_of(settings: Settings, team: Team, prompts: Prompts) -> tuple[Planner, ...]:
    """Return who plans, in the order of asking: the rules are always the last resort."""
    given = settings.planner
    rules = RulePlanner()
    if given is None:
        given = "model" if team.models else "rules"
    if given == "rules":
        return (rules,)
    if given == "model":
        if not team.models:
            raise ConfigurationError("planner='model' needs a model: give Orchestrator(model=...), or planner='rules'")
        return (ModelPlanner(charged(team.models[0], silence=settings.policy.silence), prompts.render), rules)
    if isinstance(given, str):
        raise ConfigurationError(f"planner {given!r}: it can be 'model', 'rules' or a Planner")
    missing = [name for name in ("name", "plan", "patch") if not hasattr(given, name)]
    if missing:
        raise ConfigurationError(f"planner {given!r:.80} has no {missing[0]!r}: it needs a name, plan() and patch()")
    return (given, rules)
