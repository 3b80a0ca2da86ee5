"""Targets: what comes from outside the process; journal rows, envelopes, the command line."""

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Final
from unittest.mock import patch

from hypothesis import strategies as st

from agentorch.cli import main
from agentorch.core.task import Task
from agentorch.errors import BusError, JournalError
from agentorch.journal.chain import anchor, walk
from agentorch.journal.codec import CODEC
from agentorch.journal.codec import encode as encode_event
from agentorch.messages.envelope import Envelope, decode, encode
from agentorch.messages.work import Result, Terms, TextDelta, Withdrawal, Work
from agentorch.testing.samples import sample_events
from tests.hostile.material import damaged, damaged_bytes, hostile_text, json_like, written
from tests.hostile.promise import refused_in_words
from tests.hostile.target import hostile

_EVENTS: Final = sample_events("r1")
_PAYLOADS: Final = {type(event).__name__: encode_event(event).decode() for event in reversed(_EVENTS)}
_ENVELOPES: Final = tuple(
    encode(Envelope("task.writer.interactive", data, id="k", source="s", time=1.5, deadline=2.5)).decode()
    for data in (
        Work("r/t/0/1/1", Terms("r"), Task("t", "writer", "of it", {"a": "$b"}), "writer", {"a": [1]}, "of it"),
        Result("r/t/0/1/1", {"a": 1}),
        Withdrawal("r/t/0/1/1"),
        TextDelta("r/t/0/1/1", "piece"),
    )
)


@hostile(st.sampled_from([*_PAYLOADS, "Nothing"]), st.integers(-1, 3), st.data())
def journal_rows(kind: str, version: int, data: st.DataObject) -> None:
    """A row of a journal that somebody wrote: an event of that type, or JournalError that names run and seq."""
    payload = data.draw(damaged_bytes(_PAYLOADS.get(kind, "{}")))
    with refused_in_words(JournalError, begins="run r1, seq 1: "):
        event = CODEC.decode(kind, version, payload, run_id="r1", seq=1)
        assert type(event).__name__ == kind
        assert CODEC.decode(kind, version, encode_event(event), run_id="r1", seq=1) is not None


@hostile(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=140), st.none() | st.binary(max_size=9)), max_size=3))
def chained_rows(rows: list[tuple[int, bytes, bytes | None]]) -> None:
    """Headers of any bytes: JournalDamaged that names run and seq."""
    with refused_in_words(JournalError, begins="run r1, seq 1: "):
        assert walk("r1", rows, start=anchor("r1"), until=9)[0] == []


@hostile(st.one_of(damaged_bytes(*_ENVELOPES), json_like.map(lambda value: written(value).encode("utf-8", "replace"))))
def envelopes(data: bytes) -> None:
    """Bytes from a bus: an envelope that can be sent on, or BusError."""
    with refused_in_words(BusError):
        envelope = decode(data)
        assert decode(encode(envelope)) == envelope or "nan" in repr(envelope).lower()


_LINES: Final = (
    ["plan", "{}"], ["plan", "a goal", "-i", "x={}"], ["plan", "--file", "plan.yaml"], ["plan", "a goal", "-f", "{}"],
    ["plan", "--file", "{}"], ["plan", "a goal", "-a", "{}"], ["runs", "show", "{}"], ["why", "last", "{}"],
    ["runs", "ls", "--status", "{}"], ["agents", "show", "{}"], ["agents", "validate", "{}"], ["{}"],
    ["run", "{}", "--json"],
    ["plan", "a goal", "--model", "{}"], ["run", "x", "--max-calls", "{}"], ["runs", "ls", "--journal", "{}"],
)  # fmt: skip


@hostile(st.sampled_from(_LINES), hostile_text, st.data())
def command_lines(form: list[str], text: str, data: st.DataObject) -> None:
    """Arguments and plan files of any kind: a documented exit code, words in lines, nothing that a terminal obeys."""
    argument = text.replace("\0", "")
    with tempfile.TemporaryDirectory() as folder:
        if "plan.yaml" in form:
            Path(folder, "plan.yaml").write_text(
                data.draw(damaged("tasks:\n- {id: a, agent: writer}\n")), "utf-8", "replace"
            )
        code, out, err = command(folder, *(part.replace("{}", argument) for part in form))
    assert code in {0, 1, 2, 3, 4}, (code, err)
    assert "Traceback" not in err
    assert not [letter for letter in out + err if ord(letter) < 32 and letter not in "\n\t"], (out, err)


def command(folder: str, *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process and in that folder; return its exit code and what it wrote."""
    out, err = io.StringIO(), io.StringIO()
    environment = {"AGENTORCH_JOURNAL": f"{folder}/runs.db", "XDG_DATA_HOME": folder}
    with (
        contextlib.chdir(folder),
        patch.dict("os.environ", environment),
        patch.object(sys, "argv", ["agentorch", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as left:
            return int(left.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


TARGETS: Final = (journal_rows, chained_rows, envelopes, command_lines)
