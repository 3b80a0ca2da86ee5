"""How long a turn took: the time in which it was carried out, live and taken up again."""

from pathlib import Path

import pytest

from agentorch.cli.chat.record import ChatRecord
from agentorch.cli.chat.restoring import restored
from agentorch.cli.settings import Setup
from agentorch.core import inbox
from agentorch.core.task import Task
from agentorch.journal.sqlite import SqliteJournal
from tests.cli.stories import Story


async def test_the_time_before_a_take_over_is_none_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day between a kill and `/resume` is not counted; the seconds before and after are."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    story = Story(Task("load", "loader"), Task("merge", "loader", needs=("load",)))
    story.succeed("load")
    before = story.at
    story.at += 86_400
    story.tell(inbox.Adopt(story.at, "another"))
    after = story.at
    story.succeed("merge")
    place = str(tmp_path / "runs.db")
    journal = SqliteJournal(place)
    await journal.open()
    await journal.append("r1", story.events, after=0)
    await journal.close()
    ChatRecord(id="c1", journal=place, runs=["r1"]).save()

    found = await restored(Setup(journal=place), name="c1")

    assert [turn.seconds for turn in found.turns] == [before - 1 + story.at - after]
