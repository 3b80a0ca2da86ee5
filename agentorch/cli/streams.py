"""stdin, stdout and stderr, as whoever started the command left them: one of them may be closed.

1. A closed one is opened on the null device: no other file, the journal least of all, can get its number.
2. stdin is then at its end, what goes to stderr is lost, and what goes to stdout is an error: data may not be lost.
"""

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

_CLOSED: Final = ((0, "stdin", "r", os.O_RDONLY), (1, "stdout", "w", os.O_RDONLY), (2, "stderr", "w", os.O_WRONLY))


def open_closed_streams() -> None:
    """Give Python the streams that it found closed."""
    for handle, name, mode, flags in _CLOSED:
        if getattr(sys, name) is None:
            with suppress(OSError):
                _open_as(handle, flags)
                setattr(sys, name, open(handle, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # it is a number


def _open_as(handle: int, flags: int) -> None:
    opened = os.open(os.devnull, flags)
    if opened != handle:
        os.dup2(opened, handle)
        os.close(opened)


def let_go_of_stdout() -> None:
    """Send what is still to be written on stdout nowhere: it has been said that it cannot be."""
    _let_go_of(sys.stdout)


def let_go_of_words() -> None:
    """Send what is left for stderr nowhere if it cannot be written: Python would end with a code of its own for it."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        _let_go_of(sys.stderr)


def _let_go_of(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(line: str) -> None:
    """Write a line on stderr, if anything can be written there."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
