"""What is offered while a line of a chat is typed: commands behind `/`, agents and files behind `@`."""

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from agentorch.cli.chat.command_table import COMMANDS
from agentorch.cli.words import one_line
from agentorch.files import at_home
from agentorch.registry import Registry

_MOST_FILES = 50
_WORDS: Final = re.compile(r"(?:\\.|\\$|[^\s\\])+|\s+", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.|$)", re.DOTALL)
_TO_ESCAPE: Final = re.compile(r"[\s\\]")


class ChatCompleter(Completer):
    """Completes the word before the cursor."""

    def __init__(self, registry: Callable[[], Registry]) -> None:
        self._registry = registry

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Go through what the word may become; nothing for plain text."""
        del complete_event
        before = document.text_before_cursor
        word = word_before(before)
        if before.startswith("/") and word == before:
            yield from self._commands(word)
        elif word.startswith("@"):
            yield from self._agents(word)
            yield from _paths(word[1:])
        elif before.startswith("/files "):
            yield from _paths(word.removeprefix("-"))

    def _commands(self, word: str) -> Iterator[Completion]:
        for command in COMMANDS.values():
            typed = f"/{command.name}"
            if typed.startswith(word.lower()):
                yield Completion(
                    typed, -len(word), display=f"{typed} {command.usage}".strip(), display_meta=command.help
                )

    def _agents(self, word: str) -> Iterator[Completion]:
        for card in self._registry().cards.values():
            if card.name.startswith(word[1:]):
                yield Completion(f"@{card.name}", -len(word), display_meta=one_line(card.description))


def word_before(text: str) -> str:
    r"""Return the word at the end of what was typed; a blank behind a `\` is part of it."""
    *_, last = _WORDS.findall(text) or [""]
    return last.strip() if last.isspace() else last


def _paths(begun: str) -> Iterator[Completion]:
    _, _, typed = begun.rpartition("/")
    plain = _ESCAPED.sub(r"\1", begun)
    folder, _, start = plain.rpartition("/")
    try:
        found = sorted(at_home(folder).iterdir() if folder else Path("/" if plain.startswith("/") else ".").iterdir())
    except OSError:
        return
    fitting = [path for path in found if path.name.startswith(start) and (start or path.name[:1] != ".")]
    for path in [path for path in fitting if "\n" not in path.name][:_MOST_FILES]:
        end = "/" if path.is_dir() else ""
        name = _TO_ESCAPE.sub(r"\\\g<0>", path.name)
        yield Completion(f"{name}{end}", -len(typed), display=one_line(path.name) + end)
