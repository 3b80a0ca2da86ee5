"""The examples of the README and the guide: every fenced block runs.

1. The Python blocks of a page run in order in one namespace, as a reader would paste them.
2. The shell blocks of a page run in order in a copy of the documents. A server that speaks Chat Completions stands in
   for a provider.
3. A block with a title (```python title="team.py") is a file that the reader saves: it is there for the shell blocks
   below it, and is not run by itself. On a page without shell blocks, pytest passes all tests among them.
4. A `text` block right below a shell block is something that it prints, but for line breaks.
5. The set-up and test blocks of "Quick start" are run by `.ci/run`. Any other block that does not run says why, in a
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
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.kit.project import PLUGIN

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+?) -->\n+)?^```(?P<language>\w*)"
    r"(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
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
    title: str | None = None
    """The file that the reader saves it as."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def all_blocks(page: Path) -> Iterator[tuple[Block, str | None]]:
    """Go through the blocks of a page, each with the reason why it is not run, if one is given."""
    text = page.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        above = text[: match.start("text")]
        sections = re.findall(r"^## (.+)$", above, re.MULTILINE)
        block = Block(
            above.count("\n"), match["language"], match["text"], sections[-1] if sections else "", match["title"]
        )
        yield block, match["reason"]


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in these languages that pytest runs."""
    elsewhere = RUN_BY_CI.get(name_of(page), ())
    return [
        block
        for block, reason in all_blocks(page)
        if block.language in languages and reason is None and block.title is None and block.section not in elsewhere
    ]


def files(page: Path) -> list[Block]:
    """Return the blocks of a page that are files of a project, where no shell block does something with them."""
    return [] if blocks(page, *SHELLS) else [block for block, _ in all_blocks(page) if block.title]


def collected_of(page: Path) -> list[Block]:
    """Return those of them that pytest collects."""
    return [block for block in files(page) if str(block.title).startswith("test_")]


def saved(block: Block) -> str:
    """Return shell commands that save a block as the file that it is the text of."""
    end = f"END-OF-{block.line}"
    return f"mkdir -p \"$(dirname '{block.title}')\"\ncat >'{block.title}' <<'{end}'\n{block.text}{end}\n"


def script_of(page: Path) -> str:
    """Return the shell blocks of a page as one script, with the files that the page has its reader save."""
    parts: list[str] = []
    for block, reason in all_blocks(page):
        if reason is None and block.title is not None:
            parts.append(saved(block))
        elif block in blocks(page, *SHELLS):
            parts.append(block.text)
    return "\n".join(parts)


def outputs_of(page: Path) -> Iterator[str]:
    """Go through what a page says that its shell blocks print: each `text` block right below one."""
    commands = [(block, reason) for block, reason in all_blocks(page)]
    for (block, reason), (below, _) in pairwise(commands):
        adjacent = below.line == block.line + block.text.count("\n") + 3
        if block.language in SHELLS and reason is None and below.language == "text" and adjacent:
            yield below.text


def shell_pages() -> list[Any]:
    """Return what is run together, in order, in one folder: a page, or all of the tutorial."""
    pages = [page for page in PAGES if blocks(page, *SHELLS)]
    evening = [page for page in pages if page.parent.name == "tutorial"]
    alone = [pytest.param([page], id=name_of(page)) for page in pages if page not in evening]
    return [*alone, pytest.param(evening, id="docs/tutorial")]


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
        pytester.path.joinpath(str(block.title)).write_text("\n" * block.line + block.text, encoding="utf-8")
    done = pytester.runpytest_subprocess(*PLUGIN, "--strict-markers", f"--asyncio-mode={mode}", "-pno:randomly")
    tests = collected_of(page)
    assert done.ret == 0
    assert done.parseoutcomes().keys() == {"passed"}
    assert done.parseoutcomes()["passed"] >= len(tests) > 0


@pytest.mark.parametrize("pages", shell_pages())
@pytest.mark.timeout(300)
def test_shell_examples_run(pages: list[Path], workplace: Path):
    """What a page shows for the terminal works as it stands, with a stand-in for the provider."""
    script = "\n".join(script_of(page) for page in pages)
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
    said = " ".join((done.stdout + done.stderr).split())
    assert [text for page in pages for text in outputs_of(page) if " ".join(text.split()) not in said] == []


def test_a_saved_file_is_there_for_commands_that_run():
    """A block with a title stands on a page whose shell blocks run, or whose tests do: else nobody would read it."""
    titled = [page for page in PAGES if any(block.title and reason is None for block, reason in all_blocks(page))]
    assert titled
    unread = [page for page in titled if not blocks(page, *SHELLS) and not collected_of(page)]
    assert unread == []


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
