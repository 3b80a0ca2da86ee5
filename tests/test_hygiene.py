"""The tests' own surroundings: what `conftest.py` promises to all others."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from pytest_socket import SocketConnectBlockedError


def test_no_key_and_no_proxy_is_left():
    """No test can call a provider by accident."""
    left = [name for name in os.environ if name.endswith("_API_KEY") or name.lower().endswith("_proxy")]
    assert left == []


def test_only_loopback_can_be_reached():
    """A connection to any other address is refused before it leaves the machine."""
    blocked = pytest.raises(SocketConnectBlockedError)
    with socket.socket() as outside, pytest.warns(UserWarning, match="192.0.2.1"), blocked:
        outside.connect(("192.0.2.1", 443))


def test_loopback_can_be_reached():
    """Tests may start servers of their own."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_runs_are_not_written_into_the_home_of_the_user():
    """The command line's default journal is in a folder that goes with the tests."""
    assert not Path(os.environ["XDG_DATA_HOME"]).is_relative_to(Path.home())


def test_properties_have_no_deadline():
    """A busy machine fails no property; a failure prints what repeats it."""
    assert settings.default is not None
    assert (settings.default.deadline, settings.default.print_blob) == (None, True)


@pytest.mark.timeout(120)  # it starts pytest anew
def test_the_tests_are_found_without_coverage(repository: Path):
    """A debugger needs that switched off; the mark of what is not counted is known all the same."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cov", "-p", "no:cacheprovider", "--collect-only"]
    found = subprocess.run(
        [*command, "tests/runtime/test_storms.py"], cwd=repository, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout
