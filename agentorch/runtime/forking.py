"""Forking a run: what is asked for is held to the other run's journal before anything of the new one is written."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from agentorch.core.advance import replay
from agentorch.core.apply import apply
from agentorch.core.card import AgentCard
from agentorch.core.events import (
    Event,
    PlanCompleted,
    PlanPatched,
    RequestAnswered,
    RunCancelling,
    RunFinished,
    RunStarted,
    TasksAccepted,
)
from agentorch.core.forking import is_between_decisions
from agentorch.core.inbox import Fork
from agentorch.core.invariants import InvariantError, check
from agentorch.core.nearest import did_you_mean
from agentorch.core.state import FINAL, RunState
from agentorch.core.usage import Budget
from agentorch.errors import ConfigurationError, RunNotFoundError
from agentorch.runtime.engine import Engine
from agentorch.runtime.large import Unstorable, stored
from agentorch.runtime.ownership import check_team

_PAGE: Final = 2000
_NEAR: Final = 100
"""Events before a place that are looked at for a better one."""


async def fork_of(
    engine: Engine, parent: str, *, at: int, outputs: Mapping[str, Any], effects: bool, release: str
) -> Fork:
    """Return the message that begins a fork of `parent` behind its event `at`.

    Raises ConfigurationError, in one line, for a place at which no run can begin, an unknown task, or an output that
    its agent could not have given.
    """
    events = await _events(engine, parent, at)
    before, behind = _cut(events, at)
    state = replay(RunState(parent, catalog_of(engine, before)), list(before))
    if not _is_sound(state, before[-1], behind):
        raise await _no_place(engine, parent, before, at)
    check_team(state)
    engine.checks.refuse_unknown(parent, tuple(state.checks))
    open_tasks = (task.task for task in state.tasks.values() if task.caller is None and task.status not in FINAL)
    engine.secrets.check(state.outputs["inputs"], open_tasks)
    return Fork(
        at=engine.supervisor.now(),
        parent=parent,
        place=at,
        events=before,
        owner=engine.owner,
        outputs={name: await _checked(engine, state, name, value) for name, value in outputs.items()},
        cards=engine.versions,
        effects=effects,
        release=release,
    )


def catalog_of(engine: Engine, events: Sequence[Event]) -> Mapping[str, AgentCard]:
    """Return the cards of the team for a run that begins with these events: what its budget needs to know is there."""
    return engine.team.catalog_under(next((one.budget for one in events if isinstance(one, RunStarted)), Budget()))


async def _events(engine: Engine, parent: str, at: int) -> list[Event]:
    record = await engine.journal.record(parent)
    if record is None:
        raise RunNotFoundError(f"no run {parent} in this journal; `agentorch runs` lists them")
    if isinstance(at, bool) or not isinstance(at, int) or not 1 <= at <= record.head:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"at={at!r}: run {parent} has the events 1 to {record.head}: name one of them")
    events: list[Event] = []
    last = min(at + 1, record.head)
    while len(events) < last:
        events += await engine.journal.read(parent, after=len(events), limit=min(_PAGE, last - len(events)))
    return events


def _cut(events: list[Event], at: int) -> tuple[tuple[Event, ...], Event | None]:
    """Return the events up to `at`, but for the run's end, which is not the fork's, and the one behind `at`."""
    end = next((place for place, event in enumerate(events) if isinstance(event, RunFinished)), len(events))
    return tuple(events[: min(end, at)]), events[at] if at < len(events) else None


async def _no_place(engine: Engine, parent: str, events: tuple[Event, ...], at: int) -> ConfigurationError:
    near = _sound_places(RunState(parent, catalog_of(engine, events)), events)
    remedy = f"the last place before it is {near[-1]}" if near else await _first_place(engine, parent, events)
    return ConfigurationError(f"at={at}: run {parent} was in the middle of a decision there, or of its end: {remedy}")


async def _first_place(engine: Engine, parent: str, events: tuple[Event, ...]) -> str:
    """Say where the first place behind these events is, as far as it is near."""
    more = await engine.journal.read(parent, after=len(events), limit=_NEAR)
    longer = (*events, *more)
    places = _sound_places(RunState(parent, catalog_of(engine, longer)), longer)
    return f"the first place is {places[0]}" if places else "choose another"


def _sound_places(state: RunState, events: tuple[Event, ...]) -> list[int]:
    sure = max(0, len(events) - _NEAR)
    replay(state, list(events[:sure]))
    places: list[int] = []
    for event, behind in zip(events[sure:], events[sure + 1 :], strict=False):
        apply(state, event)
        places += [event.seq] if _is_sound(state, event, behind) else []
    return places


def _is_sound(state: RunState, last: Event, behind: Event | None) -> bool:
    """Whether a run can begin with this state, given the events before and behind it.

    A plan made by hand comes with its goal, and what a person says of a plan with what follows from it.
    """
    if isinstance(behind, TasksAccepted | PlanCompleted) and behind.source == "user":
        return False
    signed = isinstance(last, RequestAnswered) and last.request_id == "plan"
    if signed and isinstance(behind, PlanPatched | RunCancelling):
        return False
    try:
        check(state)
    except InvariantError:
        return False
    return is_between_decisions(state)


async def _checked(engine: Engine, state: RunState, name: str, value: Any) -> Any:
    """Return an output as the journal keeps it: fit for the agent's schema, without secrets, large ones as blobs."""
    task = state.tasks.get(name)
    if task is None or task.caller is not None:
        known = [name for name, task in state.tasks.items() if task.caller is None]
        hint = did_you_mean(name, known) or f"it has {', '.join(known) or 'none yet'}"
        raise ConfigurationError(f"outputs: run {state.run_id} has no task {name!r} at this place; {hint}")
    encoded, problems = engine.team.agents[task.task.agent].output.examine(value)
    if problems:
        raise ConfigurationError(f"outputs: {name!r} is nothing that '{task.task.agent}' gives: {'; '.join(problems)}")
    try:
        return await stored(engine.redactor.value(encoded), engine.blobs)
    except Unstorable as error:
        raise ConfigurationError(f"outputs: {name!r} {error}") from None
