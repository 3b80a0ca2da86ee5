"""The pytest plugin: fixtures for tests of agents; `agentorch.testing.kit` says what they check.

1. Every pytest beside an installed agentorch loads this, so it imports nothing that is not used: a fixture imports the
   kit when a test asks for it.
2. A test that uses none of the fixtures is not touched.
"""

import inspect
import sys
from contextlib import closing, nullcontext
from typing import Any

import pytest

_KIT = pytest.StashKey[Any]()
_MODELS = ("scripted_model", "fake_openai")


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Take the kit's one option; keep pytest from compiling all of agentorch anew."""
    _rewrite_only_the_suites(pluginmanager)
    parser.getgroup("agentorch").addoption(
        "--agentorch-network",
        action="store_true",
        help="Let tests with agentorch's fixtures reach the network: for those that record a model's answers.",
    )


def _rewrite_only_the_suites(pluginmanager: pytest.PytestPluginManager) -> None:
    """Undo what pytest does to a package that brings a plugin: it rewrites the asserts of all its modules.

    Where no bytecode may be written, that made each start of pytest 1.5 seconds longer that imports agentorch. There is
    no public way; where pytest keeps its marks elsewhere one day, all is rewritten as before.
    """
    hook: Any = getattr(pluginmanager, "rewrite_hook", None)
    marked: Any = getattr(hook, "_must_rewrite", None)
    if isinstance(marked, set) and "agentorch" in marked:
        marked.discard("agentorch")
        hook.mark_rewrite("agentorch.testing")


def pytest_configure(config: pytest.Config) -> None:
    """Make the kit's one marker known."""
    config.addinivalue_line(
        "markers",
        "agentorch(network=False, unused=False): for tests with agentorch's fixtures: may reach the network (True, or "
        "a list of hosts); may leave scripted answers unused",
    )


@pytest.fixture
def _agentorch_kit(request: pytest.FixtureRequest):
    from agentorch.testing.kit import Kit

    settings = [mark.kwargs for mark in request.node.iter_markers("agentorch")]
    if request.config.getoption("--agentorch-network"):
        settings.insert(0, {"network": True})
    kit = Kit({name: value for one in reversed(settings) for name, value in one.items()})
    request.node.stash[_KIT] = kit
    with closing(kit), kit.network or nullcontext():
        yield kit
    del request.node.stash[_KIT]


@pytest.fixture
def virtual_clock(request: pytest.FixtureRequest, _agentorch_kit: Any):
    """The test's event loop in virtual time: a sleep takes no real time. `virtual_clock.elapsed` says what it took."""
    from agentorch.testing.clock import VirtualClock

    _agentorch_kit.clock = VirtualClock()
    if any(line.startswith("looptime") for line in request.config.getini("markers")):
        request.node.add_marker("looptime")  # with it, its own plugin makes the loops of pytest-asyncio virtual
    return _agentorch_kit.clock


@pytest.fixture
def scripted_model(_agentorch_kit: Any):
    """A `ScriptedModel` without rules: `scripted_model.on("An ode.", agent="poet")`."""
    from agentorch.testing.scripted_model import ScriptedModel

    model = ScriptedModel()
    _agentorch_kit.watch(model)
    return model


@pytest.fixture
def fake_openai(_agentorch_kit: Any):
    """An open `FakeOpenAI` without answers: `fake_openai.then(Fail(429), Say("An ode."))`."""
    from agentorch.testing.fake_openai import FakeOpenAI

    with FakeOpenAI() as server:
        _agentorch_kit.watch(server)
        yield server


@pytest.fixture
def make_orchestrator(request: pytest.FixtureRequest, _agentorch_kit: Any):
    """What makes an orchestrator with defaults for tests; open it in the test's body, not in a fixture."""
    from agentorch.testing.kit import MakeOrchestrator

    if "virtual_clock" in request.fixturenames:
        request.getfixturevalue("virtual_clock")
    models: list[Any] = [request.getfixturevalue(name) for name in _MODELS if name in request.fixturenames]
    return MakeOrchestrator(_agentorch_kit, models)


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that uses the kit and that no other plugin runs: it needs no mark."""
    kit = pyfuncitem.stash.get(_KIT, None)
    if kit is None or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    item: Any = pyfuncitem
    wanted = item._fixtureinfo.argnames  # noqa: SLF001  # not those with defaults, nor what a mock is given
    kit.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.hookimpl(trylast=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """When its body has passed: fail a test that has left behind what it must not."""
    kit = item.stash.get(_KIT, None)
    if kit is not None and (wrong := kit.wrong()):
        kit.told = True
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Where the body has failed, say what may be the cause."""
    kit = item.stash.get(_KIT, None)
    if kit is None or kit.told or call.when != "call" or call.excinfo is None:
        return
    if kit.clock is not None and kit.clock.stuck and call.excinfo.typename == "CancelledError":
        # Where the body was cancelled says nothing: the clock has done it.
        failure: Any = pytest.fail.Exception(kit.clock.stuck, pytrace=False)
        call.excinfo = pytest.ExceptionInfo[Any].from_exception(failure.with_traceback(call.excinfo.tb))
        return
    for reason in kit.reasons():
        call.excinfo.value.add_note(reason)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let the process end although a thread of a plain function never does."""
    if "agentorch.testing.kit" in sys.modules:
        from agentorch.testing.leaving import end_with

        end_with(lambda: int(session.exitstatus))
