"""The keys of the line: Enter says it, Alt-Enter and Ctrl-J begin a new one, Ctrl-C and Ctrl-D as in a shell."""

import time
from collections.abc import Callable
from typing import Final

from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

_TYPING: Final = has_focus(DEFAULT_BUFFER) & ~is_searching
_EMPTY: Final = Condition(lambda: not get_app().current_buffer.text)
_TYPED_BEFORE: Final = 0.5
"""Seconds in which what was typed before the line stood there is read: Enter came as a line feed then."""


def bindings(
    said: Callable[[str], None],
    interrupted: Callable[[], None],
    left: Callable[[], None],
    takes_back: Callable[[], bool],
) -> KeyBindings:
    """Return the keys; `said` is told what was typed, `interrupted` of Ctrl-C, `left` of Ctrl-D on an empty line.

    `takes_back`, of Up on an empty line, puts what waits for its turn into the line, and says whether anything did.
    """
    keys = KeyBindings()
    _for_lines(keys, said)

    @keys.add("c-c", filter=_TYPING)
    def _interrupt(_: KeyPressEvent) -> None:
        interrupted()

    @keys.add("up", filter=_TYPING & _EMPTY)
    def _up(event: KeyPressEvent) -> None:
        if not takes_back():
            event.current_buffer.auto_up()

    @keys.add("c-d", filter=_TYPING & _EMPTY)
    def _leave(_: KeyPressEvent) -> None:
        left()

    @keys.add(Keys.Vt100MouseEvent, eager=True)
    def _mouse(_: KeyPressEvent) -> None:
        """Take no notice: there is no mouse here, and text that is pasted may look like one."""

    return keys


def _for_lines(keys: KeyBindings, said: Callable[[str], None]) -> None:
    began = time.monotonic()

    @keys.add("enter", filter=_TYPING)
    def _say(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _took_offer(buffer):
            return
        if buffer.document.text_before_cursor.endswith("\\"):  # as in a shell: the line goes on
            buffer.delete_before_cursor()
            buffer.newline(copy_margin=False)
            return
        text = buffer.text
        if text.strip():
            buffer.append_to_history()
        buffer.reset()
        said(text)

    @keys.add("escape", "enter", filter=_TYPING)
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-j", filter=_TYPING)
    def _line_feed(event: KeyPressEvent) -> None:
        if time.monotonic() - began < _TYPED_BEFORE:
            _say(event)  # Enter, while the terminal was not ours yet
        else:
            _newline(event)


def _took_offer(buffer: Buffer) -> bool:
    """Take what is chosen in the menu; return whether something was, and is not typed already."""
    offered = buffer.complete_state
    if offered is None or offered.current_completion is None:
        return False
    was = offered.original_document.text
    buffer.complete_state = None
    return buffer.text != was and not buffer.text.startswith("/")
