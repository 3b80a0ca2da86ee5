"""The commands of a chat: how each is typed, and what it does, in a line."""

from dataclasses import dataclass
from typing import Final

from agentorch.core.nearest import nearest


@dataclass(frozen=True, slots=True)
class ChatCommand:
    """One command."""

    name: str
    usage: str
    help: str
    beside: bool = False
    """Whether it may be given while a run goes on: it only looks."""


_LISTED: Final = (
    ChatCommand("help", "", "this list", beside=True),
    ChatCommand("plan", "[GOAL|on|off]", "the plan; with GOAL, made to be edited, approved or refused", beside=True),
    ChatCommand("tasks", "", "the tasks of this turn, or of the last", beside=True),
    ChatCommand("why", "[TASK]", "why a task stands as it does", beside=True),
    ChatCommand("agents", "", "the team", beside=True),
    ChatCommand("model", "[NAME ...|none]", "the models that are tried in order"),
    ChatCommand("files", "[PATH ...|-PATH]", "what agents may read; -PATH takes it away"),
    ChatCommand("context", "[TOKENS]", "what the next turn sees of the chat, and its budget"),
    ChatCommand("cost", "", "tokens and money of each turn and of the chat", beside=True),
    ChatCommand("budget", "[LIMIT=N ...|off]", "the limits of each turn: money, tokens, calls, seconds"),
    ChatCommand("approve", "[yes|no|ANSWER]", "answer what the turn waits for", beside=True),
    ChatCommand("retry", "", "ask the last thing again, in the place of its turn"),
    ChatCommand("undo", "", "forget the last turn; what was said comes back into the line"),
    ChatCommand("resume", "[TURN|RUN]", "take up a turn that was stopped, or waits; the last such"),
    ChatCommand("fork", "[TURN]", "go on in a new chat from here, or from an earlier turn"),
    ChatCommand("export", "[FILE]", "write the chat, as Markdown or .json"),
    ChatCommand("save", "FILE", "write the last answer"),
    ChatCommand("clear", "", "begin a new chat; this one is kept"),
    ChatCommand("verbose", "", "tell everything that happens, or not", beside=True),
    ChatCommand("editor", "", "write what you say in your editor"),
    ChatCommand("exit", "", "leave; `agentorch chat --continue` comes back"),
)
COMMANDS: Final = {command.name: command for command in _LISTED}


def unknown(name: str) -> str:
    """Say that there is no such command, and what was probably meant."""
    close = nearest(name, COMMANDS)
    meant = f"did you mean /{close}?" if close else "/help lists them"
    return f"no command /{name}: {meant} (a blank before the / makes it something to say)"
