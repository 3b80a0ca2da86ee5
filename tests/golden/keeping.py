"""What is kept of this release's journals: exported runs, a digest of the state at each event, and every field.

    python -m tests.golden.keeping

writes them anew, after a new event or field. It refuses a field that changed without a version: the journals of earlier
releases could not be read any more.
"""

import asyncio
import json
import sys
import tempfile
from collections import deque
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from agentorch.core.apply import apply
from agentorch.core.events import Event
from agentorch.core.special import Special
from agentorch.core.state import RunState, TaskState
from agentorch.journal.codec import event_types
from agentorch.journal.exporting import Export
from agentorch.journal.files import file_to_read
from agentorch.journal.sqlite import SqliteJournal
from tests.golden.scenarios import CARDS, TRIMMED, runs

FOLDER = Path(__file__).parent
JOURNAL, STATES, FIELDS = FOLDER / "journal.jsonl", FOLDER / "states.json", FOLDER / "fields.json"
DERIVED = {
    *("catalog", "ready", "line", "ranks_stale", "usual_seconds", "gained", "ready_count", "timers", "rank"),
    *("clocked", "defaults"),
}
"""What is kept in a state for speed alone."""
DERIVED_OF_TASKS = {"agent", "join", "special"}
"""The same of a task's: its ladder's, what its policies say, and where its rare fields are."""
RECORDED = {"entries", "ended", "before"}
"""What is kept for people to look at: no decision rests on it, and digests from before it was kept are to hold."""


def plain(value: Any) -> Any:
    """Return a state as JSON, without what is as it was made: a field that is new does not change what is old."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        derived: set[str] = DERIVED | RECORDED | (DERIVED_OF_TASKS if isinstance(value, TaskState) else set[str]())
        every = (*fields(value), *fields(Special)) if isinstance(value, TaskState) else fields(value)
        kept = {field.name: getattr(value, field.name) for field in every if field.name not in derived}
        unset = {field.name: field.default for field in every if field.default is not MISSING}
        said = {name: plain(part) for name, part in kept.items() if name not in unset or part != unset[name]}
        return {name: part for name, part in said.items() if part not in ({}, [], None)}
    if isinstance(value, dict):
        return {str(name): plain(part) for name, part in cast("dict[Any, Any]", value).items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, cast("set[Any]", value)))
    if isinstance(value, list | tuple | deque):
        return [plain(part) for part in cast("list[Any]", value)]
    return value


def digests(run_id: str, events: list[Event]) -> list[str]:
    """Return a digest of the state behind each event."""
    state = RunState(run_id, CARDS)
    found: list[str] = []
    for event in events:
        apply(state, event)
        text = json.dumps(plain(state), sort_keys=True, ensure_ascii=False)
        found.append(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16])
    return found


def fields_now() -> dict[str, dict[str, dict[str, Any]]]:
    """Return type and default of every field, by event type and version."""
    said: dict[str, dict[str, dict[str, Any]]] = {}
    for name, model in sorted(event_types().items()):
        said[f"{name} {model.version}"] = {
            field: {"type": str(info.annotation), "required": info.is_required(), "default": _shown(info.default)}
            for field, info in sorted(model.model_fields.items())
        }
    return said


def _shown(default: Any) -> str:
    """Return a default in words; what a policy or a budget holds is its own matter."""
    made = isinstance(default, BaseModel) or is_dataclass(default)
    return f"{type(default).__name__}()" if made else repr(default)


def broken_fields(kept: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say which fields changed without a new version; new ones with defaults are no change."""
    found: list[str] = []
    for event in kept.keys() & now.keys():
        for field, was in kept[event].items():
            if now[event].get(field) != was:
                found.append(f"{event}: the field '{field}' was {was}, and is {now[event].get(field)}")
        added = [field for field in now[event].keys() - kept[event].keys() if now[event][field]["required"]]
        found += [f"{event}: the new field '{field}' has no default" for field in added]
    return sorted(found)


async def exported() -> bytes:
    """Return the runs of this release, exported out of a journal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.db"
        journal = SqliteJournal(path)
        await journal.open()
        await journal.blobs.put(TRIMMED)
        for run in runs():
            await journal.append(run.state.run_id, run.events, after=0)
        await journal.close()
        with file_to_read(path) as connection:
            return b"".join(Export(connection, release="golden").lines())


def main() -> int:
    """Write everything anew; 1 when a field changed without a version."""
    kept: dict[str, Any] = json.loads(FIELDS.read_text("utf-8")) if FIELDS.exists() else {}
    broken = broken_fields(kept, fields_now())
    sys.stderr.writelines(f"{line}\n" for line in broken)
    if not broken:
        JOURNAL.write_bytes(asyncio.run(exported()))
        STATES.write_text(
            json.dumps({r.state.run_id: digests(r.state.run_id, r.events) for r in runs()}, indent=1) + "\n"
        )
        FIELDS.write_text(json.dumps(fields_now(), indent=1) + "\n")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
