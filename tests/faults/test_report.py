"""The page of figures says what was measured, what was missed and what was not run, and nothing else."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import Extent, Row
from tests.faults.report import Ended, Source, judged, main, measured, page, section, sections_of

WHOLE = Extent(("--all",), 1)


def rows(found: Any, extent: Extent) -> Iterator[Row]:
    """Take a figure as it is."""
    yield Row("violations", "0", str(found["violations"]), found["violations"] == 0)


def source(module: str = "tests.faults.nothing_here", title: str = "Some figures") -> Source:
    """Return a source that runs a module."""
    return Source(title, module, WHOLE, Extent((), 1, part=True), rows, "They are counted.")


def marks(text: str) -> list[str]:
    """Return the last column of a page's tables."""
    return [line.rsplit("|", 2)[1].strip() for line in text.splitlines() if line.startswith("| ")][1:]


def test_what_a_program_prints_is_what_stands_on_the_page() -> None:
    """A figure, what it must be, the command, when it was measured, and whether it holds."""
    held, missed = [Row("lost", "0", "0", holds=True)], [Row("lost", "0", "3", holds=False)]
    sections = [section(source("x"), WHOLE, one, on="2026-11-27 with agentorch 1") for one in (held, missed)]
    text = page(sections)

    assert "    python -m x --all\n\nMeasured on 2026-11-27 with agentorch 1.\n\n| figure | must be | is | |" in text
    assert "| lost | 0 | 0 | holds |" in text
    assert "| lost | 0 | 3 | **missed** |" in text


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (Ended(0, '{"violations": 0}'), [True]),
        (Ended(1, '{"violations": 1}'), [False, False]),
        (Ended(1, '{"violations": 0}', "RuntimeError: later"), [False, None]),
        (Ended(-9, '{"violations": 0}'), [False, None]),
        (Ended(0, ""), [False]),
        (Ended(0, "{}"), [False]),
        (Ended(0, "[]"), [False]),
        (Ended(0, "null"), [False]),
        (Ended(1, "", "RuntimeError: at once"), [False]),
        (Ended(None, ""), [False]),
        (Ended(0, '{"not run": "only root may"}'), [None]),
        (Ended(1, '{"not run": "only root may"}'), [False]),
    ],
)  # fmt: skip
def test_a_figure_holds_only_when_its_program_has_ended_well(ended: Ended, expected: list[bool | None]) -> None:
    """One that breaks, at once or after it has printed, that says nothing or takes too long, has missed its figures."""
    assert [row.holds for row in judged(source(), WHOLE, ended)] == expected


def test_a_program_that_gives_nothing_to_judge_has_missed() -> None:
    """Figures that are only shown beside others are not enough."""
    shown = Source("x", "x", WHOLE, WHOLE, lambda found, extent: iter([Row("calls", "", "7", None)]), "")

    assert [row.holds for row in judged(shown, WHOLE, Ended(0, "{}"))] == [None, False]


@pytest.mark.parametrize(
    ("module", "why"),
    [("tests.faults.nothing_here", "No module named tests.faults.nothing_here"), ("platform", "JSONDecodeError")],
    ids=["no such program", "no figures"],
)
def test_what_a_real_program_does_not_measure_is_missed(module: str, why: str) -> None:
    """The reason stands in the figure's place."""
    (row,) = measured(source(module), Extent((), 1))

    assert row.holds is False
    assert why in row.reached


def test_a_section_that_is_not_measured_anew_stays_as_it_was_written(tmp_path: Path) -> None:
    """With its day, and with what was missed then: the command ends with 1 for that too."""
    place = tmp_path / "page.md"
    sources = [source("x", "Some figures"), source("tests.faults.nothing_here", "Other figures")]
    good, bad = Row("lost", "0", "0", holds=True), Row("lost", "0", "3", holds=False)
    for kept, others in ((good, "**missed**"), (bad, "**missed**")):
        old = section(sources[0], WHOLE, [kept], on="1999-12-31")
        place.write_text(page([old]), encoding="utf-8")

        assert main(["--only", "other"], sources=sources, place=place) == 1
        text = place.read_text(encoding="utf-8")
        assert sections_of(text)["Some figures"] == old
        assert marks(text)[-1] == others
        assert page(list(sections_of(text).values())) == text


PRINTING = "import json, sys; print(json.dumps({'violations': %s})); sys.exit(%d)"


@pytest.mark.parametrize(
    ("violations", "code", "expected"), [("0", 0, 0), ("3", 0, 1), ("0", 1, 1), ("[]", 0, 1)],
    ids=["held", "missed", "broken after printing", "no number"],
)  # fmt: skip
def test_the_whole_command_ends_with_1_when_anything_is_missed(
    violations: str, code: int, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with 0 otherwise; a word that no section has is a wrong use."""
    (tmp_path / "printing.py").write_text(PRINTING % (violations, code))
    monkeypatch.setattr("tests.faults.report.ROOT", tmp_path)
    place = tmp_path / "page.md"

    assert main([], sources=[source("printing")], place=place) == expected
    assert main(["--part"], sources=[source("printing")], place=tmp_path / "unwritten.md") == expected
    assert not (tmp_path / "unwritten.md").exists()
    with pytest.raises(SystemExit, match="2"):
        main(["--only", "nonsense"], sources=[source("printing")], place=place)


def test_a_section_that_was_never_measured_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page without it is not whole: the command ends with 1."""
    (tmp_path / "page.md").write_text(page([section(source("x", "First"), WHOLE, [], on="1999-12-31")]))
    sources = [source("x", "First"), source("platform", "Second"), source("x", "Third")]

    assert main(["--only", "second"], sources=sources, place=tmp_path / "page.md") == 1
    assert "still to be measured: Third\n" in capsys.readouterr().err
    assert json.dumps([*sections_of((tmp_path / "page.md").read_text())]) == '["First", "Second"]'
