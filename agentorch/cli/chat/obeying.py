"""What each command of a chat does."""

from textwrap import wrap
from typing import Final

from agentorch.cli.chat import looking, running_commands, setting, writing
from agentorch.cli.chat.chat import Actions, Chat
from agentorch.cli.chat.command_table import COMMANDS
from agentorch.cli.tables import spoken

_NARROW: Final = 60
"""Columns below which what a command does stands below it."""


async def show_help(chat: Chat, argument: str) -> None:
    """List the commands."""
    del argument
    screen = chat.front.screen
    rows = [[f"/{command.name} {command.usage}".rstrip(), command.help] for command in COMMANDS.values()]
    if not screen.draws:
        spoken(screen, rows)
    elif screen.words.width < _NARROW:
        for typed, does in rows:
            screen.say(typed)
            screen.quote(does)
    else:
        wide = max(len(typed) for typed, _ in rows) + 2
        for typed, does in rows:
            first, *more = wrap(does, screen.words.width - wide)
            screen.lines("\n".join([typed.ljust(wide) + first, *(" " * wide + line for line in more)]))
    screen.dim("@agent speaks to one agent, @path attaches a file; Alt-Enter or \\ begins a new line, Ctrl-R searches")


async def leave(chat: Chat, argument: str) -> None:
    """End the chat."""
    del argument
    chat.is_over = True


async def tell_all(chat: Chat, argument: str) -> None:
    """Tell everything that happens from now on, or not."""
    del argument
    chat.verbose = not chat.verbose
    chat.front.screen.say(f"verbose is {'on: all that happens is told' if chat.verbose else 'off'}")


ACTIONS: Final[Actions] = {
    "help": show_help,
    "plan": running_commands.plan,
    "tasks": looking.tasks,
    "why": looking.why,
    "agents": looking.agents,
    "model": setting.model,
    "files": setting.files,
    "context": setting.context,
    "cost": looking.cost,
    "budget": setting.budget,
    "approve": running_commands.approve,
    "retry": running_commands.retry,
    "undo": running_commands.undo,
    "resume": running_commands.resume,
    "fork": running_commands.fork,
    "export": writing.export,
    "save": writing.save,
    "clear": running_commands.clear,
    "verbose": tell_all,
    "editor": running_commands.editor,
    "exit": leave,
}
