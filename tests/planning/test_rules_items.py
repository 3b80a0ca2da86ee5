"""What a goal asks for piece by piece."""

import pytest

from agentorch.planning.goal_items import items_of

PIECES = [
    ("What is A? And how does v1.5 work? Who?", ("What is A?", "how does v1.5 work?", "Who?")),
    ("Answer:\n1. Who?\n2) What?", ("Who?", "What?")),
    ("- apples\n- pears", ("apples", "pears")),
    (
        "Research the history of NATS, Kafka and Redis.",
        tuple(f"Research the history of {x}." for x in ("NATS", "Kafka", "Redis")),
    ),
    (
        "Describe the red fox, the wolf, and the bear",
        ("Describe the red fox", "Describe the wolf", "Describe the bear"),
    ),
    (
        "What are the deadlines of Alpha, Beta or Gamma?",
        tuple(f"What are the deadlines of {x}?" for x in ("Alpha", "Beta", "Gamma")),
    ),
    ("Compare NATS and Kafka", ("NATS", "Kafka")),
    ("Compare the price of tea with coffee.", ("the price of tea", "the price of coffee")),
    ("Python vs Go", ("Python", "Go")),
    ("For each of Oslo and Bergen, find the population", ("find the population: Oslo", "find the population: Bergen")),
    ("Find the population for each of Oslo and Bergen.", ("Find the population: Oslo", "Find the population: Bergen")),
]

WHOLE = [
    "An ode to message buses",
    "A poem about love and war",
    "What is X, and why does it matter?",
    "When it rains, it pours and floods",
    "Research X, write a report and send it",
    "What does the contract say about termination?",
    "Why? Why?",
    "Compare",
    "",
    "?",
    "a, b and c " * 1000,
]


@pytest.mark.parametrize(("goal", "pieces"), PIECES)
def test_a_goal_of_several_pieces_is_split(goal: str, pieces: tuple[str, ...]) -> None:
    """Each piece is wanted once, in order."""
    assert items_of(goal).texts == pieces


@pytest.mark.parametrize("goal", WHOLE)
def test_what_is_not_plainly_a_list_is_one_piece(goal: str) -> None:
    """Splitting is careful."""
    assert items_of(goal).texts == ()
