"""The journals of this release are kept, and every later one reads them as this one does."""

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from agentorch.core.events import Event
from agentorch.core.fact import TaskEvent
from agentorch.errors import JournalVersionError
from agentorch.journal.codec import Codec, event_types
from agentorch.journal.sqlite import SqliteJournal
from tests.golden.keeping import FIELDS, JOURNAL, STATES, broken_fields, digests, fields_now
from tests.journal.kept import faults, imported

REMEDY = "python -m tests.golden.keeping"


async def golden(folder: Path) -> dict[str, list[Event]]:
    """Return the events of the kept runs, read out of a journal that imported them."""
    found = imported(JOURNAL.read_bytes(), folder / "runs.db")
    assert found.refused == []
    assert faults(folder / "runs.db") == []
    journal = SqliteJournal(folder / "runs.db")
    await journal.open()
    try:
        return {name: await journal.read(name) for name in found.taken}
    finally:
        await journal.close()


async def test_kept_journals_give_the_states_that_they_gave(tmp_path: Path) -> None:
    """At each event the state is what it was when the journal was written."""
    kept = json.loads(STATES.read_text("utf-8"))
    assert {name: digests(name, events) for name, events in (await golden(tmp_path)).items()} == kept


async def test_every_event_type_is_kept(tmp_path: Path) -> None:
    """An event that no kept journal holds could change its meaning unseen."""
    kept = {event.type for events in (await golden(tmp_path)).values() for event in events}
    assert set(event_types()) - kept == set(), f"add it to tests/golden/scenarios.py, then: {REMEDY}"


def test_no_field_changes_without_a_version() -> None:
    """Types, defaults and names of fields are those of the release that wrote them; new ones are kept too."""
    kept = json.loads(FIELDS.read_text("utf-8"))
    assert broken_fields(kept, fields_now()) == []
    assert kept == fields_now(), f"a field or an event is new: {REMEDY}"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({"x": {"type": "int", "required": True, "default": ""}}, []),
        ({"x": {"type": "str", "required": True, "default": ""}}, ["E 1: the field 'x' was"]),
        ({}, ["E 1: the field 'x' was"]),
        (
            {"x": {"type": "int", "required": True, "default": ""}, "y": {"required": True}},
            ["E 1: the new field 'y' has no default"],
        ),
    ],
)
def test_changes_of_fields_are_told(now: dict[str, Any], said: list[str]) -> None:
    """A changed, lost or new required field is named."""
    kept = {"E 1": {"x": {"type": "int", "required": True, "default": ""}}}
    found = broken_fields(kept, {"E 1": now})
    assert [line[: len(words)] for line, words in zip(found, said, strict=True)] == said
    assert broken_fields(kept, {"E 2": now}) == []


class Reported(TaskEvent, frozen=True):
    """A second version: `text` became `words`, and `loud` is new."""

    version: ClassVar[int] = 3
    type: Literal["TaskReported"] = "TaskReported"
    words: list[str]
    loud: bool


def to_second(old: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in old.items() if name not in {"text", "key"}}
    return kept | {"words": [old["text"]]}


def to_third(old: dict[str, Any]) -> dict[str, Any]:
    return old | {"loud": old["words"][0].isupper()}


UPCASTERS = {("TaskReported", 1): to_second, ("TaskReported", 2): to_third}


async def test_an_older_version_is_lifted_step_by_step(tmp_path: Path) -> None:
    """A release with a third version of an event reads the kept first one through both upcasters."""
    event = next(event for event in (await golden(tmp_path))["golden-steps"] if event.type == "TaskReported")
    codec = Codec({**event_types(), "TaskReported": Reported}, UPCASTERS)
    payload = event.model_dump_json().encode()
    lifted = codec.decode("TaskReported", 1, payload, run_id="golden-steps", seq=event.seq)
    assert lifted == Reported(
        seq=event.seq, at=event.at, run_id=event.run_id, task=str(event.task), words=["half-way"], loud=False
    )
    second = b'{"seq":1,"at":1.0,"run_id":"r","type":"TaskReported","task":"a","words":["HO"]}'
    assert vars(codec.decode("TaskReported", 2, second, run_id="r", seq=1))["loud"] is True
    with pytest.raises(JournalVersionError, match="upgrade agentorch"):
        codec.decode("TaskReported", 4, second, run_id="r", seq=1)
