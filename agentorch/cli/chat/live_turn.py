"""A run as a chat on a terminal carries it: its tasks, its answer as it is written, its questions.

1. A line lives for each task that runs or waits; calls of tools are counted, and told one by one when that is wanted.
2. What the run asks is answered in the line; everything else that is typed waits, but for commands that only look.
3. A run that was stopped keeps what is done.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from agentorch.cli.asking import answered_elsewhere, who_asks
from agentorch.cli.carrying import Carried
from agentorch.cli.chat.draft import Draft
from agentorch.cli.chat.front import Beside
from agentorch.cli.chat.signing import edited, is_edit
from agentorch.cli.markdown import rendered
from agentorch.cli.plan_text import as_text
from agentorch.cli.progress import Progress
from agentorch.cli.result import STOPPED
from agentorch.cli.screen import Screen
from agentorch.cli.task_table import TaskTable
from agentorch.cli.typed_answers import Unfit, answer_from, prompt_of
from agentorch.cli.views import PlainLines
from agentorch.cli.words import counted, one_line
from agentorch.core.events import Event, RequestAnswered, RequestOpened, StepFinished
from agentorch.core.shapes import kind_of
from agentorch.core.state import ANSWERER, Request, Status
from agentorch.messages.work import TextDelta
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.run import Run

_TICK: Final = 0.125
_GRACE: Final = 0.5
_LIVE: Final = frozenset({"planning", "running", "replanning", "answering"})
_SHOWN: Final = frozenset({Status.RUNNING, Status.WAITING})
_LEAST: Final = 3
"""Lines of an answer that are shown as it is written, however small the terminal."""

Edit = Callable[..., Awaitable[str | None]]


class Asking(Protocol):
    """Is told when something begins or ceases to be asked."""

    def __call__(self, *, now: bool) -> None:
        """Take note of it."""
        ...


class LiveTurn:
    """One run, and what is drawn of it above the line."""

    def __init__(self, run: Run, screen: Screen, beside: Beside, *, edit: Edit, asking: Asking) -> None:
        self.progress = Progress(run.id)
        self.prompt = ""
        """What stands before the line while the run asks something."""
        self.invalidate: Callable[[], None] = lambda: None
        """Has the line drawn again."""
        self._run = run
        self._screen = screen
        self._beside = beside
        self._edit = edit
        self._asking = asking
        self._table = TaskTable(screen.words, self.progress, clock=time.time)
        self._draft = Draft(self._rendered)
        self._told = PlainLines(screen, self.progress)
        self._calls: dict[str, Counter[str]] = {"tool call": Counter(), "step": Counter()}
        self._asked: Request | None = None
        self._news = asyncio.Event()
        self._drawn: list[str] = []

    def lines(self) -> list[str]:
        """Return what lives, as lines for a terminal."""
        return self._drawn

    async def carried(self, listening: "asyncio.Task[None]") -> Carried:
        """Wait until nothing more happens and nothing is asked, or until `listening` ends: the run is stopped then."""
        working = [asyncio.create_task(self._watch()), asyncio.create_task(self._tick())]
        resting = asyncio.create_task(self._rested(working[0]))
        try:
            await asyncio.wait({resting, listening}, return_when=asyncio.FIRST_COMPLETED)
            outcome = resting.result() if resting.done() else None
            if outcome is None:
                await self._run.stop(code=STOPPED, reason="stopped by Ctrl-C")
            else:
                await asyncio.wait({working[0]}, timeout=_GRACE)
        finally:
            for task in (*working, resting):
                task.cancel()
            await asyncio.wait({*working, resting})
        for task in (*working, listening):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error
        self._fold()
        return Carried(self._run.id, self.progress, outcome, "" if outcome is not None else self._draft.text)

    def is_for(self, line: str) -> bool:
        """Whether a line is for the run that goes on: a command that only looks, or an answer to what it asks."""
        if _approval(line) is not None:
            return True
        return self._beside.is_beside(line) if line.startswith("/") else self._asked is not None

    async def take(self, line: str) -> None:
        """Do what such a line says."""
        said = _approval(line)
        if said is None and line.startswith("/"):
            await self._beside.obey_beside(line, Carried(self._run.id, self.progress, None))
            return
        request = self._asked
        if request is None:
            self._screen.say("nothing waits for you")
        elif said == "":
            self._screen.quote(request.question)
        else:
            await self._give(request, line if said is None else said)

    async def _give(self, request: Request, line: str) -> None:
        answer = await self._answer(request, line.strip())
        if isinstance(answer, Unfit):
            self._screen.say(answer.words)
        elif request.request_id in {one.request_id for one in self._run.waiting}:
            await self._run.answer(request.request_id, answer, by="user")

    async def _answer(self, request: Request, line: str) -> Any:
        if request.kind != "plan" or not is_edit(line):
            answer = answer_from(request, line)
            return Unfit("say y, n or edit") if request.kind == "plan" and isinstance(answer, Unfit) else answer
        return await edited((await self._run.outcome()).plan, self._edit, self._beside.registry)

    async def _watch(self) -> None:
        async for event in self._run.events(deltas=True):
            if isinstance(event, TextDelta):
                if self._is_answer(event.key.split("/")[1]):
                    self._draft.add(event.key, event.text)
                continue
            self._see(event)
            self._news.set()

    def _see(self, event: Event) -> None:
        if self._beside.verbose:
            self._told.show(event)
        else:
            self.progress.see(event)
        match event:
            case StepFinished(name=name) if name != "model":
                self._calls["tool call" if self._is_tool(name, event.task) else "step"][name] += 1
                if self._beside.verbose:
                    self._screen.dim(f"{event.task}: called {one_line(name)}")
            case RequestAnswered() if self._asked is not None and event.request_id == self._asked.request_id:
                if event.by != "user":
                    self._screen.say(answered_elsewhere(event))
                self._asked, self.prompt = None, ""
                self._asking(now=False)
            case RequestOpened():
                self._news.set()
            case _:
                pass

    async def _rested(self, watching: "asyncio.Task[None]") -> Outcome:
        """Ask what the run waits for, one at a time, to where nothing more happens by itself."""
        while True:
            self._news.clear()
            if self._asked is None and (request := self._next()) is not None:
                await self._ask(request)
            resting = asyncio.ensure_future(self._run.rest())
            news = asyncio.ensure_future(self._news.wait())
            try:
                await asyncio.wait({resting, news}, return_when=asyncio.FIRST_COMPLETED)
                if resting.done():
                    resting.result()
                    if watching.done() or not self._open():
                        return await self._run.outcome()
                    await news
            finally:
                resting.cancel()
                news.cancel()

    def _open(self) -> list[Request]:
        return list(self._run.waiting) if self._run.status in _LIVE else []

    def _next(self) -> Request | None:
        return next((one for one in self._open() if one.request_id in self.progress.state.requests), None)

    async def _ask(self, request: Request) -> None:
        if request.kind == "plan":
            self._screen.lines(as_text((await self._run.outcome()).plan, self._screen.words_sheet))
        if who := who_asks(self.progress.state, request):
            self._screen.say(who, "bold")
        self._screen.quote(request.question)
        self._asked = request
        self._asking(now=True)
        words = "[y/N, or edit] " if request.kind == "plan" else f"{one_line(prompt_of(request))} "
        self.prompt = words
        self.invalidate()

    async def _tick(self) -> None:
        while True:
            self._drawn = self._draw()
            self.invalidate()
            await asyncio.sleep(_TICK)

    def _draw(self) -> list[str]:
        console = self._screen.words
        tasks = self._lines_of(self._table.drawn(last=False, only=_SHOWN, below=_LEAST + 2))
        draft = self._draft.lines(max(_LEAST, console.height - len(tasks) - 4))
        return [*draft, *([""] if draft else []), *tasks]

    def _rendered(self, text: str) -> list[str]:
        return self._lines_of(rendered(text))

    def _lines_of(self, drawn: Any) -> list[str]:
        console = self._screen.words
        with console.capture() as captured:
            console.print(drawn)
        return [line.rstrip() for line in captured.get().strip("\n").split("\n")]

    def _is_answer(self, task: str) -> bool:
        """Whether a task writes the answer, as text."""
        state = self.progress.state
        if task != state.answer_root or task not in state.tasks or "." in (state.answer or ""):
            return False
        agent = state.tasks[task].agent
        registry = self._beside.registry
        return agent == ANSWERER or (agent in registry and kind_of(registry[agent].card.output) == "string")

    def _is_tool(self, name: str, task: str) -> bool:
        """Whether the agent of a task has a tool of that name; what else it journals is a step of its own."""
        registry, known = self._beside.registry, self.progress.state.tasks.get(task)
        if known is None or known.agent not in registry:
            return False
        return name in {tool if isinstance(tool, str) else tool.name for tool in registry[known.agent].tools}

    def _fold(self) -> None:
        """Say what tools were called, and what steps were made, in one line."""
        said: list[str] = []
        for kind, numbers in self._calls.items():
            if numbers:
                each = ", ".join(f"{one_line(name)} ×{number}" for name, number in sorted(numbers.items()))
                said.append(f"{counted(numbers.total(), kind)}: {each}")
        if said:
            self._screen.dim("; ".join(said))


def _approval(line: str) -> str | None:
    """Return what `/approve` answers, empty for nothing; None for another line."""
    name, _, rest = line.rstrip().partition(" ")
    return rest.strip() if name.lower() == "/approve" else None
