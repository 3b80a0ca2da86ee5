"""Questions that a run waits for, asked at the terminal as they come up, while the rest of the run goes on."""

import asyncio
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from agentorch.cli.plan_text import as_text
from agentorch.cli.progress import Progress
from agentorch.cli.screen import Screen
from agentorch.cli.typed import typed_line
from agentorch.cli.typed_answers import Unfit, answer_from, prompt_of
from agentorch.cli.views import View
from agentorch.cli.words import json_text, one_line
from agentorch.core.events import Event, RequestAnswered, RequestOpened
from agentorch.core.state import Request, RunState
from agentorch.runtime.run import Run

_LIVE: Final = frozenset({"planning", "running", "replanning", "answering"})
_HEADS: Final = {
    "approval": "to be approved, {}:",
    "effect": "not known, {}:",
    "failure": "failed, {}:",
    "question": "asked by {}:",
}
"""What stands above a request, by its kind."""
_CLOSED: Final = object()
"""What was asked is not open any more."""


class Person:
    """Whoever sits at the terminal. They hear of the run's events by `hear`."""

    def __init__(self, run: Run, screen: Screen, progress: Progress) -> None:
        self._run = run
        self._screen = screen
        self._progress = progress
        self._has_left = False
        self._asked = asyncio.Event()
        """Set when there may be something to ask."""
        self._news = asyncio.Event()
        """Set at every event."""
        self._answered: dict[str, RequestAnswered] = {}
        self._showing: asyncio.Task[None] | None = None

    def hear(self, event: Event) -> None:
        """Take in an event that the view has shown."""
        if isinstance(event, RequestOpened):
            self._asked.set()
        elif isinstance(event, RequestAnswered):
            self._answered[event.request_id] = event
        self._news.set()

    async def attend(self, view: View, showing: "asyncio.Task[None]") -> None:
        """Ask what the run waits for, to where nothing more happens by itself and nothing is left to ask here.

        `showing` is done when no more events come.
        """
        self._showing = showing
        showing.add_done_callback(lambda _: self._news.set())
        while True:
            self._asked.clear()
            if self._next() is not None:
                await self._ask_all(view)
            elif self._open() and not showing.done():  # the view is behind
                await _first_of(self._asked.wait(), {showing})
            elif await self._rested():
                return

    async def _rested(self) -> bool:
        """Wait until the run rests, or has something to ask; return whether this is the end."""
        resting = asyncio.ensure_future(self._run.rest())
        try:
            await _first_of(self._asked.wait(), {resting})
        finally:
            resting.cancel()
        if not resting.done():
            return False
        resting.result()
        return not self._open() or (self._showing is not None and self._showing.done())

    def _open(self) -> list[Request]:
        """Return what is to be asked here."""
        return [] if self._has_left or self._run.status not in _LIVE else list(self._run.waiting)

    def _next(self) -> Request | None:
        """Return what is to be asked next, of what the view has shown."""
        return next((one for one in self._open() if one.request_id in self._progress.state.requests), None)

    async def _ask_all(self, view: View) -> None:
        view.pause()
        try:
            while (request := self._next()) is not None:
                await self._ask(request)
        finally:
            view.go_on()

    async def _ask(self, request: Request) -> None:
        """Ask until there is an answer that fits, from here or from elsewhere, or the person leaves."""
        if request.kind == "plan":
            self._screen.lines(as_text((await self._run.outcome()).plan, self._screen.words_sheet))
        who = who_asks(self._progress.state, request)
        if who:
            self._screen.say(who, "bold")
        self._screen.quote(request.question)
        while True:
            said = await self._typed(request)
            if said is None:
                self._has_left = True
                return
            if said is _CLOSED or not self._is_open(request):
                self._screen.say(self._elsewhere(request))
                return
            answer = answer_from(request, said)
            if not isinstance(answer, Unfit):
                await self._run.answer(request.request_id, answer, by="user")
                return
            self._screen.say(answer.words)

    async def _typed(self, request: Request) -> Any:
        """Return the line that is typed, None at the end of the input, or `_CLOSED` when the question goes first."""
        typing = asyncio.ensure_future(typed_line(f"{one_line(prompt_of(request))} "))
        try:
            await _first_of(self._closed(request), {typing})
            line = typing.result() if typing.done() else _CLOSED
        except asyncio.CancelledError:
            _end_line()
            raise
        finally:
            typing.cancel()
            with suppress(asyncio.CancelledError):
                await typing
        if line is None or line is _CLOSED:
            _end_line()
        return line

    def _is_open(self, request: Request) -> bool:
        lives = self._run.status in _LIVE and self._showing is not None and not self._showing.done()
        return lives and any(one.request_id == request.request_id for one in self._run.waiting)

    async def _closed(self, request: Request) -> None:
        while self._is_open(request):
            self._news.clear()
            await self._news.wait()

    def _elsewhere(self, request: Request) -> str:
        answered = self._answered.get(request.request_id)
        return "this is not asked any more" if answered is None else answered_elsewhere(answered)


def who_asks(state: RunState, request: Request) -> str:
    """Say who asks, or whom it is about: two tasks may ask the same, and what they say is theirs, not ours."""
    task = state.tasks.get(request.task or "")
    name = "" if task is None else f"task '{task.task.id}', agent '{task.agent}'"
    return _HEADS.get(request.kind, "{}").format(name) if name else ""


def answered_elsewhere(answered: RequestAnswered) -> str:
    """Say who has answered what was asked here."""
    return f"answered elsewhere, by {answered.by}: {one_line(json_text(answered.value))}"


async def _first_of(work: Coroutine[Any, Any, object], others: set["asyncio.Future[Any]"]) -> None:
    """Wait until `work`, or one of the others, is done; only `work` is cancelled then."""
    doing = asyncio.ensure_future(work)
    try:
        await asyncio.wait({doing, *others}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        doing.cancel()


def _end_line() -> None:
    sys.stderr.write("\n")
    sys.stderr.flush()
