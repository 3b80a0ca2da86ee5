"""Paths that lead out of what was given, and files that are none: refused in one line, and never opened."""

import os
import sys
from pathlib import Path

import pytest

from agentorch import Context, Orchestrator, Plan, Policy, agent
from agentorch.errors import (
    AgentFileError,
    AgentorchError,
    FileAccessError,
    PlanFileError,
    PromptError,
)
from agentorch.files import read_regular
from agentorch.library import Library
from agentorch.loading import load_team
from agentorch.prompts import Prompts

SECRET = "the combination is 4711"
ESCAPES = (
    "../secret.txt", "papers/../../secret.txt", "a/../../secret.txt", "/etc/passwd", "/dev/zero", "/proc/self/environ",
    "//etc//passwd", "out.txt", "outside/secret.txt",
    "\0", "a\0/../secret.txt", "\ud800", "x" * 5000, "a/" * 3000, "~root/.bashrc",
    "file:///etc/passwd",
    "", ".", "..", "C:\\Windows\\win.ini", "papers",
)  # fmt: skip


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    """A folder to read, a secret beside it, and links from the one to the other."""
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    folder = tmp_path / "papers"
    (folder / "a").mkdir(parents=True)
    (folder / "open.txt").write_text("The open text speaks of buses.", encoding="utf-8")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "outside").symlink_to(tmp_path, target_is_directory=True)
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "zero.txt").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.txt")
    return folder


@pytest.mark.parametrize("path", ESCAPES)
def test_file_agents_read_nothing_outside_their_folders(papers: Path, path: str) -> None:
    """Dots, links, absolute paths, devices, NUL, what no file system takes: FileAccessError in words."""
    with Library([papers]) as library, pytest.raises(FileAccessError) as refused:
        library.read(path)
    assert SECRET not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_search_passes_over_what_leads_out(papers: Path) -> None:
    """Links out, loops, devices and pipes are not indexed; each that leads out is said to be."""
    with Library([papers]) as library:
        assert library.refresh() == 1
        assert library.find("combination 4711") == []
        assert [passage.path for passage in library.find("buses")] == [str(papers / "open.txt")]
        assert "a symbolic link that leads out of the folders given" in " ".join(library.notes)


def test_folders_without_end_are_no_crash(tmp_path: Path) -> None:
    """Hundreds of folders in each other, and names that are no UTF-8: passed over or shown, never an exception."""
    deep = tmp_path / "deep"
    deep.mkdir()
    before = os.open(".", os.O_RDONLY)
    os.chdir(deep)
    try:
        for _ in range(500):  # more than this, and nobody could remove them
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(before)
        os.close(before)
    (tmp_path / "caf\n\x1b[2J.txt").write_text("A text of lanterns.", encoding="utf-8")
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("A text of candles.", encoding="utf-8")
    with Library([tmp_path]) as library:
        found = library.find("lanterns")
        assert len(found) == 1
        assert library.ask("What of lanterns?").found
        assert any("nested more than 100 folders deep" in note for note in library.notes)
        assert any("its name is not UTF-8" in note for note in library.notes)


@pytest.mark.parametrize(
    "named", ["/dev/zero", "pipe.yaml", "zero.yaml", ".", "nothing.yaml", "loop.yaml", "a\0.yaml", "big.yaml"]
)
def test_plan_files_that_are_none(tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device, a pipe, a loop of links, a file without end: PlanFileError at once."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.yaml")
    Path("zero.yaml").symlink_to("/dev/zero")
    Path("loop.yaml").symlink_to("loop.yaml")
    with Path("big.yaml").open("wb") as big:
        big.truncate(10**10)
    with pytest.raises(PlanFileError) as refused:
        Plan.from_file(named)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("suffix", [".md", ".py"])
def test_agent_files_that_are_none(tmp_path: Path, suffix: str) -> None:
    """The same for agent files, named or in a folder; a folder of pipes and devices is an empty one."""
    pipe, zero = tmp_path / f"pipe{suffix}", tmp_path / f"zero{suffix}"
    os.mkfifo(pipe)
    zero.symlink_to("/dev/zero")
    for path in (pipe, zero, tmp_path / f"a\0{suffix}"):
        with pytest.raises(AgentFileError):
            load_team([path])
    assert load_team([tmp_path]).agents == []


@pytest.mark.parametrize(
    "schema", ["../secret.json", "/etc/secret.json", "out.json", "sub/../../secret.yaml", "pipe.json"]
)
def test_a_schema_stands_beside_its_agent(tmp_path: Path, schema: str) -> None:
    """An agent file names no file outside of its folder: what stands there would be sent to a model."""
    folder = tmp_path / "agents"
    folder.mkdir()
    (tmp_path / "secret.json").write_text('{"type": "object", "title": "4711"}', encoding="utf-8")
    (folder / "out.json").symlink_to(tmp_path / "secret.json")
    os.mkfifo(folder / "pipe.json")
    (folder / "x.md").write_text(f"---\ndescription: d\noutput-schema: {schema}\n---\nDo it.\n", encoding="utf-8")
    with pytest.raises(AgentFileError) as refused:
        load_team([folder / "x.md"])
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "a/../../secret", "builtin/../../secret", "..\\secret", "", ".", "pipe", "a\0b"],
)
def test_templates_come_from_their_folders(tmp_path: Path, name: str) -> None:
    """Named by a program or by an include: PromptError."""
    folder = tmp_path / "prompts"
    folder.mkdir()
    (tmp_path / "secret.md.j2").write_text(SECRET, encoding="utf-8")
    os.mkfifo(folder / "pipe.md.j2")
    (folder / "including.md.j2").write_text("{% include name %}", encoding="utf-8")
    prompts = Prompts([folder])
    for rendered in (lambda: prompts.render(name), lambda: prompts.render("including", name=name)):
        with pytest.raises(PromptError) as refused:
            rendered()
        assert len(str(refused.value).splitlines()) == 1


async def test_an_agent_keeps_regular_files_only(tmp_path: Path) -> None:
    """`context.save` of a pipe, a device, a folder, nothing: FileAccessError, and no thread waits for it."""
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / "pipe", Path("/dev/zero"), tmp_path, tmp_path / "nothing", Path("a\0b")]

    @agent(description="Keeps.")
    async def keeper(context: Context) -> list[str]:
        said: list[str] = []
        for path in paths:
            try:
                await context.save(path)
            except FileAccessError as error:
                said.append(str(error))
        return said

    plan = Plan("Keep.")
    plan.add("keep", agent=keeper)
    async with Orchestrator([keeper], policy=Policy(replans=0)) as orchestrator:
        outcome = await orchestrator.run(plan)
    assert len(outcome.answer) == len(paths)


def test_a_project_folder_that_is_none(tmp_path: Path) -> None:
    """A project's agents folder that is a file, and files given that are not there: ConfigurationError."""
    (tmp_path / "agents").write_text("no folder", encoding="utf-8")
    with pytest.raises(AgentFileError):
        load_team([tmp_path / "agents"])
    for files in (["nothing"], ["a\0b"], ["\ud800"], ["/proc/self/mem/x"]):
        with pytest.raises(AgentorchError):
            Library(files)


@pytest.mark.skipif(sys.platform != "linux", reason="devices of Linux")
def test_what_is_read_is_bounded(tmp_path: Path) -> None:
    """Devices are refused unread; a regular file is read up to the bound and a byte, however large it says it is."""
    for path in ("/dev/zero", "/dev/random", "/dev/stdin", str(tmp_path), "a\0b", "\ud800"):
        with pytest.raises(OSError, match=r"."):
            read_regular(path, most=10)
    (tmp_path / "ten").write_bytes(b"0123456789")
    assert read_regular(tmp_path / "ten", most=10) == b"0123456789"
    with pytest.raises(OSError, match="at most 9 are read"):
        read_regular(tmp_path / "ten", most=9)
