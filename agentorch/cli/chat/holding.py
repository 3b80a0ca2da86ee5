"""`agentorch chat`: a chat begun, or taken up again, and held at the terminal, in a pipe, or for one question."""

import sys
from contextlib import closing
from dataclasses import replace
from typing import Any

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.front import Front
from agentorch.cli.chat.plain_front import PlainFront, is_lively
from agentorch.cli.chat.record import ChatRecord
from agentorch.cli.chat.restoring import restored
from agentorch.cli.chat.running_commands import new_chat_id
from agentorch.cli.chat.typed_message import Message
from agentorch.cli.leaving import INTERRUPTED
from agentorch.cli.local_servers import look
from agentorch.cli.looping import in_loop
from agentorch.cli.result import ENVIRONMENT, exit_code
from agentorch.cli.running import named_goal
from agentorch.cli.settings import Setup, data_folder
from agentorch.cli.teams import check_team
from agentorch.cli.words import counted, short_id
from agentorch.errors import ConfigurationError


def hold_chat(
    setup: Setup,
    *,
    message: str | None,
    once: str | None,
    go_on: bool,
    resume: str | None,
    limits: dict[str, Any],
    json: bool,
    quiet: bool,
) -> int:
    """Hold a chat; return the exit code: that of the last turn, where it was for one question or in a pipe."""
    if once is not None and message is not None:
        raise ConfigurationError("give a first message, or -p MESSAGE for one question, not both")
    question = _from_stdin(once if once is not None else message)
    check_team(setup, plans=not setup.model)
    is_once = once is not None or message == "-"
    return in_loop(_held, setup, question, is_once, go_on or resume is not None, resume, limits, json, quiet)


def _from_stdin(words: str | None) -> str | None:
    if words != "-":
        return words
    said = named_goal("-")
    if not said.strip():
        raise ConfigurationError("stdin holds no message: say something, or leave - out")
    return said


async def _held(
    setup: Setup,
    question: str | None,
    is_once: bool,
    is_taken_up: bool,
    name: str | None,
    limits: dict[str, Any],
    json: bool,
    quiet: bool,
) -> int:
    record, turns = await restored(setup, name=name) if is_taken_up else (_begun(setup), [])
    chat = Chat(record, turns, _as_kept(setup, record) if is_taken_up else setup, json=json)
    record.limits |= {limit: value for limit, value in limits.items() if value is not None}
    lively = is_lively() and not is_once and not json
    chat.front = front = _terminal(chat) if lively else PlainFront(chat.setup, json=json, quiet=quiet)
    with closing(chat):
        async with front:
            if lively:
                await _greet(chat, front)
            if is_once:
                await chat.say(Message(question or ""))
            else:
                await _held_on(chat, question)
            if lively:
                _part(chat, front)
    return _code(chat, lively=lively)


async def _held_on(chat: Chat, question: str | None) -> None:
    if question is not None:
        await chat.obey(question)
    await chat.hold()


def _begun(setup: Setup) -> ChatRecord:
    return ChatRecord(
        id=new_chat_id(),
        journal=setup.journal,
        model=[*setup.model],
        agents=[*setup.agents],
        files=[*setup.files],
    )


def _as_kept(setup: Setup, record: ChatRecord) -> Setup:
    """Return the set-up, completed by what held when the chat was left."""
    given = {option for option, _ in setup.options}
    if "-m" not in given and record.model:
        setup = replace(setup, model=tuple(record.model), server=record.server, key_unused=False)
    if "-a" not in given and record.agents:
        setup = replace(setup, agents=tuple(record.agents))
    if "-f" not in given:
        setup = replace(setup, files=tuple(record.files))
    return replace(setup, journal=record.journal)


def _terminal(chat: Chat) -> Front:
    from agentorch.cli.chat.terminal_front import TerminalFront

    folder = data_folder()
    history = None
    if chat.record.is_kept:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        history = folder / "chat_history"
    return TerminalFront(history=history, registry=lambda: chat.registry, toolbar=lambda: _toolbar(chat))


def _toolbar(chat: Chat) -> str:
    model = ", ".join(chat.setup.model) or "no model"
    parts = [model, counted(len(chat.setup.files), "attached path"), counted(len(chat.turns), "turn"), "/help"]
    return " · ".join(parts)


async def _greet(chat: Chat, front: Front) -> None:
    """Say where we are, and how to set a model when there is none."""
    screen = front.screen
    if chat.turns:
        screen.say(f"{chat.record.title or 'chat'}: {counted(len(chat.turns), 'turn')} so far", "bold")
        screen.dim(f"last: {chat.turns[-1].message}")
        return
    screen.say("agentorch chat: say what you want; /help lists the commands", "bold")
    if chat.setup.model:
        return
    screen.say("No model is set: answers are extracted from your files, with their places.")
    if not chat.setup.files:
        screen.say("No files are attached: @PATH in what you say, or /files PATH, attaches some.")
    for server in await look(chat.setup.local_ports):
        models = ", ".join(server.models[:3]) or "no model"
        screen.say(f"A model server is at {server.url} ({models}): /model NAME uses it.")
    screen.dim("/model NAME, --model or AGENTORCH_MODEL sets one, with OPENAI_API_KEY or OPENAI_BASE_URL")


def _part(chat: Chat, front: Front) -> None:
    if chat.turns and chat.record.is_kept:
        front.screen.dim(f"kept: agentorch chat --continue, or --resume {short_id(chat.record.id)}")


def _code(chat: Chat, *, lively: bool) -> int:
    if lively:
        return 0
    if chat.last is None:
        return 0 if chat.is_over or sys.stdin.isatty() or chat.turns else ENVIRONMENT
    return INTERRUPTED if chat.outcome is None else exit_code(chat.outcome)
