"""The examples of the README and the guide: every fenced block runs.

1. The Python blocks of a page run in order in one namespace, as a reader would paste them.
2. The shell blocks of a page run in order in a copy of the documents. A server that speaks Chat Completions stands in
   for a provider.
3. A block with `<!-- file: test_poet.py -->` just above it is a file of a project; pytest passes all tests of a page.
4. The set-up and test blocks of "Quick start" are run by `.ci/run`. Any other block that does not run says why, in a
   comment just above it: `<!-- not run: it starts a server -->`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"(?:^<!-- (?:not run: (?P<reason>.+?)|file: (?P<file>\S+)) -->\n+)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
RUN_BY_CI = {"README.md": ("Quick start",), "CONTRIBUTING.md": ("Set up and check",)}
SHELLS = {"bash", "sh", "shell", "console"}


@dataclass(frozen=True)
class Block:
    """A fenced block that is to be run."""

    line: int
    language: str
    text: str
    section: str
    file: str | None = None
    """The file of a project that it is, if it is one."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def all_blocks(page: Path) -> Iterator[tuple[Block, str | None]]:
    """Go through the blocks of a page, each with the reason why it is not run, if one is given."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        above = text[: match.start("text")]
        sections = re.findall(r"^## (.+)$", above, re.MULTILINE)
        block = Block(
            above.count("\n"), match["language"], match["text"], sections[-1] if sections else "", match["file"]
        )
        yield block, match["reason"]


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in these languages that pytest runs."""
    elsewhere = RUN_BY_CI.get(name_of(page), ())
    return [
        block
        for block, reason in all_blocks(page)
        if block.language in languages and reason is None and not block.file and block.section not in elsewhere
    ]


def files(page: Path) -> list[Block]:
    """Return the blocks of a page that are files of a project."""
    return [block for block, _ in all_blocks(page) if block.file]


def pages_with(*languages: str) -> list[Any]:
    return [pytest.param(page, id=name_of(page)) for page in PAGES if blocks(page, *languages)]


PLAN = {
    "tasks": [
        {
            "id": "look",
            "agent": "librarian",
            "objective": "",
            "inputs": [{"name": "question", "value": "$goal"}],
            "needs": [],
        },
        {
            "id": "text",
            "agent": "summarizer",
            "objective": "Sum up.",
            "inputs": [{"name": "parts", "value": "$look"}],
            "needs": [],
        },
    ],
    "answer": "$text",
}


def speak(request: dict[str, Any]) -> Iterator[bytes]:
    """Answer a chat request, streamed if asked for: with a plan where one is wanted, else with a sentence."""
    form = request.get("response_format", {}).get("json_schema", {}).get("name")
    content = json.dumps(PLAN) if form == "plan" else "This is what the stand-in says."
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17}
    head = {"id": "1", "created": 1, "model": request["model"]}
    if not request.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        yield json.dumps({**head, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        return
    for delta, reason in ((message, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {**head, "object": "chat.completion.chunk", "choices": [choice], "usage": usage if reason else None}
        yield f"data: {json.dumps(chunk)}\n\n".encode()
    yield b"data: [DONE]\n\n"


class StandIn(BaseHTTPRequestHandler):
    """A server that speaks Chat Completions."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        kind = "text/event-stream" if request.get("stream") else "application/json"
        self.send_header("Content-Type", kind)
        self.end_headers()
        for piece in speak(request):
            self.wfile.write(piece)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def stand_in() -> Generator[str]:
    """Serve the stand-in; give its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with what the examples refer to."""
    for name in ("docs", "notebooks"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_examples_run(page: Path, workplace: Path):
    """What a page shows in Python works as it stands."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for number, block in enumerate(blocks(page, "python")):
        # Line numbers of the page, and a file from which a function's source can be read.
        path = workplace / f"{page.stem}_{number}.py"
        path.write_text("\n" * block.line + block.text, encoding="utf-8")
        with chdir(workplace):
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), namespace)


@pytest.mark.parametrize("mode", ["strict", "auto"])
@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES if files(page)])
@pytest.mark.timeout(180)
def test_projects_of_examples_pass(page: Path, mode: str, pytester: pytest.Pytester):
    """The tests that a page shows pass in a project of their own, in both modes of pytest-asyncio."""
    for block in files(page):
        pytester.path.joinpath(str(block.file)).write_text("\n" * block.line + block.text, encoding="utf-8")
    plugin = ("-p", "no:agentorch", "-p", "agentorch.pytest_plugin")
    done = pytester.runpytest_subprocess(*plugin, "--strict-markers", f"--asyncio-mode={mode}", "-pno:randomly")
    tests = [block for block in files(page) if str(block.file).startswith("test_")]
    assert done.ret == 0
    assert done.parseoutcomes().keys() == {"passed"}
    assert done.parseoutcomes()["passed"] >= len(tests) > 0


@pytest.mark.parametrize("page", pages_with(*SHELLS))
@pytest.mark.timeout(120)
def test_shell_examples_run(page: Path, workplace: Path):
    """What a page shows for the terminal works as it stands, with a stand-in for the provider."""
    script = "\n".join(block.text for block in blocks(page, *SHELLS))
    with stand_in() as base_url:
        script = re.sub(r"(OPENAI_BASE_URL=)\S+", rf"\g<1>{base_url}", script)
        given = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "OPENAI_BASE_URL": base_url}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=workplace,
            env=os.environ | given | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_every_block_says_its_language(page: Path):
    """A block without a language, other than a picture or an output, could be one that was meant to run."""
    wrong = [f"{name_of(page)}:{block.line}" for block, _ in all_blocks(page) if block.language == "py"]
    assert wrong == []


def test_the_quick_start_has_two_blocks():
    """One block answers a question, the other runs the tests; `.ci/run` executes both."""
    found = [block for block, _ in all_blocks(PAGES[0]) if block.section == "Quick start"]
    assert [block.language for block in found] == ["bash", "bash"]
    assert "agentorch run" in found[0].text
    assert found[1].text.rstrip().splitlines()[-1].startswith("pytest")


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in PAGES])
def test_links_between_pages_lead_somewhere(page: Path):
    """A link to another page of the repository names a page, and a heading, that is there."""
    broken: list[str] = []
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        linked = (page.parent / path) if path else page
        if not linked.exists() or (anchor and anchor not in anchors_of(linked)):
            broken.append(target)
    assert broken == []


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_each_promise_of_the_readme_has_its_test():
    """The table names the files of `tests/promises`, each once."""
    named = re.findall(r"`(test_\d\d_\w+\.py)` \|", PAGES[0].read_text(encoding="utf-8"))
    assert named == sorted(path.name for path in (ROOT / "tests" / "promises").glob("test_*.py"))
