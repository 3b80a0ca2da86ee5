"""`agentorch chat`: a chat begun, or taken up again, and held at the terminal, in a pipe, or for one question."""

import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.front import Front
from agentorch.cli.chat.obeying import ACTIONS
from agentorch.cli.chat.plain_front import PlainFront, is_lively
from agentorch.cli.chat.record import ChatRecord, new_chat_id
from agentorch.cli.chat.restoring import Restored, journal_path, restored
from agentorch.cli.chat.setting import offer, reached
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
from agentorch.files import at_home
from agentorch.loading import BUILTIN


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
    if once is not None and message not in {None, "-"}:
        raise ConfigurationError("give a first message, or -p MESSAGE for one question, not both")
    is_raw = "-" in {once, message}  # what comes from a pipe is no command, and mentions nobody
    piped = _from_stdin() if is_raw else None
    typed = next((words for words in (once, message) if words not in {None, "-"}), None)
    question = "\n\n".join(words for words in (typed, piped) if words) or None
    if once is not None and not (question or "").strip():
        raise ConfigurationError("-p says nothing: give it a message")
    check_team(setup, plans=not setup.model)
    how = _How(resume, is_taken_up=go_on or resume is not None, is_once=once is not None or is_raw, is_raw=is_raw)
    return in_loop(_held, setup, question, how, limits, json, quiet)


@dataclass(frozen=True, slots=True)
class _How:
    """How a chat is begun."""

    name: str | None
    """The chat that is taken up."""
    is_taken_up: bool
    is_once: bool
    """Whether one thing is said, and no more."""
    is_raw: bool
    """Whether what is said is taken as it is."""


def _from_stdin() -> str:
    said = named_goal("-")
    if not said.strip():
        raise ConfigurationError("stdin holds no message: say something, or leave - out")
    return said


async def _held(
    setup: Setup,
    question: str | None,
    how: _How,
    limits: dict[str, Any],
    json: bool,
    quiet: bool,
) -> int:
    setup = await reached(setup)
    found = await restored(setup, name=how.name) if how.is_taken_up else Restored(_begun(setup))
    record = found.record
    chat = Chat(found, _as_kept(setup, record) if how.is_taken_up else setup, actions=ACTIONS, json=json)
    record.limits |= {limit: value for limit, value in limits.items() if value is not None}
    lively = is_lively() and not how.is_once and not json
    chat.front = front = _terminal(chat) if lively else PlainFront(chat.setup, json=json, quiet=quiet)
    with closing(chat):
        async with front:
            if lively:
                await _greet(chat, front)
            if how.is_raw:
                await chat.say(Message(question or ""))
            else:
                await _held_on(chat, question, is_once=how.is_once)
            if lively:
                _part(chat, front)
    return _code(chat, lively=lively)


async def _held_on(chat: Chat, question: str | None, *, is_once: bool) -> None:
    if question is not None:
        await chat.obey(question)
    if not is_once:
        await chat.hold()


def _begun(setup: Setup) -> ChatRecord:
    return ChatRecord(
        id=new_chat_id(),
        folder=str(Path.cwd()),
        journal=journal_path(setup.journal),
        model=[*setup.model],
        server=setup.server,
        agents=[one if one.startswith(BUILTIN) else str(at_home(one).absolute()) for one in setup.agents],
        files=[str(at_home(one).absolute()) for one in setup.files],
    )


def _as_kept(setup: Setup, record: ChatRecord) -> Setup:
    """Return the set-up, completed by what held when the chat was left."""
    given = {option for option, _ in setup.options}
    if "-m" not in given and record.model:
        setup = replace(setup, model=tuple(record.model), server=record.server, key_unused=False)
    if "-a" not in given and record.agents:
        setup = replace(setup, agents=tuple(record.agents))
    if "-f" not in given:
        setup = replace(setup, files=tuple(_from_here(one) for one in record.files))
    return replace(setup, journal=record.journal)


def _from_here(path: str) -> str:
    """Return a path as it is called from this folder, where it lies below it."""
    whole = Path(path)
    return str(whole.relative_to(Path.cwd())) if whole.is_relative_to(Path.cwd()) else path


def _terminal(chat: Chat) -> Front:
    from prompt_toolkit.history import InMemoryHistory

    from agentorch.cli.chat.terminal_front import KeptLines, TerminalFront

    redact = chat.setup.redactor().text
    history = KeptLines(data_folder() / "chat_history", redact) if chat.record.is_kept else InMemoryHistory()
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
        screen.say(f"{offer(server)[:1].upper()}{offer(server)[1:]}")
    screen.dim("/model NAME, --model or AGENTORCH_MODEL sets one, with OPENAI_API_KEY or OPENAI_BASE_URL")


def _part(chat: Chat, front: Front) -> None:
    if chat.turns and chat.record.is_kept:
        front.screen.dim(f"kept: agentorch chat --continue, or --resume {short_id(chat.record.id)}")


def _code(chat: Chat, *, lively: bool) -> int:
    if lively:
        return 0
    if chat.refused:
        return ENVIRONMENT
    if not chat.has_carried:
        return 0 if chat.has_obeyed or sys.stdin.isatty() else ENVIRONMENT
    return INTERRUPTED if chat.outcome is None else exit_code(chat.outcome)
