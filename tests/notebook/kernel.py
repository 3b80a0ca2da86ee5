"""Runs cells in a real kernel, as JupyterLab and VS Code do, and keeps what each of them showed."""

import asyncio
from typing import Any, cast

import nbformat
from nbclient import NotebookClient

from tests.pictures.drawing import drawn, pictured


class Watched(NotebookClient):
    """A client that takes note of every message by its type."""

    heard: list[tuple[int, str, Any]]

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        self.heard.append((cell_index, msg["msg_type"], msg["content"]))
        return super().process_message(msg, cell, cell_index)


class Shown:
    """What the cells showed."""

    def __init__(self, client: Watched) -> None:
        self.outputs = [cast("list[Any]", cell.outputs) for cell in client.nb.cells]
        self._heard = client.heard

    def data(self, cell: int) -> list[dict[str, str]]:
        """Return what is left below a cell: each output by media type."""
        return [dict(output["data"]) for output in self.outputs[cell] if "data" in output]

    def text(self, cell: int) -> str:
        """Return what a cell printed."""
        return "".join(output["text"] for output in self.outputs[cell] if output["output_type"] == "stream")

    def pictures(self, cell: int) -> list[str]:
        """Return every picture that a cell drew, those drawn over included."""
        kinds = {"display_data", "update_display_data"}
        shown = [content["data"] for index, kind, content in self._heard if index == cell and kind in kinds]
        return [drawn(data) for data in shown if pictured(data)]


def run_cells(*sources: str) -> Shown:
    """Run the cells one after the other; an error in any of them is raised here."""
    made: Any = nbformat.v4
    notebook = made.new_notebook(cells=[made.new_code_cell(source) for source in sources])
    client = Watched(notebook, timeout=60, kernel_name="python3")
    client.heard = []
    asyncio.run(client.async_execute())
    return Shown(client)
