"""What is told of runs that stand still, are large, were forked, stopped or compacted: in words that lead on."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from agentorch.core import inbox
from agentorch.core.failures import Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.signatures.output import output_of
from tests.cli.conftest import Command
from tests.cli.stories import Story


class Ruling(BaseModel):
    """What a model is to write."""

    accepted: bool


LISTER = """
from agentorch import agent


@agent(description="Lists.")
async def lister() -> list[int]:
    return [1, 2]
"""
LARGE = """
from agentorch.agents import agent


@agent(description="Says much.")
async def talker() -> dict[str, str]:
    return {"text": "x" * 70_000 + "end"}
"""


def test_who_watches_a_run_that_waits_for_a_person_and_is_carried_out_by_nobody(agentorch: Command, home: Path) -> None:
    """It is said, with what leads on, and the command ends."""
    (home / "send.yaml").write_text("tasks: [{id: post, agent: sender, inputs: {letter: x}}]", encoding="utf-8")
    agentorch("run", "--plan", "send.yaml", "-a", "team.py")
    watched = agentorch("runs", "watch", "last")
    assert watched.code == 0
    assert "answer with: agentorch approve " in watched.err
    assert "waiting: for a person; go on with: agentorch resume " in watched.err


@pytest.mark.parametrize("answer", ["$a", "$a.text"])
def test_a_large_answer_is_shown_whole(agentorch: Command, home: Path, answer: str) -> None:
    """Also one that is kept apart from the events."""
    (home / "large.py").write_text(LARGE, encoding="utf-8")
    (home / "large.yaml").write_text(f"tasks: [{{id: a, agent: talker}}]\nanswer: {answer}\n", encoding="utf-8")
    assert agentorch("run", "--plan", "large.yaml", "-a", "large.py").code == 0
    shown = agentorch("runs", "show", "last").out
    value = json.loads(agentorch("runs", "show", "last", "--json").out)["answer"]
    assert ("xend" in shown, "$blob" in shown) == (True, False)
    assert (value if answer == "$a.text" else value["text"]).endswith("xend")


def test_an_answer_that_is_not_there_is_a_problem(agentorch: Command, home: Path) -> None:
    """A part that the output does not have: the run is partial, and says so each time it is shown."""
    (home / "lister.py").write_text(LISTER, encoding="utf-8")
    (home / "list.yaml").write_text("tasks: [{id: l, agent: lister}]\nanswer: $l.5\n", encoding="utf-8")
    said = agentorch("run", "--plan", "list.yaml", "-a", "lister.py")
    shown = agentorch("runs", "show", "last")

    words = "the answer is $l.5: no item '5'; the list has 2 items, counted from 0"
    assert (said.code, words in said.err) == (3, True)
    assert (shown.code, words in shown.out) == (0, True)


def test_what_is_given_twice_is_refused(agentorch: Command, home: Path) -> None:
    """Inputs of a run, outputs of a fork: nobody knows which is meant."""
    assert home.is_dir()
    twice = agentorch("run", "Buses", "-a", "team.py", "-i", "a=1", "-i", "a=2")
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    fork = agentorch("fork", "last", "--at", "5", "--set", "facts=[]", "--set", 'facts=["x"]')
    assert (twice.code, twice.err) == (2, "agentorch: --input 'a=2': a is given twice: give it once\n")
    assert (fork.code, "facts is set twice: set it once" in fork.err) == (2, True)


def test_a_folder_that_is_made_for_a_journal_is_named(agentorch: Command, home: Path) -> None:
    """A typing error is seen; the default place is made without a word."""
    place = home / "new" / "deep" / "runs.db"
    first = agentorch("run", "--plan", "plan.yaml", "-a", "team.py", "--journal", str(place))
    second = agentorch("run", "--plan", "plan.yaml", "-a", "team.py", "--journal", str(place))
    line = f"the journal's folder was made: {place.parent}"
    assert (first.code, line in first.err, line in second.err) == (0, True, False)


def test_why_nothing_is_compacted(agentorch: Command, home: Path) -> None:
    """A run that was compacted before is named, and so is that none is so old."""
    assert home.is_dir()
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    run_id = json.loads(agentorch("runs", "--json").out)["run_id"]
    agentorch("journal", "compact", "--run", "last")
    again = agentorch("journal", "compact", "--run", "last", "--before", "3")
    assert again.out.startswith("0 runs compacted")
    assert again.err.splitlines() == [
        f"compacted before: {run_id}",
        "no finished run that is still whole was last written more than 3 days ago",
    ]


def test_why_of_a_stopped_run_does_not_say_that_it_runs() -> None:
    """Its task was begun, and stands still with the run."""
    story = Story(Task("a", "loader"))
    story.start("a")
    story.tell(inbox.Stop(story.tick(), Problem("interrupted", "stopped by Ctrl-C")))
    first = story.why("a").splitlines()[1]
    assert first == "#4 'a' was begun, attempt 1 with 'loader'; the run stands still: stopped by Ctrl-C"


def test_why_names_what_was_answered_as_json() -> None:
    """With the id of the request."""
    story = Story(Task("a", "loader", policy=Policy(approval="before")))
    story.start("a")
    story.tell(inbox.Answer(story.tick(), "approve:a:1:1:loader", True, "root"))
    assert " root answered approve:a:1:1:loader: true\n" in story.why("a")


def test_why_an_attempt_begins_afresh() -> None:
    """What has changed is begun anew, and is not called the same attempt."""
    story = Story(Task("a", "loader"))
    story.start("a")
    story.tell(inbox.Adopt(story.tick(), "another", {}, frozenset({"loader"})))
    told = story.why("a")
    assert "its attempt begins afresh: the agent, or a template, has changed" in told
    assert "the same attempt" not in told


def test_why_on_a_fork_says_that_an_output_was_set(agentorch: Command, home: Path) -> None:
    """And what it was set to."""
    assert home.is_dir()
    agentorch("run", "--plan", "plan.yaml", "-a", "team.py")
    agentorch("fork", "last", "--at", "5", "--set", 'facts=["ants march."]')
    told = agentorch("why", "last", "facts").out
    assert "its output was set when the run was forked from 0" in told
    assert told.count('at 5: ["ants march."]') == 1


def test_no_name_of_a_class_stands_in_the_words_for_a_wrong_value() -> None:
    """Whoever writes JSON knows nothing of it."""
    _, problems = output_of(Ruling, what="a judge", written_by_model=True).examine([True])
    assert problems == ("input should be a valid dictionary; got [True]",)
