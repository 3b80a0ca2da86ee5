"""The page of every command and its options, out of what the command line itself says.

    python -m tests.docs.commands

writes docs/reference/commands.md anew, after a change of a command or an option.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer.main

from agentorch.cli.app import app

PAGE: Final = Path(__file__).parent.parent.parent / "docs" / "reference" / "commands.md"
HEAD: Final = """# Every command

Each command with its arguments and options, written out of the program by `python -m tests.docs.commands`: what
`agentorch COMMAND --help` says. The guide: [command line](../cli.md).
"""


def told(text: str | None) -> str:
    """Return help as the cell of a table: in one line, and nothing in it is markup."""
    words = " ".join((text or "").split())
    for character in "\\|<*_[":
        words = words.replace(character, f"\\{character}")
    return words


def commands(group: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Go through the commands below a group, in its order, each with what one types."""
    for name, command in group.commands.items():
        if not command.hidden:
            yield (*names, name), command
            yield from commands(command, (*names, name)) if hasattr(command, "commands") else ()


def spelled(parameter: Any) -> str:
    """Return how one writes an argument or an option."""
    placeholder = parameter.metavar or parameter.name.upper()
    if parameter.param_type_name == "argument":
        return placeholder if parameter.nargs == 1 or "..." in placeholder else f"{placeholder}..."
    names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} {placeholder}"


def section(names: tuple[str, ...], command: Any) -> Iterator[str]:
    """Write one command as Markdown."""
    yield from (f"## {' '.join(names)}", "", told(command.help), "")
    given = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    if given:
        yield from ("| argument or option | |", "|---|---|")
        yield from (f"| `{spelled(parameter)}` | {told(parameter.help)} |" for parameter in given)
        yield ""


def page() -> str:
    """Return the page as the program is now."""
    root = typer.main.get_command(app)
    lines = [line for names, command in commands(root, ("agentorch",)) for line in section(names, command)]
    return HEAD + "\n" + "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
