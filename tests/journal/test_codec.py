"""Events as bytes: what comes back, what is lifted, what is refused."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentorch.core.events import AttemptFailed, Event, RunStarted, TaskFailed, TasksAccepted, TaskSucceeded
from agentorch.core.failures import FailureKind, Problem
from agentorch.core.policy import Policy
from agentorch.core.task import Task
from agentorch.errors import JournalDamaged, JournalError, JournalVersionError
from agentorch.journal.codec import CODEC, Codec, encode, event_types
from agentorch.testing.samples import sample_events

any_text = st.text(st.characters(), max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)


def back(event: Event) -> Event:
    """Return `event` after a way through bytes."""
    return CODEC.decode(event.type, event.version, encode(event), run_id=event.run_id, seq=event.seq)


@given(values, any_text)
def test_json_values_come_back(value: Any, name: str) -> None:
    """Any value in an output, an input or a task's inputs, lone surrogates included."""
    task = Task("a", "b", objective="o", inputs={name: value})
    events = [
        TaskSucceeded(seq=1, at=0.5, run_id="r", task="a", key="k", output=value),
        AttemptFailed(seq=1, at=0.5, run_id="r", task="a", key="k", kind=FailureKind.CRASH, problems=(), output=value),
        TasksAccepted(seq=1, at=0.5, run_id="r", tasks=(task, task), source="user"),
    ]
    assert [back(event) for event in events] == events


@given(st.floats(allow_nan=False), any_text)
def test_text_and_times_come_back(at: float, text: str) -> None:
    """Times to the last bit; surrogates in the words of a problem too."""
    event = TaskFailed(seq=1, at=at, run_id="r", task="a", problem=Problem("crash", text))
    assert back(event) == event


@pytest.mark.parametrize("event", sample_events("r"), ids=lambda event: f"{event.type}{event.seq}")
def test_every_type_has_its_name_and_comes_back(event: Event) -> None:
    """Bytes are JSON objects that a person can read, with seq, at, run_id and type."""
    told = json.loads(encode(event))
    assert (told["seq"], told["at"], told["run_id"], told["type"]) == (event.seq, event.at, "r", event.type)
    assert type(back(event)) is event_types()[event.type] is type(event)


def test_a_policy_comes_back_with_what_it_sets() -> None:
    """A setting that equals the default stays set; one that was not set stays free."""
    event = RunStarted(seq=1, at=1.0, run_id="r", goal="g", policy=Policy(attempts=2))
    task = TasksAccepted(seq=2, at=1.0, run_id="r", source="user", tasks=(Task("a", "b", policy=Policy(repairs=2)),))
    read = back(event)
    accepted = back(task)
    assert isinstance(read, RunStarted)
    assert isinstance(accepted, TasksAccepted)
    assert read.policy.model_fields_set == {"attempts"}
    assert accepted.tasks[0].policy.model_fields_set == {"repairs"}


def test_defaults_are_written_out() -> None:
    """A later release with other defaults reads what was in force, not its own defaults."""
    told = json.loads(encode(RunStarted(seq=1, at=1.0, run_id="r", goal="g", policy=Policy().whole())))
    assert told["policy"]["attempts"] == 2
    assert told["budget"]["max_depth"] == 8
    assert told["person"] is False


class Renamed(Event, frozen=True):
    """An event type that has had three versions."""

    version = 3
    type: Literal["Renamed"] = "Renamed"
    name: str
    size: int


def lifted(values: dict[str, Any]) -> dict[str, Any]:
    return {"name" if key == "title" else key: value for key, value in values.items()}


FUTURE = Codec(
    models={"Renamed": Renamed},
    upcasters={("Renamed", 1): lifted, ("Renamed", 2): lambda values: {**values, "size": len(values["name"])}},
)


@pytest.mark.parametrize(
    ("version", "said"), [(1, {"title": "abc"}), (2, {"name": "abc"}), (3, {"name": "abc", "size": 3})]
)
def test_older_versions_are_lifted(version: int, said: dict[str, Any]) -> None:
    """Each version goes through the lifts behind it, in order."""
    payload = json.dumps({"seq": 7, "at": 1.5, "run_id": "r", "type": "Renamed", **said}).encode()
    read = FUTURE.decode("Renamed", version, payload, run_id="r", seq=7)
    assert read == Renamed(seq=7, at=1.5, run_id="r", name="abc", size=3)


@pytest.mark.parametrize(
    ("type", "version", "said"),
    [
        ("Renamed", 4, "run r, seq 7: Renamed has version 4"),
        ("Unheard", 1, "run r, seq 7: unknown event type 'Unheard'"),
    ],
)
def test_what_is_newer_is_refused(type: str, version: int, said: str) -> None:
    """One line that says where, what, and what to do."""
    with pytest.raises(JournalVersionError, match=said) as caught:
        FUTURE.decode(type, version, b"{}", run_id="r", seq=7)
    assert str(caught.value).endswith("upgrade agentorch")


STRANGE = b'{"seq":7,"at":1,"run_id":"r","task":"a","key":"k","output":1,"a\xc2\x85b":1}'


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"seq": 1}', b"\xff\xfe", b'{"seq": NaN}', STRANGE])
def test_bytes_that_are_no_event_are_damage(payload: bytes) -> None:
    """Never a pydantic traceback: run, seq and reason in one line."""
    with pytest.raises(JournalDamaged, match=r"^run r, seq 7: the bytes of TaskSucceeded cannot be read: ") as caught:
        CODEC.decode("TaskSucceeded", 1, payload, run_id="r", seq=7)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("value", [object(), {1, object()}, 10**4400], ids=["object", "set", "endless"])
def test_what_is_not_json_is_refused(value: Any) -> None:
    """The message names the event and the run."""
    event = TaskSucceeded(seq=3, at=1.0, run_id="r", task="a", key="k", output=value)
    with pytest.raises(JournalError, match="TaskSucceeded 3 of run r cannot be stored"):
        encode(event)


def test_a_long_text_of_digits_is_no_number() -> None:
    """Five thousand digits in a string are a string."""
    event = TaskSucceeded(seq=3, at=1.0, run_id="r", task="a", key="k", output="7" * 5000)
    assert back(event) == event
