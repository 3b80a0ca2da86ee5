"""A chat on a terminal: a line that can always be typed, and above it what lives; what is over scrolls away above.

1. The line is never taken away: what is typed while a run goes on waits, answers what the run asks, or is obeyed at
   once, as it suits.
2. Whatever anybody prints comes above the line.
"""

import asyncio
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
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.shortcuts import CompleteStyle, PromptSession

from agentorch.cli.carrying import Carried
from agentorch.cli.chat.completing import ChatCompleter
from agentorch.cli.chat.front import Begin, Beside
from agentorch.cli.chat.keys import bindings
from agentorch.cli.chat.live_turn import LiveTurn
from agentorch.cli.screen import Screen
from agentorch.cli.words import one_line
from agentorch.registry import Registry
from agentorch.runtime.orchestrator import Orchestrator

_PROMPT: Final = "› "
_GATHERED: Final = 0.02
"""Seconds in which what is printed is gathered, before the line is drawn again below it."""
_MENU: Final = 6

Key = Literal["interrupt", "leave"]
Typed = str | Key
_INTERRUPT: Final[Key] = "interrupt"
_LEAVE: Final[Key] = "leave"


class Said(str):
    """What was typed and said, unlike a key."""

    __slots__ = ()


class TerminalFront:
    """The line is drawn on stdout, or on stderr when stdout is no terminal: answers go to stdout then, too."""

    screen: Screen

    def __init__(self, *, history: Path | None, registry: Callable[[], Registry], toolbar: Callable[[], str]) -> None:
        self._history: History = InMemoryHistory() if history is None else FileHistory(str(history))
        self._registry = registry
        self._toolbar = toolbar
        self._came: asyncio.Queue[Typed] = asyncio.Queue()
        self._ahead: deque[Said] = deque()
        """What was typed while a run went on."""
        self._live: LiveTurn | None = None
        self._has_warned = False
        """Whether Ctrl-C on an empty line was the last key, and what a second one does has been said."""
        self._has_left = False
        self._open = ExitStack()

    async def __aenter__(self) -> Self:
        # The session of the process, not one of our own: the thread that prints above the line knows no other.
        with redirect_stdout(sys.stdout if sys.stdout.isatty() else sys.stderr):
            get_app_session().output  # noqa: B018  # it is made when it is first looked at
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
            self._live = live = LiveTurn(run, self.screen, beside, edit=self.edit)
            live.invalidate = self._session.app.invalidate
            listening = asyncio.create_task(self._listen(live))
            try:
                return await live.carried(listening)
            finally:
                self._live = None
                listening.cancel()
                await asyncio.wait({listening})
                self._session.app.invalidate()

    async def _listen(self, live: LiveTurn) -> None:
        """Do with what is typed what suits; return at Ctrl-C, or when the person leaves."""
        while True:
            came = await self._came.get()
            if not isinstance(came, Said):
                self._has_left = came == _LEAVE
                return
            if live.is_for(came):
                self._echo(came)
                await live.take(came)
            else:
                self._ahead.append(came)
                self.screen.dim(f"waits for its turn: {one_line(came)}")

    def _made_session(self) -> PromptSession[str]:
        session: PromptSession[str] = PromptSession(
            message=self._message,
            multiline=True,
            history=self._history,
            completer=ChatCompleter(self._registry),
            complete_while_typing=Condition(self._wants_menu),
            complete_style=CompleteStyle.COLUMN,
            reserve_space_for_menu=_MENU,
            key_bindings=bindings(self._said, self._interrupted, self._left),
            bottom_toolbar=lambda: FormattedText([("noreverse ansibrightblack", self._toolbar())]),
            prompt_continuation="  ",
            enable_open_in_editor=True,
            tempfile_suffix=".md",
        )
        return session

    def _wants_menu(self) -> bool:
        before = self._session.default_buffer.document.text_before_cursor
        word = before.rsplit(maxsplit=1)[-1] if before.strip() else ""
        return before.startswith("/") or word.startswith("@")

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
        sys.stdout = stream
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
        if text.strip():
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
        for line in more:
            self.screen.say(f"  {line}", "bold")
