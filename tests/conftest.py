"""What holds for every test: only loopback, no keys, nothing in the user's home, and seeds that are printed.

Sockets are limited by pytest-socket (see `addopts` in pyproject.toml); pytest-randomly prints its seed and shuffles.
"""

import asyncio
import os
import re
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

pytest_plugins = ["pytester", "agentorch.pytest_plugin"]

_NETWORK = re.compile(r"(_API_KEY|_BASE_URL|_ORG_ID|_PROJECT_ID)$|^(https?|all|no)_proxy$", re.IGNORECASE)
"""Variables that would let a test reach a provider, or reach it some other way."""
_OURS = re.compile(r"^(AGENTORCH_|NO_COLOR$|FORCE_COLOR$|COLUMNS$)")
"""Variables that would change what the program says."""

# pytest-asyncio 1.x on Python 3.11 would make a loop that nobody closes, and a warning of it fails a test at random.
asyncio.set_event_loop(None)

settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

_DATA = "AGENTORCH_DATA"
"""Says to the tests where recorded plans lie; the product does not know it."""


def clean_environment(data: Path) -> None:
    """Make this process, and so every process that a test starts, the same on every machine."""
    for name in [*os.environ]:
        if name != _DATA and (_NETWORK.search(name) or _OURS.search(name)):
            del os.environ[name]
    os.environ["XDG_DATA_HOME"] = str(data / "data")
    os.environ["XDG_CONFIG_HOME"] = str(data / "config")


_home = tempfile.TemporaryDirectory(prefix="agentorch-tests-", ignore_cleanup_errors=True)
clean_environment(Path(_home.name))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).parent.parent


def _unheard(number: int, frame: object) -> None:
    del number, frame


def hear_signals() -> None:
    """Have every process that a test starts hear what ends a process, also where the tests run under `nohup` or by `&`.

    What is ignored here would be ignored there; what is handled here is at its default there.
    """
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, _unheard)


hear_signals()

_UNCOUNTED = re.compile(r"tests/(simulation|faults|hostile)/|tests/runtime/test_storms\.py")
"""What tries much of everything again and again: it covers nothing more, and is slow when each line is counted."""
_COUNTED_IN_PROCESSES = "COVERAGE_PROCESS_CONFIG"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Do not ask of the pytests that tests start what the environment asks of this one."""
    if hasattr(session.config, "workerinput") or not session.config.getoption("numprocesses", None):
        os.environ.pop("PYTEST_ADDOPTS", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the tests in which pytest-cov counts nothing."""
    for item in items:
        if _UNCOUNTED.match(item.nodeid):
            item.add_marker("no_cover")


@pytest.fixture(autouse=True)
def _uncounted(request: pytest.FixtureRequest):
    """Count nothing in the processes of such a test either."""
    counted = os.environ.get(_COUNTED_IN_PROCESSES)
    if counted is None or request.node.get_closest_marker("no_cover") is None:
        yield
        return
    del os.environ[_COUNTED_IN_PROCESSES]
    yield
    os.environ[_COUNTED_IN_PROCESSES] = counted


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let a process that has nothing left take tests from another: else the last long ones run one after the other."""
    from xdist.scheduler import WorkStealingScheduling  # pyright: ignore[reportMissingTypeStubs]

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None
