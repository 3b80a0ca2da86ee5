"""What a notebook is given to show.

A picture goes out as SVG twice: as itself, and as HTML with the same in an `<img>` as a `data:` address.

1. In a notebook that was not run there yet, JupyterLab shows `image/svg+xml` as its words alone, and SVG within HTML as
   a heap of letters; GitHub takes SVG out of HTML. An image of a `data:` address is shown by both: it is what GitHub
   itself makes of SVG. VS Code, nbconvert and nbviewer draw any of it.
2. Nothing in an image can run, load anything, or meet the page's styles.
3. `text/markdown` beside it would be preferred to SVG by JupyterLab. So what is to be seen with a picture, such as an
   answer as Markdown, is an output of its own.
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


def bundle(svg: str, words: str) -> dict[str, str]:
    """Return a picture and the words that stand for it, by media type."""
    data = b64encode(svg.encode()).decode("ascii")
    image = f'<img alt="{escape(words)}" src="data:image/svg+xml;base64,{data}">'
    return {"text/html": image, "image/svg+xml": svg, "text/plain": printed(words)}


def prose(markdown: str, words: str) -> dict[str, str]:
    """Return Markdown and the words that stand for it, by media type."""
    return {"text/markdown": markdown, "text/plain": printed(words)}


def printed(words: str) -> str:
    """Return words that a terminal shows and does not obey."""
    return words.replace("\r\n", "\n").translate(_CONTROLS)
