"""Runs the notebooks and keeps what they show, without anything of the machine: after a change of one of them.

python -m tests.notebook               all of them
python -m tests.notebook 03_failures   these
"""

import os
import re
import sys
from pathlib import Path
from typing import Any, cast

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
OWNER = re.compile(r"[\w.-]+:\d+:[0-9a-f]{12}\b")
"""Who carries out a run: host, process, and a random part."""


def masked(shown: Any) -> Any:
    """Return what a cell showed without the name of the machine that it ran on."""
    match shown:
        case str():
            return OWNER.sub("host:pid:random", shown)
        case list():
            return [masked(each) for each in cast("list[Any]", shown)]
        case dict():
            return {name: masked(each) for name, each in cast("dict[str, Any]", shown).items()}
        case _:
            return shown


def run(path: Path) -> None:
    """Run a notebook from top to bottom and write it back."""
    read: Any = nbformat
    notebook = read.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources, record_timing=False).execute()
    notebook.metadata = METADATA
    for number, cell in enumerate(notebook.cells, 1):
        cell.id, cell.metadata = f"cell-{number:02}", {}
        if cell.cell_type == "code":
            cell.outputs = [nbformat.NotebookNode(masked(output)) for output in cell.outputs]
    read.write(notebook, path)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    os.environ.pop("OPENAI_API_KEY", None)  # what is kept is what the scripted models said
    for name in sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.ipynb")):
        run(FOLDER / f"{name}.ipynb")
