"""PDF, with the extra [pdf]: the text of each page, cited by page."""

import io
import logging
from collections.abc import Iterator

from agentorch.errors import MissingExtraError
from agentorch.library.passage import Section
from agentorch.library.sentences import sentences

# Of a damaged file pypdf speaks on stderr unless somebody listens; what it means is said in the notes.
logging.getLogger("pypdf").addHandler(logging.NullHandler())


def read_pdf(data: bytes) -> Iterator[Section]:
    """Yield a section for each page that has text.

    Raises:
        MissingExtraError: pypdf is not installed.
        ValueError: the file is damaged or locked.
    """
    try:
        from pypdf import PdfReader  # noqa: PLC0415 - an extra
        from pypdf.errors import PyPdfError  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("reading PDF files", "pdf") from None
    try:
        reader = PdfReader(io.BytesIO(data))
        for number, page in enumerate(reader.pages, 1):
            lines = [(number, line) for line in page.extract_text().splitlines() if line.strip()]
            if lines:
                yield Section("", sentences(lines))
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise ValueError(f"is damaged or locked: {error}") from error
