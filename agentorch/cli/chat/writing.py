"""Commands of a chat that write a file: export, save. No file that is there is written over."""

from collections.abc import Iterator
from typing import Any

from agentorch.cli.chat.chat import Chat
from agentorch.cli.chat.turn import Turn
from agentorch.cli.words import json_text, money, tokens
from agentorch.errors import ConfigurationError
from agentorch.files import at_home


async def export(chat: Chat, argument: str) -> None:
    """Write the chat as Markdown, or as JSON into a file that is called so."""
    if not chat.turns:
        raise ConfigurationError("there is nothing to export yet")
    name = argument.strip() or f"chat-{chat.record.id[:13]}.md"
    text = _as_json(chat) if name.endswith(".json") else "\n".join(_as_markdown(chat))
    _write(chat, name, text)


async def save(chat: Chat, argument: str) -> None:
    """Write the last answer."""
    answer = next((turn.answer for turn in reversed(chat.turns) if turn.answer), None)
    if answer is None:
        raise ConfigurationError("there is no answer yet")
    if not argument.strip():
        raise ConfigurationError("/save FILE: name a file")
    _write(chat, argument.strip(), answer + "\n")


def _write(chat: Chat, name: str, text: str) -> None:
    path = at_home(name)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already: give another name") from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None
    chat.front.screen.say(f"written: {path} ({len(text.encode()):,} bytes)", whole=True)


def _as_markdown(chat: Chat) -> Iterator[str]:
    yield f"# {chat.record.title or 'Chat'}\n"
    for turn in chat.turns:
        said = f"@{turn.agent} {turn.message}" if turn.agent else turn.message
        yield "\n".join(f"> {line}".rstrip() for line in said.splitlines()) + "\n"
        if turn.mark:
            yield f"*({turn.mark})*\n"
        yield f"{turn.answer or '*no answer*'}\n"
        unsaid = [source for source in turn.sources if source not in turn.answer]
        if unsaid:
            yield "Sources: " + ", ".join(f"`{source}`" for source in unsaid) + "\n"
        parts = [tokens(turn.usage), money(turn.usage), f"run {turn.run_id}"]
        yield f"<sub>{' · '.join(part for part in parts if part)}</sub>\n"


def _as_json(chat: Chat) -> str:
    turns = [_plain(turn) for turn in chat.turns]
    return json_text({"chat": chat.record.id, "title": chat.record.title, "turns": turns}, indent=2) + "\n"


def _plain(turn: Turn) -> dict[str, Any]:
    return {
        "message": turn.message,
        "agent": turn.agent,
        "answer": turn.answer,
        "status": turn.status,
        "sources": turn.sources,
        "usage": turn.usage,
        "seconds": round(turn.seconds, 3),
        "run_id": turn.run_id,
    }
