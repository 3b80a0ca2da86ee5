r"""A line that was typed in a chat: a command, or something to say.

1. `/word` at the beginning is a command, known or not; a blank before it makes it something to say.
2. `@name` speaks to an agent, `@path` attaches a file or a folder; a blank in a path is written as `\ `. An address
   inside a word, as in a mail address, is text, and so is `\@`.
3. What names neither is refused: it was meant to name something.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from agentorch.core.nearest import did_you_mean

_MENTION: Final = re.compile(r"(?<!\S)@((?:\\.|[^\s\\])+)")
_COMMAND: Final = re.compile(r"/(\S*)\s*(.*)", re.DOTALL)
_TAIL: Final = ".,;:!?)"
"""What may stand behind a mention without being part of it."""


@dataclass(frozen=True, slots=True)
class Command:
    """`/name rest`."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say."""

    text: str
    agent: str | None = None
    """Who it is said to; None is the whole team."""
    files: tuple[str, ...] = ()
    """What is attached to the chat by it, as it was typed."""
    bare: str = ""
    """The same without the names of what is attached: what a search looks for; empty when nothing else is said."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """What cannot be meant; `words` say why."""

    words: str


def read(line: str, *, agents: Collection[str], exists: Callable[[str], bool]) -> Command | Message | Unclear | None:
    """Return what a line is; None for one that says nothing. `exists` says whether a path is there."""
    if line.startswith("/") and (command := _COMMAND.fullmatch(line.rstrip())) is not None:
        return Command(command[1].lower(), command[2])
    if not line.strip():
        return None
    agent: str | None = None
    files: list[str] = []
    for name, whole in _mentioned(line):
        if name in agents or whole in agents:
            if agent not in {None, name}:
                return Unclear(f"@{agent} and @{name}: a message is for one agent; leave one out")
            agent = name if name in agents else whole
        elif exists(whole) or exists(name):
            files.append(whole if exists(whole) else name)
        else:
            return Unclear(f"@{name}: no agent and no file has this name: {_nearest(name, agents)}; \\@ is just an @")
    return Message(_plain(line, agent), agent, tuple(files), _plain(_MENTION.sub("", line), None) if files else "")


def _mentioned(line: str) -> list[tuple[str, str]]:
    """Return what is mentioned: without the punctuation behind it, and whole."""
    found = [re.sub(r"\\(.)", r"\1", mention) for mention in _MENTION.findall(line)]
    return [(name.rstrip(_TAIL), name) for name in found if name.rstrip(_TAIL)]


def _plain(line: str, agent: str | None) -> str:
    """Return what is said: files by their names, without who is spoken to at its beginning."""
    text = line.strip()
    if agent is not None and text.startswith(f"@{agent}"):
        text = text[len(agent) + 1 :].lstrip(" ,:\t\n")
    text = _MENTION.sub(lambda mention: re.sub(r"\\(.)", r"\1", mention[1]), text)
    return text.replace("\\@", "@") or line.strip()


def _nearest(name: str, agents: Collection[str]) -> str:
    return did_you_mean(name, agents) or "agents are listed by /agents"
