"""Which functions another process can load, and what is said of the others, in one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agentorch import Agent, Orchestrator, agent
from agentorch.errors import ConfigurationError
from agentorch.isolation import place_of
from agentorch.isolation.frames import decode, encode


class Resource:
    """Something that is no JSON."""


@agent(description="At the top of a module.", isolate=True)
def plain(word: str) -> str:
    return word


class Holder:
    """Holds an agent."""

    @staticmethod
    @agent(description="In a class.", isolate=True)
    def held(word: str) -> str:
        return word.upper()


@agent(description="Takes a resource.", isolate=True)
def taking(thing: Resource) -> str:
    return repr(thing)


async def test_functions_of_modules_and_classes_run_there() -> None:
    """The module's name may be one that only the tests' importer knows: its file is loaded then."""
    async with Orchestrator([plain]) as orchestrator:
        first = await orchestrator.run("hello")
    held: Any = Holder.held
    async with Orchestrator([held]) as orchestrator:
        second = await orchestrator.run("hello")

    assert (first.answer, second.answer) == ("hello", "HELLO")


def test_a_function_in_a_function_is_refused() -> None:
    """When the team is opened, before anything is spent."""

    @agent(description="A closure.", isolate=True)
    def inner(word: str) -> str:
        return word

    with pytest.raises(ConfigurationError, match=r"'inner': isolate=True: .*<locals>.inner is defined inside a func"):
        _ = place_of(inner)


async def test_a_resource_is_refused() -> None:
    """It belongs to the parent's process."""
    with pytest.raises(ConfigurationError, match=r"resource 'thing: Resource' cannot cross; make it in the agent"):
        async with Orchestrator([taking], resources=[Resource()]):
            pass


@pytest.mark.parametrize(
    ("memory", "words"),
    [("lots", "give a size such as '512MB' or '2GiB'"), (0, "give a size"), ("-5MB", "give a size")],
)
def test_a_size_that_is_none_is_refused(memory: Any, words: str) -> None:
    """In one line that names the agent and the value."""
    with pytest.raises(ConfigurationError, match=words):
        agent(description="d", isolate=True, memory=memory)(lambda: None)


def test_sizes() -> None:
    """Decimal and binary units, or bytes."""

    def body(word: str) -> str:
        return word

    sizes = [
        agent(description="d", isolate=True, memory=size)(body).memory for size in ("512MB", "2GiB", 1000, "1.5 kb")
    ]
    assert sizes == [512_000_000, 2 * 1024**3, 1000, 1500]
    with pytest.raises(ConfigurationError, match="give isolate=True with it"):
        agent(description="d", memory="1GB")(body)


def test_a_prompt_agent_needs_no_process() -> None:
    """Its model calls can be stopped."""
    with pytest.raises(ConfigurationError, match="isolate=True is for functions"):
        Agent("critic", description="d", prompt="p", isolate=True)


SCRIPT = """
from agentorch import Orchestrator, agent

@agent(description="Says hello.", isolate=True)
async def hello(name: str) -> str:
    return f"hello {name} in {__name__}"

GUARD
    print(Orchestrator([hello]).run_sync("Ada"))
"""


@pytest.mark.parametrize(
    ("guard", "words"),
    [
        ("if __name__ == '__main__':", "hello Ada in agentorch_script"),
        ("if True:", 'below `if __name__ == "__main__":`'),
    ],
)
def test_a_script_with_its_start_guarded(tmp_path: Path, guard: str, words: str) -> None:
    """As with multiprocessing; without the guard the child says what to do instead of starting runs for ever."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("GUARD", guard), encoding="utf-8")
    said = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=50)
    assert words in said.stdout + said.stderr


def test_a_prompt_has_no_file() -> None:
    """What was typed at a prompt, or in a notebook, is in no file."""
    code = SCRIPT.replace("GUARD", "if True:")
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=50)
    assert "'hello': isolate=True: it is in a notebook or at a prompt, in no file; put it into one" in said.stderr


ORPHANED = """
import os, time
from pathlib import Path
from agentorch import Orchestrator, agent

@agent(description="Never ends.", isolate=True)
def endless(file: str) -> str:
    Path(file).write_text(str(os.getpid()))
    time.sleep(600)
    return file

if __name__ == "__main__":
    Orchestrator([endless]).run_sync(os.environ["PIDS"])
"""


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    """Also when that is killed, and also when it holds its only thread."""
    script, file = tmp_path / "script.py", tmp_path / "pids"
    script.write_text(ORPHANED, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PIDS": str(file)})
    while not (file.exists() and file.read_text(encoding="utf-8")):
        assert parent.poll() is None
    child = int(file.read_text(encoding="utf-8"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while _runs(child):
        pass


def _runs(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rsplit(")", 1)[1].split()[0] not in "ZX"


def test_what_is_no_frame_is_refused() -> None:
    """Nothing but the known types, and nothing too long."""
    with pytest.raises(ValueError, match="unknown frame 'Shell'"):
        decode(b'{"type": "Shell", "frame": {}}')
    assert encode(decode(b'{"type": "Report", "frame": {"text": "x"}}'))[4:] == (
        b'{"type":"Report","frame":{"text":"x","within":0}}'
    )
