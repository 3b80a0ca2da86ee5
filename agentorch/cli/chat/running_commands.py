"""Commands of a chat that take, repeat or forget turns: plan, approve, retry, undo, resume, fork, clear, editor."""

from typing import Any

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.looking import shown_plan
from agentorch.cli.chat.record import ChatRecord, new_chat_id
from agentorch.cli.chat.typed_message import Message, Unclear, is_there, read
from agentorch.cli.typed_answers import Unfit, answer_from, prompt_of
from agentorch.cli.words import counted, one_line, short_id
from agentorch.core.nearest import nearest
from agentorch.errors import ConfigurationError
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.run import Run

_DIGITS = 7
"""Digits that no number of a turn has."""
_MOST = 5
"""Turns that are listed."""
_SWITCH = {"on": True, "off": False}


async def plan(chat: Chat, argument: str) -> None:
    """Show the plan of the last turn; with a goal, make one and have it signed before it is carried out."""
    goal = argument.strip()
    if not goal:
        await shown_plan(chat)
    elif goal.lower() in _SWITCH:
        chat.signs = _SWITCH[goal.lower()]
        say = (
            "each plan is shown, and carried out only when you agree" if chat.signs else "plans are carried out at once"
        )
        chat.front.screen.say(say)
    else:
        said = read(goal, agents=chat.registry.names, exists=is_there)
        if isinstance(said, Unclear):
            raise ConfigurationError(said.words)
        await chat.say(said if isinstance(said, Message) else Message(goal), signs=True)


async def approve(chat: Chat, argument: str) -> None:
    """Answer what the last turn that waits does so for, and go on with it; with no answer, ask."""
    number = _last_open(chat, asks=True) or _last_open(chat)
    if number is None:
        raise ConfigurationError("nothing waits for you")
    await _taken_up(chat, number, argument.strip())


async def resume(chat: Chat, argument: str) -> None:
    """Take up a turn that was stopped, or waits: the last such, or the one of that number or run."""
    if not chat.turns:
        raise ConfigurationError("there is no turn to resume: say something first")
    name = argument.strip()
    number = _named(chat, name) if name else _last_open(chat)
    if number is None:
        last = chat.turns[-1].status
        raise ConfigurationError(f"no turn waits, or was stopped; the last has {last}: /retry asks the same again")
    turn = chat.turns[number - 1]
    if not turn.is_open:
        raise ConfigurationError(f"turn {number} has {turn.status}: {_open_ones(chat)}")
    await _taken_up(chat, number, "")


def _last_open(chat: Chat, *, asks: bool = False) -> int | None:
    """Return the number of the last turn that can be taken up; only of those that ask something, if so wanted."""
    found = (number for number, turn in enumerate(chat.turns, 1) if turn.is_open and (turn.asks or not asks))
    return max(found, default=None)


def _named(chat: Chat, name: str) -> int:
    """Return the number of the turn that is named by it, or by the beginning of its run's id, which begins with 0."""
    if name.isdecimal() and not name.startswith("0") and len(name) < _DIGITS and int(name) <= len(chat.turns):
        return int(name)
    found = [number for number, turn in enumerate(chat.turns, 1) if turn.run_id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(f"/resume {name}: the runs of {len(found)} turns begin so: give more of the id")
    close = nearest(name, [short_id(turn.run_id) for turn in chat.turns])
    meant = f"did you mean {close}?" if close else _open_ones(chat)
    raise ConfigurationError(f"/resume {one_line(name)}: no turn of this chat has this number or run: {meant}")


def _open_ones(chat: Chat) -> str:
    """Say which turns can be taken up."""
    listed = [f"{at} (run {short_id(turn.run_id)})" for at, turn in enumerate(chat.turns, 1) if turn.is_open]
    return f"/resume takes up turn {', '.join(listed[-_MOST:])}" if listed else "no turn waits, or was stopped"


async def _taken_up(chat: Chat, number: int, answer: str) -> None:
    turn = chat.turns[number - 1]
    if not chat.record.is_kept:
        raise ConfigurationError("this chat's runs are in memory and cannot be taken up: /retry begins the turn anew")

    async def begin(orchestrator: Orchestrator) -> Run:
        run = await orchestrator.take_up(turn.run_id)
        if answer:
            await _answer(run, answer)
        return run

    if number < len(chat.turns):
        chat.front.screen.dim(f"turn {number} again: {one_line(turn.message)}")
    await chat.take_up(number, begin)


async def _answer(run: Run, said: str) -> None:
    waiting = run.waiting
    if len(waiting) != 1:
        raise ConfigurationError(f"{counted(len(waiting), 'request')} open: /resume asks one after the other")
    answer: Any = answer_from(waiting[0], said)
    if isinstance(answer, Unfit):
        raise ConfigurationError(f"{answer.words}; answers: {one_line(prompt_of(waiting[0]))}")
    await run.answer(waiting[0].request_id, answer, by="user")


async def retry(chat: Chat, argument: str) -> None:
    """Ask the last thing again, in the place of its turn."""
    del argument
    if not chat.turns:
        raise ConfigurationError("there is nothing to ask again: say something first")
    turn = chat.turns[-1]
    chat.front.screen.dim(f"again: {one_line(turn.message)}")
    await chat.say(Message(turn.message, turn.agent, bare=turn.bare), instead=True)


async def undo(chat: Chat, argument: str) -> None:
    """Forget the last turn."""
    del argument
    if not chat.turns:
        raise ConfigurationError("there is no turn to forget")
    turn = chat.drop_last()
    chat.front.screen.say(f"forgotten: {one_line(turn.message)} ({counted(len(chat.turns), 'turn')} left)")
    chat.front.put_back(turn.message if turn.agent is None else f"@{turn.agent} {turn.message}")


async def fork(chat: Chat, argument: str) -> None:
    """Go on in a new chat that shares the turns up to here, or up to an earlier one."""
    turns = len(chat.turns)
    if argument and not (argument.isdecimal() and len(argument) < _DIGITS and 0 < int(argument) <= turns):
        raise ConfigurationError(
            f"/fork {argument}: give the number of a turn, 1 to {turns}" if turns else "no turn yet"
        )
    kept = int(argument) if argument else turns
    record, before = chat.record, chat.record.id
    changes = {"id": new_chat_id(), "runs": record.runs[:kept], "forgotten": [], "title": _forked(record)}
    forked = record.model_copy(update=changes)
    chat.become(forked, chat.turns[:kept])
    chat.front.screen.say(f"a new chat, {short_id(forked.id)}, with {counted(kept, 'turn')} of {short_id(before)}")


async def clear(chat: Chat, argument: str) -> None:
    """Begin a new chat with the same set-up."""
    del argument
    before = chat.record
    fresh = before.model_copy(update={"id": new_chat_id(), "runs": [], "forgotten": [], "title": ""})
    chat.become(fresh, [])
    back = f"; the last one: agentorch chat --resume {short_id(before.id)}" if before.runs and before.is_kept else ""
    chat.front.screen.say(f"a new chat{back}", whole=True)


async def editor(chat: Chat, argument: str) -> None:
    """Write in the editor what is said then."""
    text = await chat.front.edit(argument, suffix=".md")
    if text is None:
        raise ConfigurationError("there is no editor here: set EDITOR, at a terminal")
    if not text.strip() or text.strip() == argument.strip():
        raise ConfigurationError("nothing was written in the editor: nothing is said")
    chat.front.screen.quote(text.strip())
    await chat.obey(text.strip())


def _forked(record: ChatRecord) -> str:
    return record.title if record.title.endswith(" (fork)") else f"{record.title} (fork)".strip()
