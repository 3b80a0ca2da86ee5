"""The notebooks of the repository, as they are read: explained, run from top to bottom, and with pictures.

`.ci/run notebooks` runs them. After a change, `python -m tests.notebook` runs them and keeps what they show.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.notebook.__main__ import masked
from tests.pictures.drawing import drawn, pictured, read

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_LINES = 40


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    """Each notebook."""
    return request.param


@pytest.fixture
def cells(path: Path) -> list[dict[str, Any]]:
    """Its cells."""
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def outputs(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [output for cell in cells for output in cell.get("outputs", ())]


def test_there_are_five():
    """In the order in which they are read."""
    assert [path.stem[:3] for path in NOTEBOOKS] == ["01_", "02_", "03_", "04_", "05_"]


def test_it_was_run_from_top_to_bottom(cells: list[dict[str, Any]]):
    """Each cell once, in order, without an error."""
    counts = [cell["execution_count"] for cell in cells if cell["cell_type"] == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert [output for output in outputs(cells) if output["output_type"] == "error"] == []


def test_it_explains_itself(cells: list[dict[str, Any]]):
    """It begins with a title, hardly any two cells of code stand together, and none is long."""
    kinds = "".join(cell["cell_type"][0] for cell in cells)
    assert source(cells[0]).startswith("# ")
    assert "ccc" not in kinds
    assert kinds.count("m") >= kinds.count("c") - 1
    long = [source(cell) for cell in cells if len(source(cell).splitlines()) > MOST_LINES]
    assert long == []


def test_its_pictures_are_kept(path: Path, cells: list[dict[str, Any]]):
    """They are there without running anything, well-formed, and the file is not large."""
    svgs = [drawn(output["data"]) for output in outputs(cells) if pictured(output.get("data", {}))]
    assert svgs
    for svg in svgs:
        read(svg)
    assert path.stat().st_size < 400_000


def test_nothing_of_a_machine_is_in_it(path: Path):
    """No folder of whoever ran it last, no time, no address."""
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/(?:tmp|home|root|work|Users|private|usr|opt)/|iopub|127\.0\.0\.1", text) == []


def test_no_machine_shows_in_its_outputs(cells: list[dict[str, Any]]):
    """No owner of a run (its host, its process), no absolute path, no place in memory."""
    kept = re.sub(r"[A-Za-z0-9+/=]{200,}", "image", json.dumps(outputs(cells), ensure_ascii=False))
    owner, folder, memory = (
        r"[\w.-]+:\d+:[0-9a-f]{6,}",
        r"(?<![\w.<:/])/(?:[\w.-]+/)+[\w.-]+|[A-Z]:\\",
        r"\b0x[0-9a-f]{6,}",
    )
    assert re.findall(f"{owner}|{folder}|{memory}", kept) == []


def test_what_is_kept_names_no_machine():
    """An owner's host and process are masked wherever an output holds them; everything else stays."""
    shown = {"output_type": "stream", "text": ["taken up by my.host-1:9191:47223e04689f\n"], "data": {"x/y": "a:1:b"}}
    assert masked(shown) == {**shown, "text": ["taken up by host:pid:random\n"]}


def test_one_cell_chooses_the_model(cells: list[dict[str, Any]]):
    """Without a key nothing leaves the machine: a scripted model answers; with one a real model does."""
    choosing = [source(cell) for cell in cells if cell["cell_type"] == "code" and "OPENAI_API_KEY" in source(cell)]
    assert len(choosing) == 1
    assert "ScriptedModel" in choosing[0] or "mocked(" in choosing[0]


def test_its_links_lead_somewhere(path: Path, cells: list[dict[str, Any]]):
    """To other notebooks and to the guide."""
    targets = [target for cell in cells for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", source(cell))]
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_its_code_is_python(cells: list[dict[str, Any]]):
    """No magic command: every cell can be pasted into a script that may await."""
    for cell in cells:
        if cell["cell_type"] == "code":
            compile(source(cell), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
