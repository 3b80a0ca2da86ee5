"""Commands of a chat that take, repeat or forget turns: plan, approve, retry, undo, resume, fork, clear, editor."""

import time
from typing import Any

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.looking import shown_plan
from agentorch.cli.chat.record import ChatRecord
from agentorch.cli.chat.typed_message import Message, Unclear, read
from agentorch.cli.typed_answers import Unfit, answer_from, prompt_of
from agentorch.cli.words import counted, one_line
from agentorch.errors import ConfigurationError
from agentorch.files import at_home
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.run import Run
from agentorch.runtime.run_ids import new_run_id

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
        said = read(goal, agents=chat.registry.names, exists=lambda path: at_home(path).exists())
        if isinstance(said, Unclear):
            raise ConfigurationError(said.words)
        await chat.say(said if isinstance(said, Message) else Message(goal), signs=True)


async def approve(chat: Chat, argument: str) -> None:
    """Answer what the last turn waits for, and go on with it; with no answer, ask."""
    if not chat.turns or chat.turns[-1].status not in {"waiting", "stopped"}:
        raise ConfigurationError("nothing waits for you")
    await _taken_up(chat, argument.strip())


async def resume(chat: Chat, argument: str) -> None:
    """Take up the last turn where it was stopped, or waits."""
    del argument
    if not chat.turns:
        raise ConfigurationError("there is no turn to resume: say something first")
    if chat.turns[-1].status not in {"waiting", "stopped"}:
        raise ConfigurationError(f"the last turn has {chat.turns[-1].status}: /retry asks the same again")
    await _taken_up(chat, "")


async def _taken_up(chat: Chat, answer: str) -> None:
    turn = chat.turns[-1]
    if not chat.record.is_kept:
        raise ConfigurationError("this chat's runs are in memory and cannot be taken up: /retry begins the turn anew")

    async def begin(orchestrator: Orchestrator) -> Run:
        run = await orchestrator.take_up(turn.run_id)
        if answer:
            await _answer(run, answer)
        return run

    await chat.take_up(begin)


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
    turn = chat.drop_last()
    chat.front.screen.dim(f"again: {one_line(turn.message)}")
    await chat.say(Message(turn.message, turn.agent))


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
    if argument and not (argument.isdecimal() and 0 < int(argument) <= turns):
        raise ConfigurationError(
            f"/fork {argument}: give the number of a turn, 1 to {turns}" if turns else "no turn yet"
        )
    kept = int(argument) if argument else turns
    record, before = chat.record, chat.record.id
    forked = record.model_copy(update={"id": new_chat_id(), "runs": record.runs[:kept], "title": _forked(record)})
    chat.become(forked, chat.turns[:kept])
    chat.front.screen.say(f"a new chat, {forked.id}, with {counted(kept, 'turn')} of {before}")


async def clear(chat: Chat, argument: str) -> None:
    """Begin a new chat with the same set-up."""
    del argument
    before = chat.record
    fresh = before.model_copy(update={"id": new_chat_id(), "runs": [], "title": ""})
    chat.become(fresh, [])
    back = f"; the last one: agentorch chat --resume {before.id}" if before.runs and before.is_kept else ""
    chat.front.screen.say(f"a new chat{back}", whole=True)


async def editor(chat: Chat, argument: str) -> None:
    """Write in the editor what is said then."""
    text = await chat.front.edit(argument, suffix=".md")
    if text is None:
        raise ConfigurationError("there is no editor here: set EDITOR, at a terminal")
    if text.strip():
        chat.front.screen.quote(text.strip())
        await chat.obey(text.strip())


def new_chat_id() -> str:
    """Return an id for a chat: one like a run's, which begins with its time."""
    return new_run_id(time.time())


def _forked(record: ChatRecord) -> str:
    return record.title if record.title.endswith(" (fork)") else f"{record.title} (fork)".strip()
