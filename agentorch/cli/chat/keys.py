"""The keys of the line: Enter says it, Alt-Enter and Ctrl-J begin a new one, Ctrl-C and Ctrl-D as in a shell."""

from collections.abc import Callable

from prompt_toolkit.application.current import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


def bindings(said: Callable[[str], None], interrupted: Callable[[], None], left: Callable[[], None]) -> KeyBindings:
    """Return the keys; `said` is told what was typed, `interrupted` of Ctrl-C, `left` of Ctrl-D on an empty line."""
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER) & ~is_searching
    is_empty = Condition(lambda: not get_app().current_buffer.text)

    @keys.add("enter", filter=typing)
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

    @keys.add("escape", "enter", filter=typing)
    @keys.add("c-j", filter=typing)
    def _newline(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=typing)
    def _interrupt(_: KeyPressEvent) -> None:
        interrupted()

    @keys.add("c-d", filter=typing & is_empty)
    def _leave(_: KeyPressEvent) -> None:
        left()

    return keys


def _took_offer(buffer: Buffer) -> bool:
    """Take what is chosen in the menu; return whether something was, and is not typed already."""
    offered = buffer.complete_state
    if offered is None or offered.current_completion is None:
        return False
    was = offered.original_document.text
    buffer.complete_state = None
    return buffer.text != was and not buffer.text.startswith("/")
