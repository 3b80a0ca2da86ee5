"""What a notebook is given to show.

A picture goes out as Markdown that is one `<img>`, with the SVG in a `data:` address.

1. Readers of a notebook that was not run there, or not trusted, take different things out: JupyterLab shows
   `image/svg+xml` as its words alone, and SVG within HTML as a heap of letters; GitHub takes SVG out of HTML; VS Code
   in a folder that is not trusted shows nothing at all of an output that has `text/html` or `image/svg+xml`, whatever
   else is beside it. Markdown with an image of a `data:` address is shown by all of them.
2. Nothing in an image can run, load anything, or meet the page's styles.
3. Of what is in one output, a notebook shows one. So what is to be seen with a picture, such as an answer, is an output
   of its own.
4. A terminal prints the words, and obeys what is in them: they go out without its control characters.
"""

from base64 import b64encode
from html import escape
from typing import Final

from agentorch.pictures.svg import HIDDEN

_CONTROLS: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    **dict.fromkeys((*range(0x7F, 0xA0), *range(0xD800, 0xE000)), "\ufffd"),
    **dict.fromkeys((0x2028, 0x2029), " "),
    **HIDDEN,
}
_MARKS: Final = {ord(mark): f"&#{ord(mark)};" for mark in "$`\\"}


def bundle(svg: str, words: str) -> dict[str, str]:
    """Return a picture and the words that stand for it, by media type."""
    data = b64encode(svg.encode()).decode("ascii")
    # One line, in which Markdown finds nothing of its own: neither code nor mathematics.
    instead = escape(" ".join(words.split())).translate(_MARKS)
    return prose(f'<img alt="{instead}" src="data:image/svg+xml;base64,{data}">', words)


def prose(markdown: str, words: str) -> dict[str, str]:
    """Return Markdown and the words that stand for it, by media type."""
    return {"text/markdown": markdown, "text/plain": printed(words)}


def printed(words: str) -> str:
    """Return words that a terminal shows and does not obey."""
    return words.replace("\r\n", "\n").translate(_CONTROLS)
