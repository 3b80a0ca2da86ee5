"""`agentorch journal verify | export | import | compact`: work on a journal's file as a whole."""

import os
import sys
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import anyio
from pydantic_core import to_jsonable_python

from agentorch.cli.journals import named_run, reading
from agentorch.cli.meter import Meter
from agentorch.cli.result import ENVIRONMENT, SUCCEEDED
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.words import counted, escaped
from agentorch.errors import ConfigurationError, JournalError
from agentorch.journal.checking import Check, Checked, Fault
from agentorch.journal.compacting import Compacted, Compaction
from agentorch.journal.exporting import Export
from agentorch.journal.files import file_to_read, file_to_write
from agentorch.journal.importing import Import, Imported
from agentorch.journal.opening import open_journal
from agentorch.journal.owners import Owners
from agentorch.journal.sqlite import SqliteJournal
from agentorch.runtime.release import release

_DAY: Final = 86_400.0
_SHOWN: Final = 3


def verify_journal(run: str | None, setup: Setup, *, json: bool) -> int:
    """Check the whole journal, or one run; return 2 when anything is wrong."""
    screen = Screen()
    path = _existing(setup)
    run_id = None if run is None else _named(setup, run)
    with file_to_read(path) as connection, _metered(screen, "checked") as meter:
        found = Check(connection, seen=meter).run(run_id)
    if json:
        screen.json({**_plain(found), "faults": [_as_json(fault) for fault in found.faults]})
    else:
        _say_faults(screen, found.faults)
        screen.data(_checked_in_words(found))
    return ENVIRONMENT if found.faults else SUCCEEDED


def export_journal(runs: Sequence[str], to: Path | None, setup: Setup, *, live: bool, json: bool) -> int:
    """Write runs, or all of them, to a file or stdout; return 2 when one had to be left out, or anything is wrong."""
    screen = Screen()
    to = None if to == Path("-") else to
    path = _existing(setup)
    run_ids = [_named(setup, run) for run in runs]
    with file_to_read(path) as connection, _metered(screen, "exported") as meter:
        export = Export(connection, release=release(), live=live, seen=meter)
        _write(to, export.lines(run_ids))
    _say_faults(screen, export.faults, left_out=True)
    _say_faults(screen, export.mended)
    told: dict[str, Any] = {"runs": export.runs, "faults": [_as_json(fault) for fault in export.faults]}
    told["mended"] = [_as_json(fault) for fault in export.mended]
    _say(screen, told, f"{counted(export.runs, 'run')} exported", json, to)
    return ENVIRONMENT if export.faults or export.mended else SUCCEEDED


def import_journal(file: str, setup: Setup, *, live: bool, json: bool) -> int:
    """Take the runs of a file in; return 2 when one was refused."""
    screen = Screen()
    with _opened(file) as data, file_to_write(_path(setup)) as connection, _metered(screen, "read", "lines") as meter:
        taking = Import(connection, live=live, seen=meter)
        try:
            found = taking.take(data)
        except JournalError as error:
            _say_imported(screen, taking.found, json)
            raise JournalError(f"{file}: {error}") from None
    _say_imported(screen, found, json)
    return ENVIRONMENT if found.refused else SUCCEEDED


def compact_journal(days: float | None, runs: Sequence[str], setup: Setup, *, json: bool) -> int:
    """Drop the events of finished runs that are older, or that are named."""
    if days is None and not runs:
        raise ConfigurationError("name what to compact: --before DAYS, or --run RUN")
    screen = Screen()
    path = _existing(setup)
    named = [_named(setup, run) for run in runs]
    with file_to_write(path) as connection, _metered(screen, "compacted", "runs") as meter:
        compaction = Compaction(connection, in_use=Owners(path).anybody, seen=meter)
        old = [] if days is None else compaction.older_than(time.time() - days * _DAY)
        found = compaction.compact([*dict.fromkeys([*named, *old])])
    if json:
        screen.json({**_plain(found), "damaged": [_as_json(fault) for fault in found.damaged]})
    else:
        _say_faults(screen, found.damaged, left_out=True)
        screen.data(_compacted_in_words(found))
        damaged = {fault.run for fault in found.damaged}
        was = [name for name in dict.fromkeys(named) if name not in {*found.runs, *damaged}]
        if was:
            screen.say(f"compacted before: {', '.join(was)}", whole=True)
        if days is not None and not old:
            screen.say(f"no finished run that is still whole was last written more than {days:g} days ago")
    return ENVIRONMENT if found.damaged else SUCCEEDED


def _path(setup: Setup) -> Path:
    journal = open_journal(setup.journal)
    if not isinstance(journal, SqliteJournal):
        raise ConfigurationError("the journal memory: is no file: name one with --journal")
    return journal.path


def _existing(setup: Setup) -> Path:
    path = _path(setup)
    if not path.exists():
        raise ConfigurationError(f"journal {path}: there is no such file; `agentorch run` makes it")
    return path


def _named(setup: Setup, run: str) -> str:
    async def named() -> str:
        async with reading(setup.journal) as journal:
            return (await named_run(journal, run)).run_id

    return anyio.run(named)


@contextmanager
def _metered(screen: Screen, what: str, noun: str = "events") -> Generator[Meter]:
    meter = Meter(screen, what, noun=noun)
    try:
        yield meter
    finally:
        meter.end()


def _write(to: Path | None, lines: Iterable[bytes]) -> None:
    if to is None:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(map(_escaped, lines) if sys.stdout.isatty() else lines)
        sys.stdout.buffer.flush()
        return
    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except FileExistsError:
        raise ConfigurationError(f"--to {to}: it is there already: name another file") from None
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # the handle carries the file's mode
            file.writelines(lines)
    except BaseException as error:
        with suppress(OSError):
            to.unlink()
        if isinstance(error, OSError) and error.filename is None:
            why = f"{error.strerror}: nothing is left of it; name another place"
            raise ConfigurationError(f"--to {to}: {why}") from None
        raise


def _escaped(line: bytes) -> bytes:
    """Return a line of an export for a terminal: the same values, of other bytes, which no import takes."""
    return escaped(line.decode("utf-8", "replace")).encode()


@contextmanager
def _opened(file: str) -> Generator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    with Path(file).expanduser().open("rb") as data:
        yield data


def _say_faults(screen: Screen, faults: Sequence[Fault], *, left_out: bool = False) -> None:
    for fault in faults:
        screen.say(f"{fault}{': it is left out' if left_out else ''}", whole=True)


def _say_imported(screen: Screen, found: Imported, json: bool) -> None:
    _say_faults(screen, found.refused)
    _say_unfinished(screen, found)
    parts = [f"{counted(len(found.taken), 'run')} imported"]
    parts += [f"{len(found.skipped)} there already"] if found.skipped else []
    parts += [f"{len(found.restored)} given back what was damaged or compacted"] if found.restored else []
    parts += [f"{len(found.refused)} refused"] if found.refused else []
    _say(screen, _plain(found) | {"refused": [_as_json(fault) for fault in found.refused]}, ", ".join(parts), json)


def _say_unfinished(screen: Screen, found: Imported) -> None:
    """Name the runs that must not go on in two journals: nothing but the user can see to that."""
    for run in found.unfinished[:_SHOWN]:
        words = "resume it here or where it came from, never in both: what it does would be done twice"
        screen.say(f"run {run} has not finished: {words}", whole=True)
    if len(found.unfinished) > _SHOWN:
        screen.say(f"{len(found.unfinished) - _SHOWN:,} more have not finished: `agentorch runs` names them")


def _say(screen: Screen, value: dict[str, Any], words: str, json: bool, to: Path | None = Path()) -> None:
    """Say what was done: on stdout, but where that holds the export itself."""
    if to is None:
        screen.dim(words)
    elif json:
        screen.json(value)
    else:
        screen.data(words)


def _checked_in_words(found: Checked) -> str:
    parts = [counted(found.runs, "run"), counted(found.events, "event"), counted(found.blobs, "blob")]
    parts += [f"{found.compacted:,} compacted"] if found.compacted else []
    parts.append(counted(len(found.faults), "fault") if found.faults else "nothing is wrong")
    return " · ".join(parts)


def _compacted_in_words(found: Compacted) -> str:
    parts = [f"{counted(len(found.runs), 'run')} compacted", f"{counted(found.events, 'event')} dropped"]
    parts += [f"{counted(found.blobs, 'blob')} dropped"] if found.blobs else []
    if found.kept_blobs:
        parts.append(f"{counted(found.kept_blobs, 'blob')} kept while others are at work in the journal")
    parts.append(f"{found.before:,} to {found.after:,} bytes")
    parts += ["the file could not shrink: it is in use; compact again later"] if found.busy else []
    return " · ".join(parts)


def _as_json(fault: Fault) -> dict[str, Any]:
    return {"run": fault.run, "seq": fault.seq, "what": fault.what}


def _plain(found: object) -> dict[str, Any]:
    plain: dict[str, Any] = to_jsonable_python(found)
    return plain
