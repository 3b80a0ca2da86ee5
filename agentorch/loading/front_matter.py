"""Front matter: the YAML between two lines of `---` at the top of a Markdown file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from agentorch.documents import DocumentError, clean_text, read_yaml
from agentorch.loading.entries import Entry, entries_of

_LINE: Final = "---"
IsKey = Callable[[str], bool]
MayBeText = Callable[[Entry], bool]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A Markdown file, taken apart."""

    settings: dict[str, Any]
    body: str
    as_text: tuple[str, ...] = ()
    """Keys whose values are no YAML and were read as plain text."""


def has_front_matter(data: bytes) -> bool:
    """Whether a file begins like one with front matter."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:4].rstrip() == _LINE.encode()


def read_front_matter(data: bytes | str, *, is_key: IsKey, may_be_text: MayBeText) -> FrontMatter:
    """Take a file apart; DocumentError says line and column of what is wrong.

    An entry that is no YAML is read as plain text, up to the next line with a known key, where `may_be_text` holds.
    """
    lines, start, end = _place(clean_text(data))
    settings, as_text = _read(lines[start:end], start + 1, is_key, may_be_text)
    if settings is not None and not isinstance(settings, dict):
        raise DocumentError("the front matter is not a list of 'key: value'", line=start + 1, column=1)
    body = "\n".join(lines[end + 1 :]).strip()
    return FrontMatter(cast("dict[str, Any]", settings or {}), body, as_text)


def raw_settings(data: bytes, is_key: IsKey) -> dict[str, str]:
    """Return the known keys of front matter that cannot be read otherwise, with their values as text."""
    try:
        lines, start, end = _place(data.decode("utf-8", "replace").replace("\r\n", "\n"))
    except DocumentError:
        return {}
    return {entry.key: entry.value for entry in entries_of(lines[start:end], is_key)}


def _place(text: str) -> tuple[list[str], int, int]:
    """Return the lines of a file, and where between them the YAML begins and ends."""
    lines = text.removeprefix("\ufeff").split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != _LINE:
        raise DocumentError("it has no front matter; begin it with '---', 'description: ...', '---'", line=1, column=1)
    for index in range(start + 1, len(lines)):
        if lines[index].rstrip() == _LINE:
            return lines, start + 1, index
    raise DocumentError(
        "the front matter has no end; put '---' on a line of its own below it", line=start + 1, column=1
    )


def _read(lines: Sequence[str], first_line: int, is_key: IsKey, may_be_text: MayBeText) -> tuple[Any, tuple[str, ...]]:
    text = list(lines)
    as_text: list[str] = []
    while True:
        try:
            return read_yaml("\n".join(text), first_line=first_line), tuple(as_text)
        except DocumentError as error:
            broken = _entry_at(text, error, first_line, is_key)
            if broken is None or broken.key in as_text or not may_be_text(broken):
                raise
            as_text.append(broken.key)
            text[broken.start : broken.end] = broken.quoted()


def _entry_at(lines: Sequence[str], error: DocumentError, first_line: int, is_key: IsKey) -> Entry | None:
    if error.line is None:
        return None
    index = error.line - first_line
    return next((entry for entry in entries_of(lines, is_key) if entry.start <= index < entry.end), None)
