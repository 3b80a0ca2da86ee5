"""A chat on a terminal: a line that can always be typed, and above it what lives; what is over scrolls away above.

1. The line is never taken away: what is typed while a run goes on waits, answers what the run asks, or is obeyed at
   once, as it suits.
2. Whatever anybody prints comes above the line.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from prompt_toolkit.application.current import get_app_session
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import ANSI, FormattedText
from prompt_toolkit.history import FileHistory, History
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.shortcuts import CompleteStyle, PromptSession

from agentorch.cli.carrying import Carried
from agentorch.cli.chat.completing import ChatCompleter, word_before
from agentorch.cli.chat.front import Begin, Beside
from agentorch.cli.chat.keys import bindings
from agentorch.cli.chat.live_turn import LiveTurn
from agentorch.cli.chat.terminal_output import kept_clean
from agentorch.cli.screen import Screen
from agentorch.cli.words import harmless, one_line
from agentorch.registry import Registry
from agentorch.runtime.orchestrator import Orchestrator

_PROMPT: Final = "› "
_GATHERED: Final = 0.02
"""Seconds in which what is printed is gathered, before the line is drawn again below it."""
_MENU: Final = 6
_ECHOED: Final = 40
"""Lines of what was said that are left on the screen, beyond the first."""

Key = Literal["interrupt", "leave"]
Typed = str | Key
_INTERRUPT: Final[Key] = "interrupt"
_LEAVE: Final[Key] = "leave"


class Said(str):
    """What was typed and said, unlike a key."""

    __slots__ = ()


class Printed:
    """Where agents print: what a terminal would obey is shown instead."""

    def __init__(self, proxy: StdoutProxy) -> None:
        self._proxy = proxy

    def write(self, text: str) -> int:
        """Write it, harmless."""
        self._proxy.write(harmless(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        """Be what is written to, in everything else."""
        return getattr(self._proxy, name)


class KeptLines(FileHistory):
    """What was said in earlier chats, in a file for its owner alone, without the secrets that this process knows."""

    def __init__(self, path: Path, redact: Callable[[str], str]) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._redact = redact
        super().__init__(str(path))

    def store_string(self, string: str) -> None:
        """Keep a line."""
        with suppress(OSError):  # a full disk is no reason to end
            super().store_string(self._redact(string))


class TerminalFront:
    """The line is drawn on stdout, or on stderr when stdout is no terminal: answers go to stdout then, too."""

    screen: Screen

    def __init__(self, *, history: History, registry: Callable[[], Registry], toolbar: Callable[[], str]) -> None:
        self._history = history
        self._registry = registry
        self._toolbar = toolbar
        self._came: asyncio.Queue[Typed] = asyncio.Queue()
        self._ahead: deque[Said] = deque()
        """What was typed while a run went on."""
        self._aside = ""
        """What was being typed when something was asked."""
        self._live: LiveTurn | None = None
        self._has_warned = False
        """Whether Ctrl-C on an empty line was the last key, and what a second one does has been said."""
        self._has_left = False
        self._open = ExitStack()

    async def __aenter__(self) -> Self:
        # The session of the process, not one of our own: the thread that prints above the line knows no other.
        with redirect_stdout(sys.stdout if sys.stdout.isatty() else sys.stderr):
            self._output = kept_clean(get_app_session().output)  # it is made when it is first looked at
        self._session = self._made_session()
        self._streams(StdoutProxy(sleep_between_writes=_GATHERED, raw=True))
        self._hear_signals()
        drawn = self._first_drawn()
        self._prompting = asyncio.create_task(self._prompted())
        await asyncio.wait({self._prompting, drawn}, return_when=asyncio.FIRST_COMPLETED)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._prompting.cancel()
        with suppress(asyncio.CancelledError, EOFError):
            await self._prompting
        self._open.close()

    async def typed(self) -> str | None:
        """Return what was typed ahead, or is typed next; None when the person leaves."""
        while not self._has_left:
            came = self._ahead.popleft() if self._ahead else await self._came.get()
            if isinstance(came, Said):
                self._echo(came)
                return came
            self._has_left = came == _LEAVE
        return None

    def put_back(self, text: str) -> None:
        """Write `text` into the line, unless something is being typed there."""
        buffer = self._session.default_buffer
        if not buffer.text:
            buffer.document = Document(text)

    async def edit(self, text: str, *, suffix: str) -> str | None:
        """Open the editor ($VISUAL, $EDITOR) on `text`; return what was saved."""
        buffer = Buffer(document=Document(text), tempfile_suffix=suffix)
        await buffer.open_in_editor()
        return buffer.text

    async def carry(self, orchestrator: Orchestrator, begin: Begin, beside: Beside) -> Carried:
        """Carry it out, drawn above the line; Ctrl-C stops it."""
        async with orchestrator:
            run = await begin(orchestrator)
            self._live = live = LiveTurn(run, self.screen, beside, edit=self.edit, asking=self._asking)
            live.invalidate = self._session.app.invalidate
            listening = asyncio.create_task(self._listen(live))
            try:
                return await live.carried(listening)
            finally:
                self._live = None
                listening.cancel()
                await asyncio.wait({listening})
                self._asking(now=False)
                self._session.app.invalidate()

    async def _listen(self, live: LiveTurn) -> None:
        """Do with what is typed what suits; return at Ctrl-C, or when the person leaves."""
        while True:
            came = await self._came.get()
            if not isinstance(came, Said) or came.strip() == "/exit":
                self._has_left = came != _INTERRUPT
                self._give_back()
                return
            if live.is_for(came):
                self._echo(came)
                await live.take(came)
            else:
                self._ahead.append(came)
                self.screen.dim(f"waits for its turn: {one_line(came)} (Up on an empty line takes it back)")

    def _takes_back(self) -> bool:
        """Put what was typed ahead last back into the line, to be changed; return whether anything was."""
        asks = self._live is not None and self._live.prompt  # what is taken back is no answer
        if not self._ahead or asks:
            return False
        self.put_back(self._ahead.pop())
        self.screen.dim("taken back into the line")
        return True

    def _give_back(self) -> None:
        """Put what waits for its turn into the line: who stops a turn has something else in mind."""
        if self._ahead:
            buffer = self._session.default_buffer
            buffer.document = Document("\n".join(text for text in (*self._ahead, buffer.text) if text))
            self._ahead.clear()

    def _asking(self, *, now: bool) -> None:
        """Set aside what is being typed while something is asked: it is no answer to what nobody has seen."""
        buffer = self._session.default_buffer
        if now:
            self._aside = buffer.text
            buffer.reset()
        elif self._aside and not buffer.text:
            buffer.document = Document(self._aside)
            self._aside = ""

    def _made_session(self) -> PromptSession[str]:
        session: PromptSession[str] = PromptSession(
            message=self._message,
            multiline=True,
            history=self._history,
            completer=ChatCompleter(self._registry),
            complete_while_typing=Condition(self._wants_menu),
            complete_style=CompleteStyle.COLUMN,
            reserve_space_for_menu=_MENU,
            key_bindings=bindings(self._said, self._interrupted, self._left, self._takes_back),
            bottom_toolbar=lambda: FormattedText([("noreverse ansibrightblack", self._toolbar())]),
            prompt_continuation="  ",
            enable_open_in_editor=True,
            enable_suspend=True,
            tempfile_suffix=".md",
            output=self._output,
            erase_when_done=True,
        )
        return session

    def _wants_menu(self) -> bool:
        before = self._session.default_buffer.document.text_before_cursor
        return before.startswith("/") or word_before(before).startswith("@")

    def _message(self) -> ANSI:
        lines = [] if self._live is None else self._live.lines()
        prompt = _PROMPT if self._live is None or not self._live.prompt else self._live.prompt
        return ANSI("\n".join([*lines, prompt]))

    def _first_drawn(self) -> "asyncio.Future[None]":
        """Return what is done when the line stands there: what is printed before would be drawn over."""
        drawn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def see(_: object) -> None:
            if not drawn.done():
                drawn.set_result(None)

        self._session.app.after_render += see
        return drawn

    async def _prompted(self) -> None:
        try:
            await self._session.prompt_async(handle_sigint=False, set_exception_handler=False)
        finally:
            self._left()  # a terminal that is gone says nothing more

    def _streams(self, proxy: StdoutProxy) -> None:
        """Have what is printed come above the line; data for a pipe goes there."""
        kept = sys.stdout, sys.stderr

        def put_back() -> None:
            proxy.close()
            sys.stdout, sys.stderr = kept

        stream: Any = proxy
        sys.stderr = stream
        if sys.stdout.isatty():
            sys.stdout = stream
        self.screen = Screen()  # keeps the pipe, if it is one
        printed: Any = Printed(proxy)
        sys.stdout = printed
        self._open.callback(put_back)

    def _hear_signals(self) -> None:
        loop = asyncio.get_running_loop()
        heard = {"SIGINT": self._interrupted, "SIGTERM": self._left, "SIGHUP": self._left}
        for name, act in heard.items():
            number = getattr(signal, name, None)
            if number is not None:
                with suppress(NotImplementedError):  # on Windows
                    loop.add_signal_handler(number, act)
                    self._open.callback(loop.remove_signal_handler, number)

    def _said(self, text: str) -> None:
        self._has_warned = False
        if text.strip() or (self._live is not None and self._live.prompt):  # Enter alone may be an answer
            self._came.put_nowait(Said(text))

    def _interrupted(self) -> None:
        buffer = self._session.default_buffer
        if self._live is not None:
            self._came.put_nowait(_INTERRUPT)
        elif buffer.text:
            buffer.reset()
            self._has_warned = False
        elif self._has_warned:
            self._left()
        else:
            self._has_warned = True
            self.screen.dim("Ctrl-C once more, or Ctrl-D, leaves")

    def _left(self) -> None:
        self._came.put_nowait(_LEAVE)

    def _echo(self, text: str) -> None:
        """Leave what was said on the screen, where the line was."""
        first, *more = text.rstrip().splitlines() or [""]
        self.screen.say(f"{_PROMPT}{first}", "bold")
        for line in more[:_ECHOED]:
            self.screen.say(f"  {line}", "bold")
        if len(more) > _ECHOED:
            self.screen.dim(f"  and {len(more) - _ECHOED:,} more lines")
