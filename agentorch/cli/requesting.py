"""`agentorch approve`: what a run waits for, shown and answered from any terminal.

1. An answer goes through the journal's inbox; whoever carries the run out turns it into events.
2. An answer for a run that nobody carries out stays there until `agentorch resume`; the first one counts.
3. What is written holds no secret that this process can tell: the forms, its environment's key, AGENTORCH_SECRETS.
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import anyio
from pydantic_core import to_jsonable_python

from agentorch.cli.choices import NOTHING, Given, answer_of, options_of
from agentorch.cli.edited_plan import problems_of_edit
from agentorch.cli.journals import named_run, reading
from agentorch.cli.obeying import Heard, Reading, inbox_of, me, waiting_answers
from agentorch.cli.plan_checks import say_problems
from agentorch.cli.result import ENVIRONMENT, WAITING, command
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.tables import columns
from agentorch.cli.words import json_text, one_line
from agentorch.core.events import RequestAnswered
from agentorch.core.failures import Problem
from agentorch.core.inbox import Answer
from agentorch.core.state import Request
from agentorch.errors import ConfigurationError
from agentorch.ports.journal import Request as Left
from agentorch.ports.journal import RunRecord
from agentorch.runtime.leaving_requests import leave_request


class _Shown(NamedTuple):
    """What a run waits for, and what of it is answered and lies in the inbox."""

    waiting: tuple[Request, ...]
    answered: Mapping[str, Left]
    run_id: str


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
    given = Given(tuple(name for name, chosen in choices.items() if chosen), value, plan)

    async def done() -> str | _Shown | Sequence[Problem]:
        async with reading(setup.journal) as journal:
            record = await named_run(journal, run)
            seen = Reading(journal, record.run_id)
            await seen.catch_up()
            left = await waiting_answers(journal, record.run_id)
            if given == NOTHING:
                waiting = seen.state.requests.values() if task is None else [_named(seen, task)]
                return _Shown(tuple(waiting), left, record.run_id)
            return await _answered(seen, record, task, setup, given, left)

    said = anyio.run(done)
    if isinstance(said, _Shown):
        return _show(screen, said, setup, json=json)
    if not isinstance(said, str):
        say_problems(screen, plan, setup, said)
        return ENVIRONMENT
    if json:
        screen.json({"said": said}, indent=None)
    else:
        screen.say(said, whole=True)
    return 0


async def _answered(  # what was found out, in the order in which it was
    seen: Reading, record: RunRecord, task: str | None, setup: Setup, given: Given, left: Mapping[str, Left]
) -> str | Sequence[Problem]:
    """Leave the answer; return in words what became of it, or what is wrong with an edited plan."""
    request = _named(seen, task)
    resume = command("resume", record.run_id, setup.flags("--journal"))
    _check_first(request.request_id, left, None, resume)
    redactor = setup.redactor()
    answer = redactor.value(answer_of(request, given))
    if given.plan is not None and (problems := problems_of_edit(seen.state, record, answer["plan"], setup)):
        return problems
    said = Answer(time.time(), request.request_id, answer, me())
    asked = await leave_request(inbox_of(seen.journal), record.run_id, said, redact=redactor.message)
    if not seen.owner_lives:
        _check_first(request.request_id, await waiting_answers(seen.journal, record.run_id), asked, resume)
        return f"answered; go on with: {resume}"
    heard = await seen.heard(asked, lambda now: request.request_id not in now.requests or now.finished)
    return _outcome(heard, seen, said, resume)


def _check_first(name: str, left: Mapping[str, Left], mine: int | None, resume: str) -> None:
    """Raise ConfigurationError when another answer than `mine` lies first in the inbox."""
    first = left.get(name)
    if first is not None and first.id != mine:
        raise ConfigurationError(f"{name} is answered already, by {_who(first)}; that waits for: {resume}")


def _outcome(heard: Heard, seen: Reading, mine: Answer, resume: str) -> str:
    """Return what became of an answer; ConfigurationError when another one counts, or none."""
    owner = seen.state.owner
    match heard:
        case Heard.OBEYED:
            first = seen.answered.get(mine.request_id)
            if first is None:
                raise ConfigurationError(f"{mine.request_id} is not asked any more: the answer came too late")
            if not _is_mine(first, mine):
                raise ConfigurationError(
                    f"{mine.request_id} was answered by {first.by} before: {_short(first.value)}; yours does not count"
                )
            return "answered"
        case Heard.REFUSED:
            raise ConfigurationError(
                f"{mine.request_id}: {owner} did not take the answer; what it says there tells why"
            )
        case Heard.BUSY:
            return f"the answer is left; {owner} is alive and has not taken it yet: it will when it can"
        case Heard.STILL:
            return f"the answer is left; {owner} stands still: it counts when that wakes up, or with: {resume}"
        case Heard.GONE:
            return f"answered; go on with: {resume}"


def _is_mine(first: RequestAnswered, mine: Answer) -> bool:
    """Whether an event holds this answer; its owner may know secrets that had to be taken out of it."""
    return first.by == mine.by and (first.value == mine.value or "[redacted:" in json_text(first.value))


def _named(seen: Reading, name: str | None) -> Request:
    """Return the request that is meant: by its id, by its task, or the only one."""
    waiting = list(seen.state.requests.values())
    found = [request for request in waiting if name in {None, request.request_id, request.task}]
    if len(found) == 1:
        return found[0]
    ids = ", ".join(request.request_id for request in found or waiting) or "nothing"
    if found:
        raise ConfigurationError(f"{len(found)} requests wait: name one of {ids}")
    if name is None:
        raise ConfigurationError("the run waits for nobody")
    before = [one for id, one in seen.answered.items() if name == id or [name] == id.split(":")[1:2]]
    was = f"; {before[-1].request_id} was answered by {before[-1].by}: {_short(before[-1].value)}" if before else ""
    raise ConfigurationError(f"nothing waits for {name!r}{was}; waiting: {ids}")


def _show(screen: Screen, shown: _Shown, setup: Setup, *, json: bool) -> int:
    """Say what the run waits for; 4 while a person is needed."""
    open_ones = [one for one in shown.waiting if one.request_id not in shown.answered]
    if json:
        screen.json([_as_json(one, shown.answered.get(one.request_id)) for one in shown.waiting])
    elif not shown.waiting:
        screen.say("the run waits for nobody")
    else:
        rows = [[one.request_id, one.kind, one.task or "", one_line(one.question)] for one in shown.waiting]
        columns(screen, rows, head=["request", "kind", "task", "question"])
        for one in shown.waiting:
            answer = shown.answered.get(one.request_id)
            words = options_of(one) if answer is None else f"answered by {_who(answer)} (waits for resume)"
            screen.say(f"{one.request_id}: {words}", whole=True)
    if shown.waiting and not open_ones and not json:
        screen.say(f"go on with: {command('resume', shown.run_id, setup.flags('--journal'))}", whole=True)
    return WAITING if open_ones else 0


def _as_json(request: Request, answer: Left | None) -> dict[str, Any]:
    plain: dict[str, Any] = to_jsonable_python(request)
    said = None if answer is None else {"by": answer.by, "value": answer.payload.get("value"), "at": answer.at}
    return plain | {"answered": said}


def _who(answer: Left) -> str:
    return f"{answer.by}: {_short(answer.payload.get('value'))}"


def _short(value: Any) -> str:
    text = one_line(json_text(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


_LONGEST = 200
