"""What a notebook is given to show.

A picture goes out as `image/svg+xml`, with words for where there are no pictures, and as nothing else. JupyterLab, VS
Code, nbconvert, nbviewer and GitHub all draw that. `text/html` with the same picture in it would be preferred to it
wherever it is given, and GitHub strips SVG out of HTML; JupyterLab would prefer `text/markdown`. So what is to be seen
with a picture, such as an answer as Markdown, is an output of its own.
"""


def bundle(svg: str, words: str) -> dict[str, str]:
    """Return a picture and the words that stand for it, by media type."""
    return {"image/svg+xml": svg, "text/plain": words}


def prose(markdown: str, words: str) -> dict[str, str]:
    """Return Markdown and the words that stand for it, by media type."""
    return {"text/markdown": markdown, "text/plain": words}
