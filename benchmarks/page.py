"""Writes the tables of `docs/performance.md` anew, from what is kept: nothing is measured."""

import re
from typing import Final

from benchmarks import grids
from benchmarks.kept import Results
from benchmarks.processes import ROOT

PAGE: Final = ROOT / "docs" / "performance.md"
BLOCK: Final = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
NOTHING: Final = "Nothing was measured yet."


def written(page: str, results: Results) -> str:
    """Return the page with every table as it is now; KeyError names a table that there is not."""

    def table(found: re.Match[str]) -> str:
        grid = grids.by_name(found[2], results)
        return f"{found[1]}{NOTHING if grid.empty else grid.markdown()}\n{found[3]}"

    return BLOCK.sub(table, page)


def write(results: Results) -> None:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
