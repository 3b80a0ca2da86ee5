"""The pytest plugin, in a project of somebody's own."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.kit.project import pytest_in

pytestmark = pytest.mark.timeout(180)  # each starts pytest anew

PASSING = """
from unittest import mock

import anyio
import pytest
from agentorch import Policy
from agentorch.testing import Fail, Reply, Say
from team import poet, sleeper


async def test_poet(make_orchestrator, scripted_model):
    scripted_model.on("Ode!", agent="poet")
    async with make_orchestrator([poet]) as orchestrator:
        assert (await orchestrator.run("An ode to buses")).answer == "Ode!"


@pytest.mark.asyncio
async def test_marked(make_orchestrator, scripted_model, virtual_clock):
    scripted_model.on(Reply("Ode!", delay=60), agent="poet")
    async with make_orchestrator([poet]) as orchestrator:
        assert (await orchestrator.run("An ode")).answer == "Ode!"
    assert 60 <= virtual_clock.elapsed < 61


def test_sync(make_orchestrator, scripted_model):
    scripted_model.on("Ode!", agent="poet")
    assert make_orchestrator([poet]).run_sync("An ode to buses").answer == "Ode!"


async def test_an_hour(make_orchestrator, virtual_clock):
    async with make_orchestrator([sleeper], policy=Policy(timeout=None)) as orchestrator:
        assert (await orchestrator.run("Sleep")).answer == "awake"
    assert virtual_clock.elapsed >= 3600


def test_an_hour_in_sync(virtual_clock, make_orchestrator):
    outcome = make_orchestrator([sleeper], policy=Policy(timeout=None)).run_sync("Sleep")
    assert outcome.answer == "awake"
    assert 3600 <= virtual_clock.elapsed < 3700


async def test_server(make_orchestrator, fake_openai, virtual_clock):
    fake_openai.then(Fail(429, retry_after=40), Say("Ode!"))
    async with make_orchestrator([poet]) as orchestrator:
        assert (await orchestrator.run("An ode to buses")).answer == "Ode!"
    assert virtual_clock.elapsed >= 40


async def test_here_may_be_reached(make_orchestrator):
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with await anyio.connect_tcp("localhost", port):
            pass


@mock.patch("os.getcwd")
async def test_other_arguments(getcwd, make_orchestrator, scripted_model, times=1):
    scripted_model.on("Ode!", agent="poet")
    async with make_orchestrator([poet]) as orchestrator:
        assert (await orchestrator.run("An ode")).answer == "Ode!"
    assert (isinstance(getcwd, mock.Mock), times) == (True, 1)


@pytest.mark.agentorch(unused=True)
def test_some_may_be_unused(scripted_model):
    scripted_model.on("Ode!", agent="poet")


def test_without_the_kit():
    import socket

    assert "guarded" not in socket.socket.connect.__qualname__
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_tests_of_agents_run_in_both_modes_of_pytest_asyncio(pytester: pytest.Pytester, mode: str) -> None:
    """Async without a mark, async with one, and sync; in real and in virtual time."""
    pytest_in(pytester, PASSING, mode=mode)().assert_outcomes(passed=10)


THREADS = """
import time

import anyio
import pytest
from agentorch import Plan, agent


@agent(description="Works in a thread.")
def worker() -> str:
    time.sleep(0.3)
    return "done"


@agent(description="Works in a thread, and asks the loop for a nap.")
def asker() -> str:
    anyio.from_thread.run(anyio.sleep, 60)
    return "rested"


def run_both(orchestrator):
    plan = Plan("Work and rest")
    plan.add("work", agent=worker)
    plan.add("rest", agent=asker)
    return orchestrator.run(plan)


def check(outcome, clock):
    assert (outcome.outputs["work"], outcome.outputs["rest"]) == ("done", "rested")
    assert 60 <= clock.elapsed < 61


async def test_of_the_kit(make_orchestrator, virtual_clock):
    async with make_orchestrator([worker, asker]) as orchestrator:
        check(await run_both(orchestrator), virtual_clock)


@pytest.mark.asyncio
async def test_of_pytest_asyncio(make_orchestrator, virtual_clock):
    async with make_orchestrator([worker, asker]) as orchestrator:
        check(await run_both(orchestrator), virtual_clock)


def test_sync(make_orchestrator, virtual_clock):
    outcome = make_orchestrator([worker]).run_sync("Work")
    assert (outcome.answer, virtual_clock.elapsed < 1) == ("done", True)
"""


def test_virtual_time_stands_still_while_a_thread_works(pytester: pytest.Pytester) -> None:
    """It does not time out; a thread that itself waits for virtual time is no thread that works."""
    pytest_in(pytester, THREADS)().assert_outcomes(passed=3)


LOOPS = """
import asyncio
import sys

import pytest


async def test_of_the_kit(make_orchestrator):
    pass


def test_of_the_kit_too(make_orchestrator):
    pass


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="there, nobody is given a loop")
def test_of_others():
    loop = asyncio.get_event_loop_policy().get_event_loop()
    assert loop.run_until_complete(asyncio.sleep(0, "ran")) == "ran"
    loop.close()
"""


def test_the_current_loop_is_as_before_afterwards(pytester: pytest.Pytester) -> None:
    """A test without the kit that asks for it is given one, as without the kit."""
    result = pytest_in(pytester, LOOPS)()
    result.assert_outcomes(passed=3 - (sys.version_info >= (3, 14)), skipped=int(sys.version_info >= (3, 14)))


FAILING = """
import socket

import pytest
from agentorch import Agent, agent
from agentorch.testing import Say, ScriptedModel
from team import poet


async def test_miss(make_orchestrator, scripted_model):
    scripted_model.on("Ode!", agent="poet", containing="lorries")
    async with make_orchestrator([poet]) as orchestrator:
        await orchestrator.run("An ode to buses")


async def test_miss_in_a_test_that_fails(make_orchestrator, scripted_model):
    async with make_orchestrator([poet]) as orchestrator:
        assert (await orchestrator.run("An ode to buses")).answer == "Ode!"


def test_miss_of_the_agents_own_model(make_orchestrator):
    lone = Agent("lone", description="Writes.", prompt="Write.", model=ScriptedModel({"nobody": "asks"}))
    make_orchestrator([lone]).run_sync("Go")


@agent(description="Breaks.")
def broken() -> str:
    return {}["the key"]


async def test_a_run_that_fails(make_orchestrator, scripted_model):
    async with make_orchestrator([broken]) as orchestrator:
        assert (await orchestrator.run("Break")).answer == "whole"


def test_a_run_without_a_model(make_orchestrator):
    assert make_orchestrator([poet]).run_sync("An ode").answer == "Ode!"


def test_unused(scripted_model):
    scripted_model.on("Ode!", agent="critic")


def test_server_unasked(fake_openai):
    fake_openai.then(Say("Ode!"))


def test_server_asked_in_vain(make_orchestrator, fake_openai):
    make_orchestrator([poet]).run_sync("An ode to buses")


def test_network(make_orchestrator):
    with pytest.raises(Exception, match="may not reach example.org:80"):
        socket.create_connection(("example.org", 80))


def test_address(make_orchestrator):
    with socket.socket() as one, pytest.raises(Exception, match="may not reach 192.0.2.1:80"):
        one.connect_ex(("192.0.2.1", 80))


def test_both_models(make_orchestrator, scripted_model, fake_openai):
    make_orchestrator([poet])


@pytest.mark.agentorch(netwrok=True)
def test_a_wrong_setting(make_orchestrator):
    pass
"""


def test_what_is_wrong_fails_the_test_in_words(pytester: pytest.Pytester) -> None:
    """A miss, whatever the run made of it; what nobody asked for; a step towards the network; why a run failed."""
    result = pytest_in(pytester, FAILING)()
    result.assert_outcomes(failed=11, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*the script has no answer for request 1 (agent 'poet', task 'poet', purpose 'work'):",
            "*the nearest rule is agent 'poet', containing 'lorries', but:",
            "*containing 'lorries': the nearest text is *",
            "E*the script has no answer for request 1 *",
            "E*it has no rules; give it one: *",
            "*the script has no answer for request 1 (agent 'lone', task 'lone', purpose 'work'):",
            "E *run * failed: crash broken: *KeyError: 'the key'*",
            "E *run * failed: plan: no agent can be used: *or a model for those that need one",
            "never asked for: agent 'critic' (used 0 times); if that is meant, *unused=True*",
            "never asked for: an answer of the fake server, Say(text='Ode!'); if that is meant, *",
            "*the fake server has no answer left for request 1 (model 'gpt-5-mini'):",
            "*the test tried to reach example.org:80, and was not let; *network=True*",
            "*the test tried to reach 192.0.2.1:80*",
            "*the test uses scripted_model and fake_openai; say which: *",
        ],
    )
    result.stdout.fnmatch_lines(["*has no setting 'netwrok'; there are: network, unused"])


NETWORK = """
import socket

import pytest
from agentorch.testing import NetworkBlocked


@pytest.mark.agentorch(network=["192.0.2.1"])
def test_a_host(make_orchestrator):
    with socket.socket() as one:
        one.settimeout(0.01)
        with pytest.raises(OSError) as raised:
            one.connect(("192.0.2.1", 80))
        assert not isinstance(raised.value, NetworkBlocked)


@pytest.mark.agentorch(network=True)
def test_all(make_orchestrator):
    assert "guarded" not in socket.socket.connect.__qualname__
"""


def test_the_network_is_allowed_by_the_mark(pytester: pytest.Pytester) -> None:
    """All of it, or the hosts that are named."""
    pytest_in(pytester, NETWORK, options=["-p", "no:socket"])().assert_outcomes(passed=2)


OPEN = """
import socket


def test_all(make_orchestrator):
    assert "guarded" not in socket.socket.connect.__qualname__
"""


def test_the_network_is_open_where_answers_are_recorded(pytester: pytest.Pytester) -> None:
    """For one run of pytest, by its option; without it, the same test fails."""
    run = pytest_in(pytester, OPEN)
    run("--agentorch-network", "-p", "no:socket").assert_outcomes(passed=1)
    run("-p", "no:socket").assert_outcomes(failed=1)


OTHERS = """
import asyncio

import pytest


@pytest.mark.anyio
async def test_of_another_plugin(make_orchestrator, anyio_backend_name):
    assert anyio_backend_name == "asyncio"


async def test_nobody_runs():
    pass


@pytest.mark.anyio
async def test_real_time(virtual_clock, anyio_backend_name):
    virtual_clock.now()


@pytest.fixture
def anyio_backend():
    return "asyncio"
"""


def test_what_is_not_the_kits_is_left_alone(pytester: pytest.Pytester) -> None:
    """Another plugin runs its tests; a test without the fixtures is as without the plugin; real time is told."""
    result = pytest_in(pytester, OTHERS)()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        ["*async def functions are not natively supported*", "*ConfigurationError: virtual time:*"]
    )


def test_a_pytest_without_the_kit_loads_nothing_of_it() -> None:
    """Every pytest beside an installed agentorch imports the plugin: that is this module, and no other."""
    plugin = "import pytest, sys\nbefore = {*sys.modules}\nimport agentorch.pytest_plugin\n"
    script = plugin + "print(*sorted({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["agentorch", "agentorch.pytest_plugin"]


REWRITTEN = """
import sys

import agentorch.core.state
import agentorch.testing.journal_conformance
import pytest


@pytest.mark.parametrize(("name", "rewritten"), [("core.state", False), ("testing.journal_conformance", True)])
def test_loader(name, rewritten):
    loader = sys.modules[f"agentorch.{name}"].__loader__
    assert (type(loader).__name__ == "AssertionRewritingHook") is rewritten
"""


def test_asserts_are_rewritten_in_the_suites_alone(pytester: pytest.Pytester) -> None:
    """Pytest marks all of a package that brings a plugin: the rest of agentorch is imported as it is installed."""
    pytester.makepyfile(marking="import pytest\n\npytest.register_assert_rewrite('agentorch')\n")
    pytest_in(pytester, REWRITTEN)
    result = pytester.runpytest_subprocess("-p", "no:agentorch", "-p", "marking", "-p", "agentorch.pytest_plugin")
    result.assert_outcomes(passed=2)


def test_the_package_brings_the_plugin(repository: Path) -> None:
    """By its entry point, with an extra for what it needs."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"agentorch": "agentorch.pytest_plugin"}
    needed = {requirement.split(">")[0] for requirement in project["optional-dependencies"]["testing"]}
    assert needed == {"looptime", "pytest", "pytest-asyncio", "pytest-httpx2", "respx"}
