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
    (
        "For each of the cities Oslo, Rome and Paris, find the weather",
        tuple(f"find the weather: {x}" for x in ("Oslo", "Rome", "Paris")),
    ),
    (
        "Research Tesla, Ford, and GM in 2024.",
        tuple(f"Research {x} in 2024." for x in ("Tesla", "Ford", "GM")),
    ),
    ("Compare NATS and Kafka for durability", ("NATS for durability", "Kafka for durability")),
    ("Compare Python 3.14 and Python 3.13", ("Python 3.14", "Python 3.13")),
    (
        "Compare the population of Oslo and the population of Bergen",
        ("the population of Oslo", "the population of Bergen"),
    ),
    ("Read a.txt, b.txt and c.txt", ("Read a.txt", "Read b.txt", "Read c.txt")),
    ("Who wrote Hamlet, Macbeth and Lear?", ("Who wrote Hamlet?", "Who wrote Macbeth?", "Who wrote Lear?")),
    (
        "Trains from Oslo, Bergen and Rome to Paris",
        tuple(f"Trains from {x} to Paris" for x in ("Oslo", "Bergen", "Rome")),
    ),
    (
        "Dr. Smith asks: is it safe? And how much does it cost?",
        ("Dr. Smith asks: is it safe?", "how much does it cost?"),
    ),
    ("Who wrote\nHamlet? When?", ("Who wrote Hamlet?", "When?")),
    ("What is X and how does Y work?", ("What is X?", "how does Y work?")),
    ("What is a policy, and who is the owner of a run?", ("What is a policy?", "who is the owner of a run?")),
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
    "Is it true that cats, dogs and birds can fly?",
    "How do cats, dogs and birds fly?",
    "Compare a policy and a budget, and say when to use which",
    "Compare how a policy and a budget limit a run",
    "Compare Python 3.14 and Python 3.13 and write a report",
    "Compare the durability of NATS with that of Kafka",
    "Compare the cost and the speed of buses",
    "Compare red and blue flags",
    "Compare big cats and dogs",
    "Draw red, white and blue flags",
    "What is the difference between a plan, a patch and a revision?",
    "Describe how the plan, the patch and the revision differ",
    "Write a story with a beginning, a middle and an end",
    "Write a haiku about spring, summer, autumn, and winter",
    "Find the price, the weight and the colour of the box",
    "List the planets, e.g. Mars, Venus and Earth",
    "Tell me about Mars, Venus and life on Earth",
    "Which is biggest, Oslo, Rome or Paris?",
    "Visit Oslo, Rome and Paris",
    "Merge a.txt, b.txt and c.txt",
    "Our firm sells lamps, chairs and tables",
    "Search for green tea, coffee and milk",
    "Explain what happens when I open www.example.com?a=1 in a browser",
    "Explain why the U.S. left the U.N. and what followed?",
    "What is the plan and what are the risks?",
    "What is NATS and how does it compare?",
    "How do I know what is true and what is false?",
]

PROSE = (
    "Our firm sells lamps, chairs and tables in Norway, Sweden and Denmark, and we want to know which of them, lamps "
    "or chairs, sells best in winter, spring and summer, "
)
FULL = 3_900
"""Characters: nearly the longest goal whose sentences are looked at."""
LONG = {
    "30 names": "Find the weather in " + ", ".join(f"Town{number}" for number in range(30)),
    "300 names": "Find the weather in " + ", ".join(f"Town{number}" for number in range(300)),
    "prose with commas": PROSE * (FULL // len(PROSE)),
    "one sentence of prose": "For each of the lamps, " + PROSE * (FULL // len(PROSE) - 1) + "compare them",
    **{
        repr(unit): (unit * FULL)[:FULL]
        for unit in (
            "a, ",
            "a,",
            "a, b and c ",
            "a and ",
            ", and ",
            "for each of ",
            "compare ",
            "a vs ",
            "- ",
            "? ",
            ".a",
            " ",
        )
    },
    **{
        f"{start!r} and {unit!r}": start + (unit * FULL)[:FULL] + end
        for start, unit, end in (
            ("- a", " ", "b"),
            ("compare a", " ", "b"),
            ("for each of a", " ", "x"),
            ("x", ", ", "and"),
        )
    },
    "a listed line of 40,000 blanks": "- a" + " " * 40_000 + "b",
}


@pytest.mark.parametrize(("goal", "pieces"), PIECES)
def test_a_goal_of_several_pieces_is_split(goal: str, pieces: tuple[str, ...]) -> None:
    """Each piece is wanted once, in order."""
    assert items_of(goal).texts == pieces


@pytest.mark.parametrize("goal", WHOLE)
def test_what_is_not_plainly_a_list_is_one_piece(goal: str) -> None:
    """Splitting is careful."""
    assert items_of(goal).texts == ()


@pytest.mark.timeout(30)
@pytest.mark.parametrize("goal", LONG.values(), ids=LONG)
def test_a_long_goal_is_read_in_time_in_proportion_to_its_length(goal: str) -> None:
    """However many commas, blanks or joining words a goal has, it is soon read, and is one piece."""
    assert items_of(goal).texts == ()


@pytest.mark.timeout(30)
def test_a_long_series_is_read_whole() -> None:
    """Three hundred names with an "and" before the last are three hundred pieces."""
    names = [f"Town{number}" for number in range(300)]

    texts = items_of(f"Find the weather in {', '.join(names[:-1])} and {names[-1]}").texts

    assert texts == tuple(f"Find the weather in {name}" for name in names)
