"""Without the extra, agentorch works, and what needs it says how it is had."""

import subprocess
import sys

import pytest

WITHOUT = """
import sys

sys.modules[{missing!r}] = None
from agentorch.errors import MissingExtraError
from agentorch.testing import FakeOpenAI, ScriptedModel, VirtualClock

try:
    with {used}:
        pass
except MissingExtraError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("missing", "used", "feature"),
    [
        ("respx", "FakeOpenAI()", "FakeOpenAI"),
        ("pytest_httpx2", "FakeOpenAI()", "FakeOpenAI"),
        ("looptime", "VirtualClock()", "virtual time"),
    ],
)
def test_what_is_missing_is_named_with_its_install_line(missing: str, used: str, feature: str) -> None:
    """One line, as for every other extra; importing the kit needs none of it."""
    script = WITHOUT.format(missing=missing, used=used)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{feature} needs the extra [testing]: pip install 'agentorch[testing]'\n"
