"""What is wrong with a document, and where."""

from typing import Final

MOST_BYTES: Final = 64 * 1024
"""The longest document that is read."""
LONGEST_INTEGER: Final = 4_300
"""Digits beyond which Python refuses to write an integer, and so nothing is kept."""


class DocumentError(ValueError):
    """A document cannot be read; the message begins with `line 3, column 5:` where the place is known."""

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        place = f"line {line}, column {column}: " if line is not None and column is not None else ""
        super().__init__(place + message)
        self.line = line
        """From 1, or None."""


def clean_text(data: bytes | str, *, most: int = MOST_BYTES) -> str:
    """Return the text of a document: a byte order mark and carriage returns are dropped, the length is bounded."""
    size = len(data) if isinstance(data, bytes) else len(data.encode("utf-8", "replace"))
    if size > most:
        raise DocumentError(f"it is {size:,} bytes long; at most {most:,} are read")
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DocumentError(f"it is not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    return data.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
