"""The Dockerfile of the guide: what it says is sound, and its steps do what the page promises. Docker is not used."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_examples import all_blocks

PAGE = Path(__file__).parent.parent.parent / "docs" / "how-to" / "run-under-docker.md"
FILES = {block.title: block.text for block, _ in all_blocks(PAGE) if block.title is not None}
STEPS = [line.split(maxsplit=1) for line in FILES["Dockerfile"].splitlines()]


def said(instruction: str) -> list[str]:
    return [rest for name, rest in STEPS if name == instruction]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder as the image has it: what COPY takes from beside the Dockerfile."""
    beside, app = tmp_path / "beside", tmp_path / "app"
    for name, text in FILES.items():
        (beside / name).parent.mkdir(parents=True, exist_ok=True)
        (beside / name).write_text(text, encoding="utf-8")
    (beside / "agentorch.toml").touch()
    for step in said("COPY"):
        *sources, target = [word for word in step.split() if not word.startswith("--")]
        for source in sources:
            found = beside / source
            assert found.exists(), f"COPY {source}: not among the files of the page"
            kept = app / target if source.endswith("/") else app / target / source
            kept.parent.mkdir(parents=True, exist_ok=True)
            found.rename(kept)
    return app


def test_every_instruction_is_one_that_docker_knows():
    """And the program is started in the form in which signals reach it."""
    known = {"FROM", "RUN", "USER", "WORKDIR", "COPY", "ENV", "VOLUME", "STOPSIGNAL", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in STEPS} <= known
    assert STEPS[0][0] == "FROM"
    assert [line[0] for name in ("ENTRYPOINT", "CMD") for line in said(name)] == ["[", "["]


def test_the_journal_is_on_the_volume_and_may_be_written():
    """The folder is made for the user that the program runs as, before there is a volume."""
    (journal,) = [rest.partition("=")[2] for rest in said("ENV") if rest.startswith("AGENTORCH_JOURNAL=")]
    (volume,) = said("VOLUME")
    (user,) = said("USER")
    assert Path(journal).parent == Path(volume)
    assert any(f"mkdir {volume}" in step and f"chown {user} {volume}" in step for step in said("RUN"))
    assert [name for name, _ in STEPS].index("USER") < [name for name, _ in STEPS].index("WORKDIR")


def test_the_command_of_the_image_does_what_the_page_says(image: Path, tmp_path: Path):
    """ENTRYPOINT and CMD, in the folder that COPY has filled; then the same again, over the same volume."""
    entry, arguments = (
        shlex.split(line.strip("[]").replace(",", " ")) for name in ("ENTRYPOINT", "CMD") for line in said(name)
    )
    journal = {"AGENTORCH_JOURNAL": str(tmp_path / "data" / "runs.db"), "PYTHONPATH": str(PAGE.parents[2])}
    (tmp_path / "data").mkdir()
    assert entry == ["agentorch"]

    def container(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "agentorch", *words],
            cwd=image,
            env=os.environ | journal,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    answer = container(*arguments)
    assert (answer, container("resume", "last")) == ("Hello, Ada!\n", answer)
    assert "succeeded" in container("runs")
