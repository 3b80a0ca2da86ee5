"""A chat: what was said so far, what holds for the next turn, and the turns, each of which is a run.

1. A turn sees the turns before it within a budget of tokens (`recall`), as the run's input `conversation`.
2. A turn that was stopped, or has no answer, stands in the chat all the same, marked so.
3. What goes wrong with a line is said in one line, and the chat goes on.
"""

import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import Any, Final

from agentorch import tokens
from agentorch.agents import Agent
from agentorch.cli.carrying import Carried
from agentorch.cli.chat.addressed import plan_for
from agentorch.cli.chat.command_table import COMMANDS, unknown
from agentorch.cli.chat.front import Begin, Front
from agentorch.cli.chat.recall import BUDGET, Recalled, as_text, recalled
from agentorch.cli.chat.record import CHAT, TO, TURN, ChatRecord, new_chat_id
from agentorch.cli.chat.restoring import Restored
from agentorch.cli.chat.showing import say_turn, spent
from agentorch.cli.chat.turn import STOPPED, Turn, turn_of
from agentorch.cli.chat.typed_message import Command, Message, Unclear, is_there, read
from agentorch.cli.given import Given
from agentorch.cli.kept_library import kept_library
from agentorch.cli.running import orchestrator_of
from agentorch.cli.settings import Setup
from agentorch.cli.teams import team
from agentorch.cli.words import one_line
from agentorch.core.policy import Policy
from agentorch.core.state import Status
from agentorch.core.usage import Budget, Usage
from agentorch.errors import AgentorchError, ConfigurationError
from agentorch.files import at_home
from agentorch.library import Library
from agentorch.library.words import content_words
from agentorch.ports.planner import CONVERSATION, EARLIER
from agentorch.registry import Registry
from agentorch.runtime.options import StartOptions
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.run import Run

_TITLE: Final = 60
"""Characters of the first message that name a chat."""
_LONGEST: Final = 300
"""Characters of what is said of a bug."""


class Chat:
    """One chat, held through a front."""

    front: Front
    """What it is held through, once that is known."""

    def __init__(self, restored: Restored, setup: Setup, *, actions: "Actions", json: bool = False) -> None:
        self.record = restored.record
        self.turns = restored.turns
        self.forgotten = restored.forgotten
        """Turns that were undone or asked again."""
        self.setup = setup
        self._actions = actions
        self.json = json
        self.verbose = False
        """Whether everything that happens is told."""
        self.signs = False
        """Whether each plan is shown and signed before it is carried out."""
        self.last: Carried | None = restored.last
        """The run of the turn that was carried out last."""
        self.outcome: Outcome | None = None
        """What came of it; None when it was stopped."""
        self.is_over = False
        self.refused = False
        """Whether the last line was."""
        self.has_obeyed = False
        """Whether any line was."""
        self.has_carried = False
        """Whether a run was carried out here."""
        self._library: tuple[tuple[str, ...], Library] | None = None
        self._open = ExitStack()
        self._team: tuple[Setup, Registry] | None = None

    @property
    def registry(self) -> Registry:
        """The team."""
        if self._team is None or self._team[0] is not self.setup:
            self._team = self.setup, Registry(team(self.setup.agents, project=self.setup.project).agents)
        return self._team[1]

    @property
    def context(self) -> int:
        """Tokens that a turn may see of those before it."""
        chosen = self.record.context, self.setup.context, BUDGET
        return next(tokens for tokens in chosen if tokens is not None)

    async def hold(self) -> None:
        """Obey what is typed, to its end."""
        while not self.is_over and (line := await self.front.typed()) is not None:
            await self.obey(line)

    def close(self) -> None:
        """Let go of the files that agents read."""
        self._open.close()

    async def obey(self, line: str) -> None:
        """Do what a line says; what is wrong with it is said."""
        self.refused = False
        try:
            read_as = self._meant(line)
            if isinstance(read_as, Command):
                await self._command(read_as)
            elif read_as is not None:
                await self.say(read_as)
            self.has_obeyed = self.has_obeyed or read_as is not None
        except Exception as error:
            if os.environ.get("AGENTORCH_DEBUG") or isinstance(error, BrokenPipeError):  # nobody reads the answers
                raise
            self.refused = True
            self.front.screen.say(_words_of(error), "yellow")
            if not line.startswith("/"):
                self.front.put_back(line)

    def _meant(self, line: str) -> Command | Message | None:
        """Return what a line is; ConfigurationError when it cannot be meant."""
        read_as = read(line, agents=self.registry.names, exists=is_there)
        if isinstance(read_as, Unclear):
            raise ConfigurationError(read_as.words)
        if isinstance(read_as, Command) and read_as.name not in COMMANDS:
            raise ConfigurationError(unknown(read_as.name))
        return read_as

    async def _command(self, command: Command) -> None:
        await self._actions[command.name](self, command.argument)

    def is_beside(self, line: str) -> bool:
        """Whether a line is a command that only looks, or none that there is: neither waits for the run to end."""
        match read(line, agents=(), exists=lambda _: False):
            case Command("plan", argument):
                return not argument
            case Command(name):
                return name not in COMMANDS or COMMANDS[name].beside
            case _:
                return False

    async def obey_beside(self, line: str, carried: Carried) -> None:
        """Obey such a command, with the run that goes on as the last one."""
        before, self.last = self.last, carried
        try:
            await self.obey(line)
        finally:
            self.last = before

    async def say(self, message: Message, *, signs: bool = False, instead: bool = False) -> None:
        """Take a turn; `instead` of the last one, which is forgotten once this one has begun."""
        if message.files:
            self.attach(message.files)
        options = self._options(message, signs=signs or self.signs)
        agent = None if message.agent is None else self.registry[message.agent]
        text = message.text if self.setup.model else message.bare or message.text  # a search finds no file by its name
        await self._take(message, partial(self._begun, text, agent, options), instead=instead)

    async def take_up(self, number: int, begin: Begin) -> None:
        """Go on with the run of a turn, from 1, which `begin` takes up; the turn stays in its place."""
        turn = self.turns[number - 1]
        carried = await self._carry(begin)
        self.turns[number - 1] = turn = self._turn(Message(turn.message, turn.agent, bare=turn.bare), carried)
        self._say(turn, carried)

    def recalled(self, message: str) -> tuple[Recalled, ...]:
        """Return what a turn would see of the chat, were `message` said."""
        return recalled(self.turns, message, budget=self.context, count=self.count)

    def count(self, text: str) -> int:
        """Return how many tokens a text is for the model that is asked first."""
        return tokens.count(text, self.setup.model[0] if self.setup.model else "").tokens

    def attach(self, paths: tuple[str, ...]) -> None:
        """Let agents read what lies there, from now on."""
        new = [path for path in dict.fromkeys(str(at_home(path)) for path in paths) if path not in self.setup.files]
        self.change(replace(self.setup, files=(*self.setup.files, *new)))
        if new:
            self.front.screen.dim(f"attached: {', '.join(new)}")

    def change(self, setup: Setup) -> None:
        """Have another set-up hold from the next turn on."""
        self.setup = setup
        self.record.model, self.record.files = [*setup.model], [str(at_home(one).absolute()) for one in setup.files]
        self.record.server = setup.server
        self.keep()

    def become(self, record: ChatRecord, turns: list[Turn]) -> None:
        """Go on as another chat."""
        self.record, self.turns, self.forgotten = record, turns, []
        if not turns:
            self.last = None
        self.keep()

    def drop_last(self) -> Turn:
        """Forget the last turn; its run stays in the journal, and what it has cost counts."""
        turn = self.turns.pop()
        self.forgotten.append(turn)
        self.record.forgotten.append(self.record.runs.pop())
        self.keep()
        return turn

    def keep(self) -> None:
        """Write the record; where another process has gone on with this chat, it goes on here as a new one."""
        if self.record.goes_on_elsewhere:
            self.record.id = new_chat_id()
            words = f"this chat was gone on with elsewhere: here it goes on as a new one, {self.record.id}"
            self.front.screen.say(words, "yellow", whole=True)
        try:
            self.record.save()
        except ConfigurationError as error:
            self.front.screen.say(f"warning: {error}", "yellow")

    def _options(self, message: Message, *, signs: bool) -> StartOptions:
        earlier = as_text(self.recalled(message.text))
        tags = {CHAT: self.record.id, TURN: str(len(self.turns) + 1), **Given.of(self.setup).tags}
        if message.agent is not None:
            tags[TO] = message.agent
        inputs = {CONVERSATION: earlier, EARLIER: "" if self.setup.model else self._asked_before()}
        options: StartOptions = {"inputs": {name: text for name, text in inputs.items() if text}, "tags": tags}
        if self.record.limits:
            options["budget"] = Budget.model_validate(self.record.limits)
        if signs:
            options["policy"] = Policy(approval="plan")
        return options

    def _asked_before(self) -> str:
        """Return the last thing that was said and names something: what a search goes on from."""
        said = (turn.bare or turn.message for turn in reversed(self.turns))
        return next((text for text in said if content_words(text)), "")

    async def _begun(self, text: str, agent: Agent | None, options: StartOptions, orchestrator: Orchestrator) -> Run:
        inputs: Mapping[str, Any] = options.get("inputs", {})
        what = text if agent is None else await plan_for(agent, text, inputs, has_model=bool(self.setup.model))
        return await orchestrator.submit(what, **options)

    async def _take(self, message: Message, begin: Begin, *, instead: bool) -> None:
        async def begun(orchestrator: Orchestrator) -> Run:
            run = await begin(orchestrator)
            if instead:
                self.drop_last()
            # From now on it is a turn, whatever becomes of this process: `/resume` takes it up.
            self.turns.append(Turn(message.text, run.id, STOPPED, agent=message.agent, bare=message.bare))
            self.record.runs.append(run.id)
            self.record.title = self.record.title or self._title(message.text)
            self.keep()
            return run

        carried = await self._carry(begun)
        self.turns[-1] = turn = self._turn(message, carried)
        self._say(turn, carried)

    def _title(self, text: str) -> str:
        return self.setup.redactor().text(" ".join(text.split()))[:_TITLE]

    async def _carry(self, begin: Begin) -> Carried:
        orchestrator = orchestrator_of(self.setup, self.front.screen, self._library_now())
        carried = await self.front.carry(orchestrator, begin, self)
        self.last, self.outcome, self.has_carried = carried, carried.outcome, True
        return carried

    def _library_now(self) -> Library:
        """Return the library over what agents may read: the same from turn to turn while that is the same."""
        if self._library is None or self._library[0] != self.setup.files:
            self._open.close()
            self._library = self.setup.files, self._open.enter_context(kept_library(self.setup))
        return self._library[1]

    def _turn(self, message: Message, carried: Carried) -> Turn:
        state, asks = carried.progress.state, bool(carried.progress.state.requests)
        if carried.outcome is not None:
            turn = turn_of(message.text, carried.outcome)
            return replace(turn, agent=message.agent, bare=message.bare, seconds=carried.progress.ran, asks=asks)
        done = tuple(name for name, task in state.tasks.items() if task.status is Status.SUCCEEDED)
        return Turn(
            message.text,
            carried.run_id,
            STOPPED,
            agent=message.agent,
            bare=message.bare,
            answer=carried.said.strip(),
            finished=done,
            usage=self._used(state.spent, carried.said),
            seconds=carried.progress.ran,
            asks=asks,
        )

    def _used(self, spent: Usage, said: str) -> Usage:
        """Return what a stopped turn has used: a call that was cut off told nothing, and counts by what it said."""
        return spent + Usage(output_tokens=self.count(said), approximate=True) if said else spent

    def _say(self, turn: Turn, carried: Carried) -> None:
        kept, bill = self.record.is_kept, spent([*self.turns, *self.forgotten])
        say_turn(self.front.screen, turn, carried, bill=bill, json=self.json, is_kept=kept)


Action = Callable[[Chat, str], Awaitable[None]]
"""Obeys a command; the second argument is what was typed behind its name."""
Actions = Mapping[str, Action]


def _words_of(error: Exception) -> str:
    """Return in one line what went wrong with a line."""
    if isinstance(error, AgentorchError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or 'the output cannot be written'}: {error.strerror or error}"
    return f"{type(error).__name__}: {one_line(str(error))[:_LONGEST]} (a bug; AGENTORCH_DEBUG=1 shows the traceback)"
