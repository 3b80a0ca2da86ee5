"""Front matter: the YAML between two lines of `---` at the top of a Markdown file."""

from dataclasses import dataclass
from typing import Any, Final, cast

from agentorch.documents import DocumentError, clean_text, read_yaml

_LINE: Final = "---"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A Markdown file, taken apart."""

    settings: dict[str, Any]
    body: str


def has_front_matter(data: bytes) -> bool:
    """Whether a file begins like one with front matter."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:4].rstrip() == _LINE.encode()


def read_front_matter(data: bytes | str) -> FrontMatter:
    """Take a file apart; DocumentError says line and column of what is wrong."""
    text = clean_text(data)
    lines = text.split("\n")
    start = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != _LINE:
        raise DocumentError("it has no front matter; begin it with '---', 'description: ...', '---'", line=1, column=1)
    for index in range(start + 1, len(lines)):
        if lines[index].rstrip() == _LINE:
            settings = read_yaml("\n".join(lines[start + 1 : index]), first_line=start + 2)
            if settings is not None and not isinstance(settings, dict):
                raise DocumentError("the front matter is not a list of 'key: value'", line=start + 2, column=1)
            return FrontMatter(cast("dict[str, Any]", settings or {}), "\n".join(lines[index + 1 :]).strip())
    raise DocumentError(
        "the front matter has no end; put '---' on a line of its own below it", line=start + 1, column=1
    )
