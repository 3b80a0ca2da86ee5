"""What one test uses of the kit: its orchestrators, its clock, no network, and what is checked when its body has ended.

1. A test fails when a model was asked what it has no answer for, whatever the run made of that; when it has an answer
   that nobody asked for; when it tried to reach the network.
2. That is told as the test's own failure. Where the test has failed already, it is a note on that failure, without what
   was not asked for: a test that ends early asks less. Where there is nothing of it, the note says why runs failed.
"""

import asyncio
import sys
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, Unpack, cast, runtime_checkable

from agentorch.agents import Agent
from agentorch.errors import ConfigurationError, RunFailed
from agentorch.plans import Plan
from agentorch.runtime.options import StartOptions
from agentorch.runtime.orchestrator import Orchestrator
from agentorch.runtime.outcome import Outcome
from agentorch.runtime.sync import run_in_thread
from agentorch.testing.clock import VirtualClock
from agentorch.testing.fake_openai import FakeOpenAI
from agentorch.testing.network import SealedNetwork

_SETTINGS: Final = {"network": False, "unused": False}


@runtime_checkable
class Watched(Protocol):
    """A model, or a server, that knows what it was asked in vain."""

    misses: list[str]
    """What was asked without an answer."""


@runtime_checkable
class Scripted(Protocol):
    """One that knows, besides, what nobody has asked it for."""

    def unused(self) -> list[str]:
        """Return what was never asked for, in words."""
        ...


class Kit:
    """Of one test."""

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        """Take the settings of the test's marker: `network` (a bool, or hosts) and `unused`."""
        self._put_back = _make_no_loop()
        given = _SETTINGS | dict(settings or {})
        if unknown := given.keys() - _SETTINGS:
            raise ConfigurationError(
                f"@pytest.mark.agentorch has no setting {min(unknown)!r}; there are: {', '.join(_SETTINGS)}"
            )
        network: bool | Collection[str] = given["network"]
        self.network = None if network is True else SealedNetwork(network or ())
        self.clock: VirtualClock | None = None
        self.told = False
        """Whether the test has been failed for what it left behind."""
        self._may_leave = bool(given["unused"])
        self._watched: list[Watched] = []
        self._failed: list[str] = []

    def watch(self, model: Any) -> None:
        """Look at the end at what a model was asked; anything else is nothing to look at."""
        for one in cast("Sequence[Any]", model) if isinstance(model, list | tuple) else [model]:
            if isinstance(one, Watched) and all(one is not other for other in self._watched):
                self._watched.append(one)

    def ended(self, outcome: Outcome) -> None:
        """Keep in words why a run did not succeed, for the test that fails of it."""
        try:
            outcome.raise_for_problems()
        except RunFailed as error:
            self._failed.append(str(error))

    def reasons(self) -> list[str]:
        """Return what may be why the test has failed: its troubles; where it has none, the runs that failed."""
        return self.troubles() or self._failed

    def run(self, body: Coroutine[Any, Any, Any]) -> None:
        """Run the body of an async test that no other plugin runs."""
        before = _current_loop()
        try:
            with asyncio.Runner(loop_factory=self.clock.new_loop if self.clock is not None else None) as runner:
                runner.run(body)
        finally:
            if before is not None:
                asyncio.set_event_loop(before)

    def close(self) -> None:
        """Leave the current event loop to the tests that come as it was."""
        self._put_back()

    def troubles(self) -> list[str]:
        """Return which threads never ended, what was asked in vain, and where the test wanted to go."""
        said = [self.clock.stuck] if self.clock is not None and self.clock.stuck is not None else []
        said += [miss for one in self._watched for miss in dict.fromkeys(one.misses)]
        if self.network is not None and self.network.attempts:
            places = ", ".join(self.network.attempts)
            said.append(
                f"the test tried to reach {places}, and was not let; "
                "allow it with @pytest.mark.agentorch(network=True), or name the hosts: network=['...']"
            )
        return said

    def wrong(self) -> list[str]:
        """Return what a test must not leave behind; what is unused only where nothing else is wrong."""
        unused = [] if self._may_leave else self._unused()
        remedy = "if that is meant, mark the test with @pytest.mark.agentorch(unused=True)"
        return self.troubles() or [f"never asked for: {words}; {remedy}" for words in unused]

    def _unused(self) -> list[str]:
        return [words for one in self._watched if isinstance(one, Scripted) for words in one.unused()]


def _current_loop() -> asyncio.AbstractEventLoop | None:
    """Return the loop that others have left as the current one, as pytest-asyncio does with those of modules."""
    try:
        return asyncio.get_event_loop()
    except RuntimeError:
        return None


def _make_no_loop() -> Callable[[], None]:
    """Keep Python before 3.14 from making a loop for whoever asks for the current one, as looptime does for every test.

    Nobody would close it, and the warning of that would fail a test at random. What is returned lets it make one again.
    """
    if sys.version_info < (3, 14):
        policy = asyncio.get_event_loop_policy()  # pyright: ignore[reportDeprecated]  # not before 3.14
        local: Any = getattr(policy, "_local", None)
        if local is not None and getattr(local, "_loop", None) is None and not getattr(local, "_set_called", True):
            asyncio.set_event_loop(None)

            def put_back() -> None:
                if getattr(local, "_loop", None) is None:
                    local._set_called = False  # noqa: SLF001  # there is no public way

            return put_back
    return lambda: None


class MakeOrchestrator:
    """What the fixture `make_orchestrator` gives: `make_orchestrator([poet])` is an orchestrator to be opened.

    It is an `Orchestrator` as any other, with defaults for tests: the model of the test's fixtures, the rule planner,
    a journal in memory, and the test's virtual time. Whatever is given takes their place.
    """

    def __init__(self, kit: Kit, models: Sequence[Any] = ()) -> None:
        """Take the models, or servers, of the fixtures that the test uses."""
        self._kit = kit
        self._models = models

    def __call__(self, agents: Sequence[Any] | Agent | Path = (), **options: Any) -> Orchestrator:
        """Return an orchestrator of these agents; `options` are those of `Orchestrator`."""
        given: dict[str, Any] = {"planner": "rules"}
        if "model" not in options:
            given["model"] = self._model()
        if self._kit.clock is not None:
            given["clock"] = self._kit.clock
        given |= options
        self._kit.watch(given["model"])
        listed = [agents] if isinstance(agents, str | Path | Agent) else [*agents]  # one alone, as of any orchestrator
        for one in listed:
            self._kit.watch([*getattr(one, "given_models", {}).values()])
        return _Orchestrator(self._kit, listed, given)

    def _model(self) -> Any:
        if len(self._models) > 1:
            raise ConfigurationError(
                "make_orchestrator: the test uses scripted_model and fake_openai; say which: "
                "model=scripted_model, or model=fake_openai.model()"
            )
        model = self._models[0] if self._models else None
        return model.model() if isinstance(model, FakeOpenAI) else model


class _Orchestrator(Orchestrator):
    """Keeps to the test's time also where the loop is its own, and tells the kit how its runs ended."""

    def __init__(self, kit: Kit, agents: Sequence[Any], options: Mapping[str, Any]) -> None:
        super().__init__(agents, **options)
        self._kit = kit

    async def run(self, goal: str | Plan, **options: Unpack[StartOptions]) -> Outcome:
        outcome = await super().run(goal, **options)
        self._kit.ended(outcome)
        return outcome

    def run_sync(self, goal: str | Plan, **options: Unpack[StartOptions]) -> Outcome:
        time = self._kit.clock
        if time is None or self._opened is not None:
            return super().run_sync(goal, **options)
        return run_in_thread(lambda: self.run(goal, **options), loop_factory=time.new_loop)
