"""A plan as a picture: everything is in it, nothing overlaps, and what is much becomes little."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.pictures.graph import graph
from agentorch.pictures.parts import Box
from agentorch.pictures.states import STATES
from agentorch.pictures.svg import sheet
from tests.pictures.drawing import arrows, boxes, size, tips, words


def drawn(given_boxes: Sequence[Box]) -> str:
    return sheet([graph(given_boxes)], label="a plan")


def scattered(count: int) -> list[Box]:
    """Return boxes with needs here and there, the same each time."""
    chance = random.Random(7)
    return [
        Box(
            f"task-{index}",
            f"agent-{index % 3}",
            list(STATES)[index % len(STATES)],
            needs=[f"task-{chance.randrange(index)}" for _ in range(2)] if index else [],
            corner="1.2 s",
            note="812 tokens · $0.0012",
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 8, 20, 50])
def test_each_task_has_its_box_inside_the_paper_and_on_nothing_else(count: int):
    """All titles are there, no two boxes overlap, and all of them are within the picture."""
    svg = drawn(scattered(count))
    found = boxes(svg)
    width, height = size(svg)
    assert len(found) == count
    assert {f"task-{index}" for index in range(count)} <= set(words(svg))
    assert not [(a, b) for index, a in enumerate(found) for b in found[:index] if a.overlaps(b)]
    assert all(box.x >= 0 and box.y >= 0 for box in found)
    assert all(box.x + box.width <= width and box.y + box.height <= height for box in found)


def test_states_are_told_by_marks_too():
    """Who sees no colours sees the difference; an unknown state is drawn without."""
    svg = drawn([*(Box(state, "a", state) for state in STATES), Box("odd", "a", "odd")])
    assert {look.mark for look in STATES.values()} <= set(words(svg))
    assert len(boxes(svg)) == len(STATES) + 1


def test_a_few_boxes_say_more():
    """Agent and costs stand in the boxes of a small plan; in a larger one they are said by the tip."""
    few, many = scattered(3), scattered(30)
    assert words(drawn(few)).count("812 tokens · $0.0012") == 3
    assert "812 tokens · $0.0012" not in words(drawn(many))
    assert f"{many[0].id}: {many[0].kind}" in tips(drawn(many))


def test_a_long_chain_goes_down_and_a_fan_goes_across():
    """A picture is not wider than a page where it can be higher instead."""
    chain = drawn([Box(f"t{n}", "a", needs=[f"t{n - 1}"]) for n in range(30)])
    fan = drawn([Box("start", "a"), *(Box(f"t{n}", "a", needs=["start"]) for n in range(30))])
    assert size(chain)[0] < 960
    assert size(fan)[0] < 960


@pytest.mark.parametrize("tied", [0, 3])
@pytest.mark.parametrize("name", ["t", "a-rather-long-name-of-a-task-"])
def test_many_that_have_nothing_to_do_with_each_other_stand_in_columns(name: str, tied: int):
    """Sixty boxes without arrows are no tower: they fit a page, below those that have some."""
    chain = [Box(f"chain-{n}", "a", needs=[f"chain-{n - 1}"]) for n in range(tied)]
    svg = drawn([*(Box(f"{name}{n}", "a", needs=["elsewhere"]) for n in range(60 - tied)), *chain])
    found, (width, height) = boxes(svg), size(svg)
    assert len(found) == 60
    assert not [(a, b) for index, a in enumerate(found) for b in found[:index] if a.overlaps(b)]
    assert width <= 1000
    assert height <= 1100


def test_many_that_need_the_same_stand_in_a_frame():
    """Between a first and a last box they are columns with one arrow in and one out; a few have an arrow each."""

    def between(count: int, more: Sequence[Box] = ()) -> str:
        names = [f"t{n}" for n in range(count)]
        middle = [Box(name, "a", needs=["start"]) for name in names]
        return drawn([Box("start", "a"), *middle, Box("end", "a", needs=names), *more])

    svg = between(56)
    found, (width, height) = boxes(svg), size(svg)
    assert len(found) == 58
    assert not [(a, b) for index, a in enumerate(found) for b in found[:index] if a.overlaps(b)]
    assert all(box.x >= 0 and box.x + box.width <= width for box in found)
    assert all(box.y >= 0 and box.y + box.height <= height for box in found)
    assert width <= 1000
    assert height <= 600
    assert arrows(svg) == 2
    assert arrows(between(16, [Box(f"other-{n}", "a", needs=["end"]) for n in range(8)])) == 40


@st.composite
def layered(draw: st.DrawFn) -> list[Box]:
    """Draw up to 60 boxes in layers, each of which needs all of another layer or nothing, in any order."""
    layers: list[list[str]] = []
    found: list[Box] = []
    for width in draw(st.lists(st.sampled_from([1, 2, 5, 17, 20, 30]), min_size=1, max_size=6)):
        needs = draw(st.sampled_from([[], *layers]))
        layers.append([f"t{len(found) + index}" for index in range(min(width, 60 - len(found)))])
        found += [Box(name, "a", needs=needs) for name in layers[-1]]
    return draw(st.permutations(found))


@given(layered())
def test_frames_and_columns_lie_on_nothing_else(given_boxes: list[Box]):
    """However many there are of them, each box is there, within the paper and on no other."""
    svg = drawn(given_boxes)
    found, (width, height) = boxes(svg), size(svg)
    assert len(found) == len(given_boxes)
    assert not [(a, b) for index, a in enumerate(found) for b in found[:index] if a.overlaps(b)]
    assert all(box.x >= 0 and box.y >= 0 for box in found)
    assert all(box.x + box.width <= width and box.y + box.height <= height for box in found)


def test_what_has_no_room_for_frames_has_an_arrow_each():
    """A frame that made the picture wider than a page is not drawn."""
    chain = [Box(f"chain-{n}", "a", needs=[f"chain-{n - 1}"] if n else []) for n in range(8)]
    svg = drawn([*chain, *(Box(f"t{n}", "a", needs=["chain-7"]) for n in range(20))])
    assert len(boxes(svg)) == 28
    assert arrows(svg) == 27


def test_a_map_of_a_thousand_is_a_few_boxes():
    """What is alike is one box, with how many stand how; a note says so."""
    states = ["succeeded"] * 600 + ["running"] * 20 + ["pending"] * 378
    middle = [Box(f"m{n}", "mapper", state, needs=["start"]) for n, state in enumerate(states)]
    ends = [box.id for box in middle]
    svg = drawn([Box("start", "splitter", "succeeded"), *middle, Box("end", "writer", "pending", needs=ends)])
    said = words(svg)
    assert len(boxes(svg)) == 3
    assert {"998 tasks", "600 succeeded · 20 running · 378 pending"} <= set(said)
    assert said[-1] == "1,000 tasks in 3 boxes: those that are alike are one"


def test_a_crowd_is_one_box():
    """The note counts it as such."""
    said = words(drawn([Box(f"m{n}", "mapper") for n in range(300)]))
    assert said[-1] == "300 tasks in 1 box: those that are alike are one"


@pytest.mark.parametrize("step", [1, 3, 50])
def test_a_thousand_tasks_are_a_small_picture(step: int):
    """Whatever its shape, a chain or a tangle: the middle is cut out, and nothing is silently missing."""
    needs = [[f"t{other}" for other in range(n - 1, max(-1, n - 3 * step), -step)] for n in range(1000)]
    svg = drawn([Box(f"t{n}", f"agent-{n % 5}", needs=found, tip="x" * 200) for n, found in enumerate(needs)])
    assert len(svg) < 300_000
    assert len(boxes(svg)) <= 60
    assert "1,000 tasks" in words(svg)[-1]


def test_no_task_is_said_in_words():
    """While a planner thinks there is a picture too."""
    assert "no tasks yet" in words(drawn([]))


HOSTILE = st.text(
    st.characters(blacklist_categories=()) | st.sampled_from("<>&\"'\x00\x1b\u202e\ud800\ufffe"), max_size=40
)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_any_text_is_a_value(id: str, kind: str, text: str):
    """Whatever anybody wrote, the picture is well-formed and does nothing."""
    svg = sheet(
        [graph([Box(id, kind, text, corner=text, note=text, tip=text), Box("b", text, needs=[id])])], label=text
    )
    assert len(boxes(svg)) == (1 if id == "b" else 2)


def test_markup_is_shown():
    """Tags are letters, and letters that hide or turn are gone."""
    said = words(drawn([Box("a", "<script>alert(1)</script>", note='"&\u202eback\u200b', corner="👩\u200d🚀")]))
    assert {"<script>alert(1)</script>", '"&back', "👩\u200d🚀"} <= set(said)


def test_long_names_are_cut():
    """With a sign that something is missing; all of it is in the tip."""
    name = "a-very-long-name-" * 5
    svg = drawn([Box(name, "agent", corner="1.2 s")])
    (title,) = [text for text in words(svg) if text.startswith("a-very")]
    assert title.endswith("…")
    assert f"{name}: agent" in tips(svg)
    assert boxes(svg)[0].width <= 290


def test_wide_letters_take_their_room():
    """Letters of twice the width are cut earlier."""
    svg = drawn([Box("文" * 60, "a")])
    (title,) = [text for text in words(svg) if text.startswith("文")]
    assert 8 <= len(title) <= 20
