"""`agentorch run` and `agentorch resume`."""

import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from shlex import quote
from typing import Any, Final

import anyio

from agentorch.cli.carrying import Foreground, carry
from agentorch.cli.given import Given
from agentorch.cli.journals import named_run, reading
from agentorch.cli.kept_library import kept_library
from agentorch.cli.looping import in_loop
from agentorch.cli.plan_checks import say_problems, say_unused, unused
from agentorch.cli.result import ENVIRONMENT
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup, default_journal
from agentorch.cli.standing import FINAL_STATUSES
from agentorch.cli.teams import check_team, team
from agentorch.core.policy import Policy
from agentorch.core.usage import Budget
from agentorch.documents import DocumentError, read_json
from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.library import Library
from agentorch.plans import Plan
from agentorch.ports.journal import RunRecord
from agentorch.ports.model import Model
from agentorch.registry import Registry
from agentorch.runtime.options import StartOptions
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.ownership import Changed
from agentorch.runtime.run import Run

LONGEST_GOAL: Final = 1_000_000
"""Characters of a goal that are read from stdin."""


def run_goal(
    goal: str | None,
    plan_file: Path | None,
    setup: Setup,
    *,
    inputs: Sequence[str],
    limits: Mapping[str, Any],
    timeout: float | None,
    sign_off: bool = False,
    json: bool,
    quiet: bool,
) -> int:
    """Carry out a goal or a plan file; return the exit code."""
    what = what_to_run(goal, plan_file)
    check_team(setup, plans=not isinstance(what, Plan))
    values = named_values(inputs)
    options: StartOptions = {"inputs": values, "tags": Given.of(setup).tags}
    if any(limit is not None for limit in limits.values()):
        options["budget"] = Budget(**{name: limit for name, limit in limits.items() if limit is not None})
    if timeout is not None:
        options["timeout"] = timeout
    if sign_off:
        options["policy"] = Policy(approval="plan")
    screen = Screen()
    hint_at_model(screen, setup)
    if isinstance(what, Plan):
        registry = Registry(team(setup.agents, project=setup.project).agents)
        problems = what.verify(registry, inputs=values).errors
        say_problems(screen, plan_file, setup, problems)
        if problems:
            return ENVIRONMENT
        say_unused(screen, unused(what.tasks, values))

    async def begin(orchestrator: Orchestrator) -> Run:
        return await orchestrator.submit(what, **options)

    foreground = Foreground(
        screen, setup.only("--journal"), json=json, quiet=quiet, inputs=() if isinstance(what, Plan) else tuple(values)
    )
    return carried(setup, begin, foreground)


def changes_to(*, restart: bool, accept: bool) -> Changed:
    """Return what is done with changed agents; ConfigurationError when both are asked for."""
    if restart and accept:
        raise ConfigurationError("--restart-changed and --accept-changes say opposite things: give one")
    return "restart" if restart else "accept" if accept else "refuse"


def recorded(run: str, setup: Setup) -> RunRecord:
    """Return the record of the run that is named."""

    async def named() -> RunRecord:
        async with reading(setup.journal) as journal:
            return await named_run(journal, run)

    return anyio.run(named)


def as_it_was_given(record: RunRecord, setup: Setup, screen: Screen) -> Setup:
    """Return the set-up, completed by what the run was given, which is said."""
    given = Given.kept(record.tags)
    whole, taken = (setup, "") if given is None else given.complete(setup)
    if taken:
        screen.say(f"with what the run was given: {taken}", "dim", whole=True)
    return whole


def resume_run(run: str, setup: Setup, *, changed: Changed = "refuse", json: bool, quiet: bool) -> int:
    """Take a run up, with what it was given where it is not given anew; return the exit code."""
    screen = Screen()
    record = recorded(run, setup)
    whole = setup if record.status in FINAL_STATUSES else as_it_was_given(record, setup, screen)

    async def begin(orchestrator: Orchestrator) -> Run:
        return await orchestrator.take_up(record.run_id, changed=changed)

    return carried(whole, begin, Foreground(screen, whole, json=json, quiet=quiet))


def carried(setup: Setup, begin: Callable[[Orchestrator], Awaitable[Run]], foreground: Foreground) -> int:
    """Carry out what `begin` begins, in the foreground; return the exit code."""
    folder = _new_folder(setup)

    async def begin_and_say(orchestrator: Orchestrator) -> Run:
        if folder is not None:
            foreground.screen.say(f"the journal's folder was made: {folder}", "dim", whole=True)
        return await begin(orchestrator)

    with redirect_stdout(sys.stderr), kept_library(setup) as library:  # an agent's own print() is no data of ours
        return in_loop(carry, orchestrator_of(setup, foreground.screen, library), begin_and_say, foreground)


def _new_folder(setup: Setup) -> Path | None:
    """Return the folder that is made for a journal that was named: after a typing error that is to be seen."""
    if setup.journal in {"memory:", str(default_journal())} or "://" in setup.journal:
        return None
    folder = at_home(setup.journal).parent
    return None if folder.exists() else folder


def what_to_run(goal: str | None, plan_file: Path | None) -> str | Plan:
    """Return the goal in words, or the plan; ConfigurationError when there is neither."""
    words = None if goal is None else named_goal(goal)
    if plan_file is not None:
        plan = Plan.from_file(plan_file)
        plan.goal = words or plan.goal  # the goal that was typed beats the file's, as every option does
        return plan
    if words is None:
        raise ConfigurationError("nothing to do: give a goal in quotes, or --plan FILE")
    if not words.strip():
        raise ConfigurationError("the goal is empty: say in words what is wanted")
    if words.endswith((".yaml", ".yml", ".json")) and os.path.isfile(words):  # noqa: PTH113  # a Path of words may raise
        raise ConfigurationError(
            f"{words} is a file, and no goal: `agentorch run --plan {quote(words)}` carries it out"
        )
    return words


def named_goal(goal: str) -> str:
    """Return a goal in words: `-` is what stdin holds."""
    return _from_stdin().strip() if goal == "-" else goal


def _from_stdin() -> str:
    try:
        text = sys.stdin.read(LONGEST_GOAL + 1)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the goal on stdin is not text (byte {error.start}); save it as UTF-8") from None
    if len(text) > LONGEST_GOAL:
        raise ConfigurationError(f"the goal on stdin is longer than {LONGEST_GOAL:,} characters; give files by --files")
    return text


def named_values(inputs: Sequence[str]) -> dict[str, Any]:
    """Return what `--input name=value` says: JSON where it is JSON, else text."""
    values: dict[str, Any] = {}
    for given in inputs:
        name, found, value = given.partition("=")
        if not found or not name.strip():
            raise ConfigurationError(f"--input {given!r}: write it as name=value")
        if name.strip() in values:
            raise ConfigurationError(f"--input {given!r}: {name.strip()} is given twice: give it once")
        try:
            values[name.strip()] = read_json(value)
        except DocumentError:
            values[name.strip()] = value
    return values


def orchestrator_of(setup: Setup, screen: Screen, library: Library | None = None) -> Orchestrator:
    """Return an orchestrator for this set-up, not opened yet; what it has to say comes to the screen."""
    _hear_warnings(screen)
    return Orchestrator(
        setup.agents,
        model=_models(setup),
        policy=Policy() if setup.parallel is None else Policy(parallel=setup.parallel),
        journal=setup.journal,
        files=setup.files,
        resources=() if library is None else (library,),
        project=setup.project,
        prices=setup.prices,
        quirks=setup.quirks,
        secrets=setup.secrets,
    )


def _models(setup: Setup) -> list[str | Model] | None:
    if setup.server is None:
        return list(setup.model) or None
    from agentorch.models import OpenAIModel

    return [OpenAIModel(name, base_url=setup.server) for name in setup.model] or None


def hint_at_model(screen: Screen, setup: Setup) -> None:
    """Say how to use a model when a key is there and no model is named."""
    if setup.key_unused:
        screen.dim("no model is named, so none is used: --model NAME or AGENTORCH_MODEL=NAME would")


class _ToScreen(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.say(f"warning: {record.getMessage()}", "yellow")


def _hear_warnings(screen: Screen) -> None:
    logger = logging.getLogger("agentorch")
    logger.handlers = [handler for handler in logger.handlers if not isinstance(handler, _ToScreen)]
    logger.addHandler(_ToScreen(screen))
    logger.propagate = False
