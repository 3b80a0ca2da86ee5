"""`agentorch cancel` and `agentorch approve`: what a second terminal asks of a run.

1. A request goes through the journal's inbox; whoever carries the run out turns it into events.
2. An answer for a run that nobody carries out stays there until `agentorch resume`.
3. What is written holds no secret that this process can tell: the forms, its environment's key, AGENTORCH_SECRETS.
"""

import getpass
import json as json_module
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import anyio

from agentorch.cli.journals import named_run, reading
from agentorch.cli.progress import Progress
from agentorch.cli.result import WAITING, command
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.tables import columns
from agentorch.cli.words import one_line
from agentorch.core.inbox import Answer, Cancel
from agentorch.core.requests import problems_of_answer
from agentorch.core.state import Request, RunState
from agentorch.errors import ConfigurationError
from agentorch.plans import Plan
from agentorch.ports.journal import Inbox, Journal, KnowsOwners
from agentorch.runtime.ending import end_run
from agentorch.runtime.leaving_requests import leave_request

_PATIENCE: Final = 5.0
"""Seconds to wait for the owner of a run to do what was asked."""
_LOOK: Final = 0.05


def cancel_run(run: str, setup: Setup, *, reason: str, json: bool) -> int:
    """Stop a run; return the exit code."""
    screen = Screen()
    redact = setup.redactor().message

    async def cancelled() -> str:
        async with reading(setup.journal) as journal:
            record = await named_run(journal, run)
            seen = await _seen(journal, record.run_id)
            if seen.finished:
                return f"run {record.run_id} is over already: {seen.status}"
            if not _is_alive(journal, seen):
                await end_run(journal, record.run_id, by=_me(), reason=reason, redact=redact)
                return f"cancelled run {record.run_id}, which nobody carried out"
            asked = Cancel(_now(), _me(), reason)
            await leave_request(_inbox(journal), record.run_id, asked, redact=redact)
            heard = await _until(journal, record.run_id, lambda state: state.cancelling is not None or state.finished)
            return f"cancelled run {record.run_id}" if heard else _unheard(record.run_id, seen)

    _say(screen, anyio.run(cancelled), json=json)
    return 0


def answer_run(
    run: str,
    task: str | None,
    setup: Setup,
    *,
    choices: Mapping[str, bool],
    value: str | None,
    plan: Path | None,
    json: bool,
) -> int:
    """Answer what a run waits for, or show it; return the exit code."""
    screen = Screen()
    redactor = setup.redactor()
    given = _Given(tuple(name for name, chosen in choices.items() if chosen), value, plan)

    async def answered() -> str | Sequence[Request]:
        async with reading(setup.journal) as journal:
            record = await named_run(journal, run)
            state = await _seen(journal, record.run_id)
            if given == _NOTHING:
                return tuple(state.requests.values())
            request = _named(state, task)
            answer = redactor.value(_answer(request, given))
            problems = problems_of_answer(request, answer)
            if problems:
                raise ConfigurationError(f"{request.request_id}: {'; '.join(problems)}")
            said = Answer(_now(), request.request_id, answer, _me())
            await leave_request(_inbox(journal), record.run_id, said, redact=redactor.message)
            if not _is_alive(journal, state):
                return f"answered; go on with: {command('resume', record.run_id, setup.flags('--journal'))}"
            heard = await _until(journal, record.run_id, lambda now: request.request_id not in now.requests)
            return "answered" if heard else _unheard(record.run_id, state)

    said = anyio.run(answered)
    if isinstance(said, str):
        _say(screen, said, json=json)
        return 0
    return _show(screen, said, json=json)


class _Given(NamedTuple):
    """What was given as an answer."""

    chosen: tuple[str, ...] = ()
    value: str | None = None
    plan: Path | None = None


_NOTHING: Final = _Given()


def _answer(request: Request, given: _Given) -> Any:
    """Return the answer in the form that the request asks for."""
    if len(given.chosen) > 1:
        raise ConfigurationError(f"--{given.chosen[0]} and --{given.chosen[1]} say different things: give one")
    choice = given.chosen[0] if given.chosen else None
    if given.plan is not None:
        return {"plan": Plan.from_file(given.plan).to_dict()}
    value = None if given.value is None else _json_or_text(given.value)
    answer = _ANSWERS.get((request.kind, choice or ""), _refused)(value)
    if answer is _refused:
        offered = ", ".join(f"--{name}" for kind, name in _ANSWERS if kind == request.kind and name) or "--value"
        what = f"--{choice}" if choice else "--value alone"
        raise ConfigurationError(f"{request.request_id}: {what} is no answer to this {request.kind}; give {offered}")
    return answer


def _refused(value: Any) -> Any:
    del value
    return _refused


def _said(answer: Any) -> Callable[[Any], Any]:
    return lambda _: answer


_ANSWERS: Final[Mapping[tuple[str, str], Callable[[Any], Any]]] = {
    ("approval", "yes"): _said(True),
    ("approval", "no"): _said(False),
    ("plan", "yes"): _said(True),
    ("plan", "no"): _said(False),
    ("effect", "done"): lambda value: "done" if value is None else {"done": value},
    ("effect", "retry"): _said("retry"),
    ("effect", "skip"): _said("skip"),
    ("failure", "done"): lambda value: {"output": value},
    ("failure", "retry"): _said("retry"),
    ("failure", "skip"): _said("fail"),
    ("question", ""): lambda value: value,
    ("question", "yes"): _said(True),
    ("question", "no"): _said(False),
}
"""What a choice means for each kind of request."""


def _named(state: RunState, name: str | None) -> Request:
    """Return the request that is meant: by its id, by its task, or the only one."""
    waiting = list(state.requests.values())
    found = [request for request in waiting if name in {None, request.request_id, request.task}]
    if len(found) == 1:
        return found[0]
    ids = ", ".join(request.request_id for request in found or waiting) or "nothing"
    if found:
        raise ConfigurationError(f"{len(found)} requests wait: name one of {ids}")
    raise ConfigurationError(f"nothing waits for {name!r}; waiting: {ids}" if name else "the run waits for nobody")


def _json_or_text(said: str) -> Any:
    try:
        return json_module.loads(said)
    except ValueError:
        return said


def _show(screen: Screen, waiting: Sequence[Request], *, json: bool) -> int:
    if json:
        screen.json(list(waiting))
    elif not waiting:
        screen.say("the run waits for nobody")
    else:
        rows = [[one.request_id, one.kind, one.task or "", one_line(one.question)] for one in waiting]
        columns(screen, rows, head=["request", "kind", "task", "question"])
    return WAITING if waiting else 0


def _say(screen: Screen, words: str, *, json: bool) -> None:
    if json:
        screen.json({"said": words}, indent=None)
    else:
        screen.say(words, whole=True)


async def _seen(journal: Journal, run_id: str) -> RunState:
    progress = Progress(run_id)
    await _catch_up(journal, progress)
    return progress.state


async def _catch_up(journal: Journal, progress: Progress) -> None:
    while page := await journal.read(progress.state.run_id, after=progress.state.seq):
        for event in page:
            progress.see(event)


async def _until(journal: Journal, run_id: str, done: Callable[[RunState], bool]) -> bool:
    """Wait until the journal says that the owner has obeyed; False when it takes too long."""
    progress = Progress(run_id)
    with anyio.move_on_after(_PATIENCE):
        while True:
            await _catch_up(journal, progress)
            if done(progress.state):
                return True
            await anyio.sleep(_LOOK)
    return False


def _unheard(run_id: str, state: RunState) -> str:
    return f"asked; {state.owner} has not answered yet, and will when it can: agentorch runs show {run_id}"


def _is_alive(journal: Journal, state: RunState) -> bool:
    return isinstance(journal, KnowsOwners) and journal.is_alive(state.owner)


def _inbox(journal: Journal) -> Inbox:
    if not isinstance(journal, Inbox):
        raise ConfigurationError("this journal takes no requests: act in the process that carries the run out")
    return journal


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return "user"


def _now() -> float:
    import time

    return time.time()
