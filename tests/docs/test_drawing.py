"""The pictures and tables of the guide say what the tables in the code say."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.docs.drawing import DRAWINGS, FOLDER, PAGE, TASK, TASKS, Drawing, page, svg

AGAIN = "draw it anew: python -m tests.docs.drawing"


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.name)
def test_the_picture_is_the_one_that_the_code_draws(drawing: Drawing):
    """A change of a table that is not drawn fails here."""
    assert (FOLDER / f"{drawing.name}.svg").read_text(encoding="utf-8") == svg(drawing), AGAIN


def test_the_tables_of_the_page_are_those_of_the_code():
    """The moves of tasks and runs, and the rungs of the ladder."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), AGAIN


@pytest.mark.parametrize("drawing", DRAWINGS, ids=lambda drawing: drawing.name)
def test_the_picture_has_every_state_and_every_move(drawing: Drawing):
    """A box for each state, an arrow for each move, and nothing from elsewhere."""
    picture = svg(drawing)
    moves = {f"{old} to {new}: {words}" for old, after in drawing.moves.items() for new, words in after.items()}
    titles = {title.text for title in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}title")}
    assert titles == moves | {drawing.title}
    assert (picture.count("<rect "), picture.count("<path d=")) == (len(drawing.moves), len(moves) + 3)
    assert re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?(?!#)", picture) == []


def test_a_move_more_is_drawn():
    """The picture follows the table."""
    more = replace(TASK, moves={**TASKS, "skipped": {"ready": "it is wanted after all"}})
    assert "skipped to ready: it is wanted after all" in svg(more)
    assert svg(more) != svg(TASK)
