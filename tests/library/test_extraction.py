"""Answers without a model."""

from agentorch.library import NO_MODEL, Library, extract, extractive_answer
from agentorch.library.findings import NO_MODEL_NOTHING as NOTHING
from agentorch.library.findings import NOT_REWORDED


def test_findings_keep_their_citations_and_what_is_missing_is_said(library: Library) -> None:
    """Two questions become two titled parts."""
    parts = {
        "one": library.ask("How often are secrets rotated?").model_dump(mode="json"),
        "two": library.ask("What is the capital of Mongolia?").model_dump(mode="json"),
        "three": None,
    }

    answer = extractive_answer("Both", parts, ["three gave no output"])

    assert answer.startswith("## How often are secrets rotated?\nThey are rotated every 60 days")
    assert "deploy.md:19]" in answer
    assert "say nothing about this: What is the capital of Mongolia?" in answer
    assert "Missing: three gave no output." in answer
    assert answer.count(NO_MODEL) == 1


def test_one_text_is_given_as_it_is() -> None:
    """A poem stays a poem."""
    assert extractive_answer("g", {"poet": "Roses\nare red"}) == f"Roses\nare red\n\n{NOT_REWORDED}"


def test_lists_and_fields_are_written_out() -> None:
    """Other outputs are shown plainly."""
    parts = {"a": ["x", "y"], "b": {"k": 1, "none": None, "deep": {"z": True}}}

    assert extractive_answer("g", parts) == f"## a\n- x\n- y\n\n## b\nk: 1\ndeep: z: true\n\n{NOT_REWORDED}"


def test_nothing_is_said_to_be_nothing() -> None:
    """No part, no answer, but words."""
    assert extractive_answer("g", {}, ["all"]) == f"There is nothing to answer with.\n\nMissing: all.\n\n{NOTHING}"


def test_whose_words_they_are_is_said_only_of_what_is_quoted(library: Library) -> None:
    """Where the files say nothing, or none were given, nothing of them is quoted; the nearest that they hold is."""
    nothing, near = library.ask("What is the capital of Mongolia?"), library.ask("Who waters the hotel plants?")
    with Library() as none:
        unread = none.ask("Why?")

    assert nothing.answer.splitlines()[-1] == NOTHING
    assert NOTHING not in unread.answer
    for findings in (nothing, unread):
        assert extractive_answer("g", {"look": findings}).splitlines()[-1] == NOTHING
    assert "The nearest that they hold" in near.answer
    assert near.answer.endswith(NO_MODEL)
    answer = extractive_answer("g", {"look": [near.model_dump(mode="json")], "poet": "Roses"})
    assert (answer.endswith(NO_MODEL), answer.count("No language model")) == (True, 1)


def test_a_long_text_is_cut_to_what_says_most_about_the_goal() -> None:
    """The sentences keep their order."""
    filler = [f"Sentence number {number} talks of weather and wind." for number in range(60)]
    text = " ".join([*filler[:30], "The harbour opens at dawn.", *filler[30:], "The harbour closes at dusk."])

    shortened = extract(text, "When does the harbour open and close?", 2)

    assert shortened == "The harbour opens at dawn. The harbour closes at dusk."
