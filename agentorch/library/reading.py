"""From a file's bytes to passages."""

import codecs
import mimetypes
from collections.abc import Sequence
from functools import cache
from pathlib import PurePath
from typing import Final

from agentorch.library.formats import reader_for
from agentorch.library.formats.pdf import read_pdf
from agentorch.library.passage import Passage, passages

LARGEST_FILE: Final = 10 * 1024 * 1024
"""Bytes beyond which a file is not read."""
NOT_TEXT: Final = "is not text"
_MEDIA: Final = ("image/", "audio/", "video/", "font/")
_MEDIA_TOO: Final = frozenset({".eot", ".flac", ".mkv", ".ogg", ".opus", ".otf", ".ttf", ".webm", ".woff", ".woff2"})
"""Suffixes that Python's own list of types does not know."""
_SNIFFED: Final = 8_192
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class NotRead(Exception):
    """A file has no passages, and why, in a few words."""


def read_passages(path: str, data: bytes) -> Sequence[Passage]:
    """Return the passages of a file; raises NotRead, or MissingExtraError for a PDF without its extra."""
    try:
        is_pdf = PurePath(path).suffix.lower() == ".pdf"
        return list(passages(read_pdf(data) if is_pdf else reader_for(path)(decode(data))))
    except RecursionError:
        raise NotRead("is nested too deeply") from None
    except ValueError as error:
        raise NotRead(str(error)) from error


def decode(data: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16, UTF-32 with a mark, else Latin-1; raises NotRead when it is no text."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    if b"\0" in data[:_SNIFFED]:
        return _wide(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _latin(data)


def is_media(path: str) -> bool:
    """Whether a file is, by its name, a picture, a sound, a film or a font."""
    return PurePath(path).suffix.lower() in _MEDIA_TOO or (_types().guess_type(path, strict=False)[0] or "").startswith(
        _MEDIA
    )


@cache
def _types() -> mimetypes.MimeTypes:
    """Return the types that Python knows: what a machine adds would make runs differ."""
    return mimetypes.MimeTypes()


def _wide(data: bytes) -> str:
    """Return UTF-16 without a mark: of western text every other byte is zero, and none of those between."""
    first, second = (data[at:_SNIFFED:2] for at in (0, 1))
    for zeros, others, encoding in ((second, first, "utf-16-le"), (first, second, "utf-16-be")):
        if b"\0" not in others and zeros.count(0) > len(zeros) // 2:
            text = data.decode(encoding, "replace")
            if _strange(text) <= min(len(text), _SNIFFED) // 20:
                return text
    raise NotRead(NOT_TEXT)


def _latin(data: bytes) -> str:
    text = data.decode("cp1252", "replace")
    if _strange(text) > min(len(text), _SNIFFED) // 20:
        raise NotRead(NOT_TEXT)
    return text


def _strange(text: str) -> int:
    return sum(1 for letter in text[:_SNIFFED] if not letter.isprintable() and letter not in "\t\r\n\f")
