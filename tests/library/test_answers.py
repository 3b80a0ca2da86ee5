"""What the library answers over the fixture: cited lines that hold the answer, and absence said plainly."""

from pathlib import Path

import pytest

from agentorch.library import NO_MODEL, Library
from agentorch.library.extraction import part_text
from tests.library.questions import ABSENT, QUESTIONS, SAFETY_PDF


def cited_text(source: str) -> str:
    """Return the lines that `path:line` or `path:first-last` names; a page of a PDF."""
    path, _, place = source.rpartition(":")
    first, _, last = place.partition("-")
    chosen = slice(int(first) - 1, int(last or first))
    if path.endswith(".pdf"):
        return " ".join(line for page in SAFETY_PDF[chosen] for line in page)
    return " ".join(" ".join(Path(path).read_text("utf-8").splitlines()[chosen]).split())


def test_the_cited_lines_hold_the_answer(library: Library) -> None:
    """Of thirty questions and more in six formats and PDF, at least 80 % are answered by the first citation."""
    asked = {question: (library.ask(question), answer) for question, answer in QUESTIONS}
    held = [
        question
        for question, (findings, answer) in asked.items()
        if findings.sources and answer.lower() in cited_text(findings.sources[0]).lower()
    ]

    assert len(QUESTIONS) >= 30
    assert len(held) >= 0.8 * len(QUESTIONS), sorted(set(asked) - set(held))


@pytest.mark.parametrize("question", ABSENT)
def test_an_absent_topic_is_said_to_be_absent(library: Library, question: str) -> None:
    """Nothing is found, nothing is cited, and the answer says so."""
    findings = library.ask(question)

    assert (findings.found, findings.passages, findings.sources) == (False, [], [])
    assert question in findings.answer
    assert "say nothing about this" in findings.answer or "do not answer this" in findings.answer


def test_an_answer_says_that_no_model_was_used(library: Library) -> None:
    """The words are the file's own, with their place, and the answer says so."""
    findings = library.ask("How often are secrets rotated?")

    assert findings.answer.splitlines()[0].startswith("They are rotated every 60 days")
    assert findings.answer.splitlines()[0].endswith("engineering/deploy.md:19]")
    assert findings.answer.endswith(NO_MODEL)


def test_a_line_without_end_is_clipped_to_what_was_asked(tmp_path: Path) -> None:
    """The words that were asked for are in the part that is quoted; what is cut is marked."""
    row = "filler " * 150 + "the admiral sleeps in berth nine " + "filler " * 150
    (tmp_path / "long.txt").write_text(row, "utf-8")
    with Library([tmp_path]) as library:
        (passage,) = library.find("Where does the admiral sleep?")
    assert "admiral sleeps in berth nine" in passage.text
    assert (passage.text[0], passage.text[-1]) == ("…", "…")
    assert len(passage.text) < 700


def test_code_is_quoted_as_it_stands(tmp_path: Path) -> None:
    """Its lines are kept, in a fence that they do not end, alone and as one of several."""
    code = "def admiral():\n    return '```'\n"
    (tmp_path / "berths.py").write_text(code, "utf-8")
    with Library([tmp_path]) as library:
        alone = library.ask("What is the admiral?")
        (tmp_path / "berths.txt").write_text("The admiral sleeps.\n", "utf-8")
        both = library.ask("What is the admiral?")
        (tmp_path / "berths.txt").unlink()
        near = library.ask("Does the admiral return to the berths by barge?")
    fenced = f"[{tmp_path}/berths.py:1-2]\n````\n{code}````"
    assert (alone.passages[0].is_code, alone.answer) == (True, f"{fenced}\n{NO_MODEL}")
    item = f"- [{tmp_path}/berths.py:1-2]\n  ````\n  def admiral():\n      return '```'\n  ````"
    sentence = f"- The admiral sleeps. [{tmp_path}/berths.txt:1]"
    assert part_text("", both) in {f"{item}\n{sentence}", f"{sentence}\n{item}"}
    assert not near.found
    assert f"The nearest that they hold:\n{fenced}" in near.answer


def test_a_question_brings_the_code_below_it(tmp_path: Path) -> None:
    """As it stands, below the question; a question within code brings nothing but its own piece."""
    steps = "cd harbour\nmake barge"
    (tmp_path / "faq.md").write_text(f"# Steps\n\nHow do I moor the barge?\n\n```\n{steps}\n```\n", "utf-8")
    (tmp_path / "anchor.py").write_text("weigh()  # or drop the anchor?\n\n\n\nsail()\n", "utf-8")
    with Library([tmp_path]) as library:
        asked, code = library.ask("How do I moor the barge?"), library.ask("What of the anchor?")
    assert asked.answer.startswith(f"[{tmp_path}/faq.md:3-7]\n```\nHow do I moor the barge?\n{steps}\n```\n")
    assert code.answer.startswith(f"[{tmp_path}/anchor.py:1]\n```\nweigh()  # or drop the anchor?\n```\n")


def test_nothing_of_a_long_line_of_code_is_lost(tmp_path: Path) -> None:
    """What is before a long blank, and what is behind it, can both be found."""
    (tmp_path / "barge.js").write_text(f"moor();{' ' * 2500}sail();\n", "utf-8")
    with Library([tmp_path]) as library:
        assert [library.ask(word).found for word in ("moor", "sail")] == [True, True]


def test_what_half_a_question_asks_in_vain_is_said(library: Library) -> None:
    """An answer to one of two questions notes the words of the other that no file holds."""
    findings = library.ask("How often are secrets rotated? Is there a helicopter?")
    assert findings.found
    assert 'no file holds the word "helicopter"' in findings.notes


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("helicopter unicorn", 'this: helicopter unicorn. They do not hold the words "helicopter", "unicorn".'),
        ("Any helicopter?", 'this: Any helicopter? They do not hold the word "helicopter".'),
    ],
)
def test_words_that_no_file_holds_are_named(library: Library, question: str, said: str) -> None:
    """One is a word, several are words, and the question ends where it ends."""
    assert said in library.ask(question).answer


def test_a_citation_is_one_line(tmp_path: Path) -> None:
    """Whatever the file is called."""
    (tmp_path / "two\nlines.txt").write_text("The teapot is blue.\n", "utf-8")
    with Library([tmp_path]) as library:
        findings = library.ask("Which teapot?")
    assert findings.answer.splitlines()[0].endswith("two\ufffdlines.txt:1]")


def test_no_folders_is_said_plainly() -> None:
    """Without folders there is nothing to look in."""
    with Library() as library:
        assert library.ask("Anything?").answer == "No files were given to look in: name the folders to read."


@pytest.mark.parametrize(
    "question", ["", "?", "the of and", '"*" OR (', "NEAR(a b)", "heading:xyzzy", "\x00", "é" * 3000]
)
def test_no_question_breaks_the_search(library: Library, question: str) -> None:
    """Whatever is asked is data, never a query of the index."""
    assert library.ask(question).found is False


def test_a_record_is_cited_by_its_fitting_field(library: Library) -> None:
    """In JSON the line of the value that was asked for is cited, not the whole object."""
    findings = library.ask("Who is the manager of the Hamburg store?")

    assert findings.sources[0].endswith("data/stores.json:21")
    assert "Anke Petersen" in findings.answer


RUNS = """# Runs

## Resuming

A run that ends by kill -9 resumes from its journal. The reason is that each event was written before it counted.

## Prices

Prices are looked up without a network, for a reason of their own. Safe prices are rounded.

## Budgets

A budget of calls is a number. Its reason is cost.
"""


@pytest.mark.parametrize("follow_up", ["and why?", "And the reason?", "why is that?"])
def test_a_follow_up_goes_on_from_the_question_before(tmp_path: Path, follow_up: str) -> None:
    """What has few words of its own finds passages about what was asked before; alone it does not."""
    (tmp_path / "runs.md").write_text(RUNS, "utf-8")
    with Library([tmp_path]) as library:
        alone = library.ask(follow_up)
        after = library.ask(follow_up, earlier="How does a run resume after kill -9?")
    assert "Resuming" not in "".join(passage.heading for passage in alone.passages[:1])
    assert (after.question, after.passages[0].heading) == (follow_up, "Runs > Resuming")


def test_a_new_topic_is_not_the_old_one(tmp_path: Path) -> None:
    """What a short question names must be there; a long one is asked by itself."""
    (tmp_path / "runs.md").write_text(RUNS, "utf-8")
    earlier = "How does a run resume after kill -9?"
    with Library([tmp_path]) as library:
        budgets = library.ask("And budgets?", earlier=earlier)
        absent = library.ask("And zeppelins?", earlier=earlier)
        long = "Which prices are looked up without a network?"
        asked = library.ask(long, earlier=earlier), library.ask(long)
    assert budgets.passages[0].heading == "Runs > Budgets"
    assert (absent.found, asked[0]) == (False, asked[1])


def test_a_follow_up_that_names_nothing_is_told_more(tmp_path: Path) -> None:
    """It is not told the same again, as long as there is more; what asks for a number is another question."""
    lines = [f"A hive holds bees, number {number} of them." for number in ("red", "blue", "green", "gold")]
    (tmp_path / "hives.md").write_text("\n\n".join(f"# Part {at}\n\n{line}" for at, line in enumerate(lines)), "utf-8")
    (tmp_path / "years.md").write_text("A hive holds bees since 1851.\n", "utf-8")
    earlier = "What does a hive hold?"
    with Library([tmp_path]) as library:
        first = library.ask(earlier)
        more = library.ask("and why?", earlier=earlier)
        when = library.ask("and when?", earlier=earlier)
    assert more.found
    assert not set(first.sources) & set(more.sources)
    assert "1851" in when.passages[0].text
