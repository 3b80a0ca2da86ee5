"""Rails: what is drawn is the plan, told by reading it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.cli.rails import rails
from tests.cli.drawn_rails import edges

Needs = dict[str, list[str]]

DIAMOND: Needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


@st.composite
def dags(draw: st.DrawFn) -> Needs:
    """Tasks in an order in which each stands below what it needs."""
    count = draw(st.integers(0, 14))
    return {
        f"t{index}": [f"t{need}" for need in sorted(draw(st.sets(st.integers(0, index - 1), max_size=4)))]
        if index
        else []
        for index in range(count)
    }


@st.composite
def layered(draw: st.DrawFn) -> Needs:
    """Layers that need all of a layer before: what shares rails."""
    needs: Needs = {}
    layers: list[list[str]] = []
    for _ in range(draw(st.integers(1, 5))):
        sources = draw(st.sampled_from(layers)) if layers and draw(st.booleans()) else []
        layer = [f"t{len(needs) + index}" for index in range(draw(st.integers(1, 5)))]
        needs |= {name: [*sources] for name in layer}
        layers.append(layer)
    return needs


@given(st.one_of(dags(), layered()), st.booleans(), st.integers(0, 9))
def test_every_edge_is_drawn_and_none_else(needs: Needs, plain: bool, apart: int) -> None:
    """A reader of the characters finds the needs of the plan, no more and no fewer."""
    rows = rails(needs, plain=plain, apart=apart)
    assert rows is not None
    place = {name: index for index, name in enumerate(needs)}
    assert edges(rows) == {(place[need], place[name]) for name in needs for need in needs[name]}
    assert not plain or "".join(rows).isascii()


@pytest.mark.parametrize(
    ("needs", "drawn"),
    [
        ({}, []),
        ({"a": []}, ["○"]),
        ({"a": [], "b": ["a"], "c": ["b"]}, ["○", "╰─●", "●─╯"]),
        (DIAMOND, ["○", "├─●", "╰─●", "●─╯"]),
        ({"a": [], "b": [], "c": ["a", "b"], "d": ["a"]}, ["○", "│ ○", "├─┴─●", "╰─●"]),
        ({"alone": [], "a": [], "b": ["a"]}, ["○", "  ○", "●─╯"]),
        ({"a": [], "b": ["a", "elsewhere"]}, ["○", "╰─●"]),
        ({"a": [], "b": ["a"], "c": [], "d": ["b"], "e": ["c", "d"]}, ["○", "╰─●", "○ │", "│ ╰─●", "╰─●─╯"]),
    ],
)
def test_drawings(needs: Needs, drawn: list[str]) -> None:
    """What some plans look like."""
    assert rails(needs) == drawn


def test_ascii() -> None:
    """Without box-drawing characters it is the same drawing."""
    assert rails(DIAMOND, plain=True) == ["o", "+-*", "'-*", "*-'"]


def test_many_that_give_to_the_same_are_one_rail() -> None:
    """Sixty tasks between one and another are two columns, not sixty."""
    needs: Needs = {"a": [], **{f"t{index}": ["a"] for index in range(60)}}
    rows = rails({**needs, "z": [*needs][1:]})
    assert rows == ["○", *["├─●"] * 59, "╰─●", "●─╯"]


def test_few_that_need_nothing_have_rails_of_their_own() -> None:
    """On one rail they would look like a chain; many share one all the same."""
    needs: Needs = {"a": [], "b": [], "z": ["a", "b"]}
    assert rails(needs) == ["○", "│ ○", "╰─┴─●"]
    assert rails(needs, apart=1) == ["○", "○", "╰─●"]


def test_sixty_that_need_nothing_stand_below_each_other() -> None:
    """Beads without rails are tasks that have nothing to do with each other."""
    assert rails({f"t{index}": [] for index in range(60)}) == ["○"] * 60


@pytest.mark.parametrize("needs", [{"a": ["a"]}, {"a": ["b"], "b": ["a"]}, {"b": ["a"], "a": []}])
def test_a_circle_is_not_drawn(needs: Needs) -> None:
    """There is no drawing of what has no order."""
    assert rails(needs) is None


def test_too_many_rails_are_not_drawn() -> None:
    """Rails that nobody could follow are none."""
    needs: Needs = {f"t{index}": [] for index in range(6)} | {f"u{index}": [f"t{index}"] for index in range(6)}
    assert rails(needs, most=5) is None
    assert rails(needs, most=7) is not None
