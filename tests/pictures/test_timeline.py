"""A run over time: bars where tasks ran, lines where they waited."""

import pytest

from agentorch.pictures.parts import Row, Stretch
from agentorch.pictures.states import STATES
from agentorch.pictures.svg import sheet
from agentorch.pictures.timeline import heading, legend, timeline
from tests.pictures.drawing import SVG, read, size, words


def bars(svg: str, height: str = "12") -> list[tuple[float, float, str]]:
    """Return start, width and colour of the bars of a height."""
    found = [element.attrib for element in read(svg).iter(f"{SVG}rect") if element.get("height") == height]
    return [(float(one["x"]), float(one["width"]), one["fill"]) for one in found if "stroke" not in one]


def drawn(*rows: Row, until: float) -> str:
    return sheet([timeline(rows, until=until)], label="a run")


def test_each_try_is_a_bar_in_its_colour():
    """Lengths are as the seconds, and a wait is a thin line between."""
    stretches = [Stretch(0, 1, "failed"), Stretch(1, 2, "waiting"), Stretch(2, 4, "succeeded")]
    svg = drawn(Row("a", "worker", "succeeded", stretches, "3 s"), until=4)
    (first, second), (wait,) = bars(svg), bars(svg, "3")
    assert (first[2], second[2]) == (STATES["failed"].stroke, STATES["succeeded"].stroke)
    assert second[1] == pytest.approx(2 * first[1], abs=0.2)
    assert wait[0] == pytest.approx(first[0] + first[1], abs=0.2)
    assert {"a", "worker", "3 s"} <= set(words(svg))


def test_what_is_outside_is_cut_off():
    """A bar begins at the run's beginning and ends at its end; a speck of a wait is left out."""
    svg = drawn(
        Row("a", "w", "running", [Stretch(-5, 2, "running"), Stretch(2, 99, "running")]),
        Row("b", "w", "running", [Stretch(-9, -1, "succeeded"), Stretch(0, 0.001, "waiting")]),
        until=4,
    )
    found = bars(svg)
    assert len(found) == 2
    assert sum(width for _, width, _ in found) == pytest.approx(520, abs=1)
    assert bars(svg, "3") == []


@pytest.mark.parametrize(
    ("until", "ticks"),
    [
        (0.0, ["0", "0.2 ms", "0.4 ms"]),
        (0.002, ["0", "0.5 ms", "1 ms", "1.5 ms", "2 ms"]),
        (0.013, ["0", "0.005 s", "0.01 s"]),
        (0.9, ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s"]),
        (4.2, ["0", "1 s", "2 s", "3 s", "4 s"]),
        (50, ["0", "10 s", "20 s", "30 s", "40 s", "50 s"]),
        (200, ["0", "1 m", "2 m", "3 m"]),
        (9000, ["0", "30 m", "1 h", "1 h 30 m", "2 h", "2 h 30 m"]),
        (864_000, ["0", "48 h", "96 h", "144 h", "192 h", "240 h"]),
    ],
)
def test_ticks_are_round(until: float, ticks: list[str]):
    """From a millisecond to days."""
    svg = drawn(Row("a", "w", "succeeded", [Stretch(0, until, "succeeded")]), until=until)
    said = [text for text in words(svg) if text not in {"a", "w", "✓", ""}]
    assert said[: len(ticks)] == ticks


def test_of_many_rows_the_telling_ones_are_drawn():
    """What failed, runs or waits, then what took longest, in their order; a note says how many there are."""
    rows = [
        Row(f"t{n}", "w", "failed" if n == 500 else "succeeded", [Stretch(0, n / 1000, "succeeded")])
        for n in range(1000)
    ]
    svg = drawn(*rows, until=1)
    names = [text for text in words(svg) if text.startswith("t") and text[1:].isdigit()]
    assert names == ["t500", *(f"t{n}" for n in range(961, 1000))]
    assert words(svg)[-1].startswith("40 of 1,000 tasks")
    assert len(svg) < 60_000


def test_rows_are_set_in_below_their_callers():
    """And long names are cut within their column."""
    rows = [Row("caller", "w", "succeeded", [Stretch(0, 1, "succeeded")]), Row("n" * 90, "w" * 90, "failed", [], "", 2)]
    svg = drawn(*rows, until=1)
    assert sum(text.endswith("…") for text in words(svg)) == 2
    assert size(svg)[0] < 960


def test_a_heading_says_how_it_stands():
    """Status, facts and the goal, cut to a line; without a goal it is one line."""
    part = heading("partial", "3 tasks", "A goal " * 100)
    svg = sheet([part], label="")
    assert words(svg)[:2] == ["◦ partial", "3 tasks"]
    assert words(svg)[2].endswith("…")
    assert heading("plan", "1 task", "").height < part.height


@pytest.mark.parametrize("letter", ["W", "m", "O", "a", "—", "家"])
def test_a_goal_of_wide_letters_ends_within_the_picture(letter: str):
    """The … is to be seen: letters are as wide as in a bold font without a narrow one."""
    wide = {"W": 1.11, "m": 1.05, "O": 0.85, "a": 0.68, "—": 1.0, "家": 1.0, "…": 1.0}  # of DejaVu Sans Bold, in sizes
    part = heading("partial", "3 tasks", letter * 400)
    said = words(sheet([part], label=""))[2]
    assert said.endswith("…")
    assert 400 < sum(wide[each] for each in said) * 13 <= part.width * 1.01


def test_the_legend_names_what_is_there():
    """In the same order always."""
    svg = sheet([legend({"failed", "succeeded", "no such"}, waits=True)], label="")
    assert [text for text in words(svg) if len(text) > 1] == ["succeeded", "failed", "could run, and waited"]
    assert legend(set()).width == 0
