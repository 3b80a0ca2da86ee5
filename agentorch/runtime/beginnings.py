"""How a run begins: what its caller gave, checked, and put into the message that the core is told."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, cast

from agentorch.core import inbox
from agentorch.core.card import money_problem
from agentorch.core.events import Event
from agentorch.core.nearest import did_you_mean
from agentorch.core.planned import opening
from agentorch.core.policy import DEFAULT, Policy
from agentorch.core.state import RunState
from agentorch.core.usage import Budget
from agentorch.core.values import whole_characters
from agentorch.core.verifier import Verified
from agentorch.errors import AgentorchError, ConfigurationError, PlanError
from agentorch.planning.model_planner import ModelPlanner
from agentorch.plans import Plan
from agentorch.runtime.engine import Engine
from agentorch.runtime.large import Unstorable, stored
from agentorch.runtime.options import StartOptions
from agentorch.runtime.release import release
from agentorch.runtime.team import unpriced

KNOWN: Final = 64
"""Plans of which it is kept how their runs begin."""


@dataclass(frozen=True, slots=True)
class _Known:
    """How runs of a plan begin."""

    verified: Verified
    """The plan; kept, so that its identity stays its own."""
    goal: str
    events: tuple[Event, ...]


class Beginnings:
    """Makes the first messages of runs on one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[int, _Known] = {}
        """How runs of a plan begin that are given nothing else, by the identity of the checked plan."""

    async def of(
        self, goal: str | Plan, options: StartOptions, request: str | None
    ) -> tuple[RunState, inbox.Begin | inbox.BeginAs]:
        """Return a new run, and the message that it begins with; its large inputs are kept as blobs.

        Raises ConfigurationError or PlanError in one line for what cannot be carried out.
        """
        engine = self._engine
        if isinstance(goal, Plan) and not options and request is None and engine.settings.budget.max_money is None:
            again = inbox.BeginAs(engine.supervisor.now(), self._events(goal))
            return RunState(engine.new_run_id(again.at), engine.team.catalog), again
        message = await self._stored(self._message(goal, options, request))
        return RunState(engine.new_run_id(message.at), engine.team.catalog_under(message.budget)), message

    def _events(self, plan: Plan) -> tuple[Event, ...]:
        """Return what a run of the plan begins with that is given nothing else."""
        settings = self._engine.settings
        verified = self._accepted(plan, {}, settings.policy, settings.budget)
        known = self._known.get(id(verified))
        if known is None or known.goal != plan.goal:
            message = self._engine.redactor.message(self._message(plan, {}, None))
            known = _Known(verified, plan.goal, opening(self._engine.team.catalog, cast("inbox.Begin", message)))
            if len(self._known) >= KNOWN:
                del self._known[next(iter(self._known))]
            self._known[id(verified)] = known
        return known.events

    def check(self, plan: Plan, inputs: Mapping[str, Any], policy: Policy) -> Verified:
        """Check a plan as a run with these inputs and this policy, and the orchestrator's budget, would."""
        settings = self._engine.settings
        given = self._engine.redactor.value(dict(inputs))
        return self._verified(plan, given, policy.over(settings.policy), settings.budget)

    def make_ready(self, plan: Plan) -> None:
        """Make ready how a run of a plan begins that is given nothing else; where it cannot, the run will say why."""
        if self._engine.settings.budget.max_money is None:
            with suppress(AgentorchError):
                self._events(plan)

    def _verified(self, plan: Plan, inputs: dict[str, Any], policy: Policy, budget: Budget) -> Verified:
        cards = self._engine.team.catalog_under(budget)
        problem = money_problem(budget.max_money)
        return plan.checked(cards, inputs=inputs, policy=policy, budget_problem=problem)

    def _accepted(self, plan: Plan, inputs: dict[str, Any], policy: Policy, budget: Budget) -> Verified:
        verified = self._verified(plan, inputs, policy, budget)
        if verified.errors:
            raise PlanError("the plan has errors: " + "; ".join(str(problem) for problem in verified.errors))
        return verified

    def _message(self, goal: str | Plan, options: StartOptions, request: str | None) -> inbox.Begin:
        settings = self._engine.settings
        plan = goal if isinstance(goal, Plan) else None
        words: Any = goal.goal if isinstance(goal, Plan) else goal
        if not isinstance(words, str):
            raise ConfigurationError(f"the goal is {words!r}: give words, or a Plan")
        if plan is None and not words.strip():
            raise ConfigurationError("the goal is empty: say in words what is wanted")
        budget = options.get("budget") or settings.budget
        timeout = options.get("timeout")
        if timeout is not None:
            shortest = min(timeout, budget.max_seconds or timeout)
            budget = budget.model_copy(update={"max_seconds": shortest})
        inputs = self._engine.redactor.value(dict(options.get("inputs", {})))
        self._engine.secrets.check(inputs, plan.tasks if plan is not None else ())
        policy = (options.get("policy") or DEFAULT).over(settings.policy)
        self._check_fallbacks(policy)
        planner = self._engine.planners[0] if plan is None or self._replans else None
        if isinstance(planner, ModelPlanner):
            self._check_price(budget)
        return inbox.Begin(
            at=self._engine.supervisor.now(),
            goal=whole_characters(words),
            inputs=inputs,
            policy=policy,
            budget=budget,
            plan=self._accepted(plan, inputs, policy, budget) if plan is not None else None,
            planner=None if planner is None else planner.name,
            person=settings.on_request is not None,
            priority=options.get("priority", "interactive"),
            tags=dict(options.get("tags", {})),
            key=options.get("key"),
            request=request,
            checks=tuple(check.spec for check in self._engine.across),
            owner=self._engine.owner,
            release=release(),
            templates=self._engine.templates,
        )

    async def _stored(self, message: inbox.Begin) -> inbox.Begin:
        """Return the message with its large inputs kept as blobs: the plan has been held to what they are."""
        if not message.inputs:
            return message
        inputs: dict[str, Any] = {}
        for name, value in message.inputs.items():
            try:
                inputs[name] = await stored(value, self._engine.blobs)
            except Unstorable as error:
                raise ConfigurationError(f"inputs: {name!r} {error}") from None
        return replace(message, inputs=inputs)

    def _check_fallbacks(self, policy: Policy) -> None:
        catalog = self._engine.team.catalog
        for name in policy.fallback:
            if name not in catalog:
                remedy = did_you_mean(name, catalog) or "name agents of the team"
                raise ConfigurationError(f"Policy(fallback={list(policy.fallback)}): no agent {name!r}; {remedy}")

    def _check_price(self, budget: Budget) -> None:
        """Refuse a limit of money that the planner's own calls could pass unseen."""
        if budget.max_money is None:  # else no price is looked up: loading the prices takes a tenth of a second
            return
        name = unpriced(self._engine.team.models[:1])
        if name:
            raise ConfigurationError(
                f"the price of model {name!r} is unknown, so max_money={budget.max_money:g} could not be held: say it "
                "(AGENTORCH_PRICES, Orchestrator(prices=...), or `cost` of your own class), or limit tokens instead"
            )

    @property
    def _replans(self) -> bool:
        """Whether a hand-made plan may be patched: by a model, or by a planner that was asked for.

        The rules choose by types and words; that is no ground for putting another agent into somebody's own plan.
        """
        return self._engine.settings.planner is not None or bool(self._engine.team.models)
