"""The page of figures says what was measured, what was missed and what was not run, and nothing else."""

from typing import Any

import pytest

from tests.faults.report import SOURCES, Row, Source, measured, page, section, sections_of


def rows(found: Any):
    """Take a figure as it is."""
    yield Row("violations", "0", str(found["violations"]), found["violations"] == 0)


def source(module: str, *arguments: str, reading: Any = rows) -> Source:
    """Return a source that runs a module of the standard library."""
    return Source("Some figures", module, arguments, (), reading, "They are counted.")


def test_what_a_program_prints_is_what_stands_on_the_page() -> None:
    """A figure, what it must be, the command, and whether it holds."""
    held, missed = [Row("lost", "0", "0", holds=True)], [Row("lost", "0", "3", holds=False)]
    sections = [section(source("x", "--all"), held, part=False), section(source("y"), missed, part=False)]
    text = page(sections, part=False)

    assert "    python -m x --all\n\n| figure | must be | is | |" in text
    assert "| lost | 0 | 0 | holds |" in text
    assert "| lost | 0 | 3 | **missed** |" in text


@pytest.mark.parametrize(
    ("it", "why"),
    [
        (source("tests.faults.nothing_here"), "No module named tests.faults.nothing_here"),
        (source("platform"), "JSONDecodeError"),
    ],
    ids=["no such program", "no figures"],
)
def test_what_cannot_be_measured_is_not_run(it: Source, why: str) -> None:
    """The reason stands in the figure's place; nothing is said to hold."""
    (row,) = measured(it, part=False)

    assert row.holds is None
    assert row.reached.startswith("not run: ")
    assert why in row.reached


def test_each_figure_of_a_kill_is_read() -> None:
    """A promise that was broken once is a figure that is missed."""
    found = {
        "points": 600, "passed": 599, "stories": 600, "kills": 600, "committed_twice": 0, "fired_twice": 1,
        "repeated": 0, "in_flight": 7, "calls": 9000,
    }  # fmt: skip
    missed = [row.figure for row in SOURCES[0].rows(found) if row.holds is False]

    assert missed == ["runs killed once or twice that came to the same end", "keyed effects fired twice"]


def test_a_section_that_is_not_measured_anew_stays_as_it_was_written() -> None:
    """The page taken apart and put together again is the page."""
    one = section(source("x"), [Row("lost", "0", "0", holds=True)], part=False)
    other = one.replace("Some figures", "Other figures")
    text = page([one, other], part=False)

    assert sections_of(text) == {"Some figures": one, "Other figures": other}
    assert page(list(sections_of(text).values()), part=False) == text
