"""Where boxes go: layers, few crossings, nothing on top of something else."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.pictures.layers import lay_out, layers_of, without_returns


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Draw any graph, with circles, needs of itself and needs that are not there."""
    size = draw(st.integers(1, 14))
    names = [f"t{index}" for index in range(size)]
    return {name: draw(st.lists(st.sampled_from([*names, "nobody"]), max_size=4)) for name in names}


@given(graphs())
def test_boxes_stand_apart_and_behind_what_they_need(needs: dict[str, list[str]]):
    """In each layer they keep their distance; each arrow goes forward; the same graph is laid out the same."""
    layout = lay_out(needs, size=10, gap=4)
    assert layout == lay_out(needs, size=10, gap=4)
    for layer in range(layout.layers):
        places = sorted(layout.middle[name] for name in needs if layout.layer[name] == layer)
        assert places
        assert all(later - earlier >= 14 - 1e-6 for earlier, later in pairwise(places))
    assert all(layout.layer[source] < layout.layer[target] for source, target, _ in layout.arrows)
    assert min(layout.middle.values()) >= 5 - 1e-6
    assert max(layout.middle.values()) <= layout.extent - 5 + 1e-6


@given(graphs())
def test_only_what_closes_a_circle_is_left_out(needs: dict[str, list[str]]):
    """Without circles every need that is there stays, each once."""
    forward = without_returns(needs)
    assert forward.keys() == needs.keys()
    position = {name: index for index, name in enumerate(forward)}
    assert all(position[need] < position[name] for name, found in forward.items() for need in found)
    in_order = {name: [need for need in found if need in position and need < name] for name, found in needs.items()}
    assert {name: set(found) for name, found in without_returns(in_order).items()} == {
        name: set(found) for name, found in in_order.items()
    }


def test_a_box_is_behind_the_last_of_its_needs():
    """The longest way decides."""
    needs = {"a": [], "b": ["a"], "c": ["a", "b"], "d": []}
    assert layers_of(needs) == {"a": 0, "b": 1, "c": 2, "d": 0}


def test_crossings_that_can_be_undone_are():
    """Two pairs that are given crossed over stand side by side."""
    layout = lay_out({"a": [], "b": [], "to-b": ["b"], "to-a": ["a"]}, size=10, gap=4)
    side = layout.middle["a"] < layout.middle["b"]
    assert side == (layout.middle["to-a"] < layout.middle["to-b"])


def test_a_chain_is_straight():
    """One behind the other, all at the same height."""
    layout = lay_out({f"t{n}": [f"t{n - 1}"] for n in range(50)}, size=10, gap=4)
    assert set(layout.middle.values()) == {5.0}
    assert (layout.layers, layout.extent) == (50, 10)


def test_an_arrow_over_a_layer_passes_beside_its_boxes():
    """It bends in each layer, at a place of its own."""
    layout = lay_out({"a": [], "b": ["a"], "c": ["a", "b"]}, size=10, gap=4)
    bends = {(source, target): places for source, target, places in layout.arrows}
    ((layer, middle),) = bends["a", "c"]
    assert layer == 1
    assert abs(middle - layout.middle["b"]) > 5
    assert bends["a", "b"] == bends["b", "c"] == []


@pytest.mark.timeout(20)
def test_a_large_graph_is_laid_out():
    """Very many long arrows go straight: no place is made for each in every layer."""
    names = [f"t{index}" for index in range(60)]
    layout = lay_out({name: names[:index] for index, name in enumerate(names)}, size=10, gap=4)
    assert (layout.layers, {len(bends) for _, _, bends in layout.arrows}) == (60, {0})
