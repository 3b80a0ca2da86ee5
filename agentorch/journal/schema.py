"""The SQLite file: its tables, its settings, and every way in which it cannot be opened, in one line each.

1. Write-ahead log with `synchronous=FULL`: of the settings that were cut off from power, the only one that lost
   nothing it had acknowledged. NORMAL survives the death of the process, not of the machine.
2. Events lie in the order in which they came, with a small index by run: a group that writes to many runs touches
   a tenth of the pages that it would touch if each run's events lay together.
3. The file is readable by its owner only; it holds what the agents saw.
4. A file that is there is opened by SQLite alone: to close any descriptor of it would drop the locks of this process,
   those of its open journals too, and the next process would take their log for nobody's.
"""

import errno
import os
import sqlite3
import stat
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any, Final, Literal

from agentorch.errors import JournalDamaged, JournalError, JournalVersionError

Durability = Literal["power", "process"]
"""What an acknowledged event survives: a power cut, or the death of the process."""

SCHEMA: Final = 2
"""Version of the tables, kept in `user_version`: 2 has blocks of several events, 1 those of one only."""
APPLICATION: Final = 0x61676F72
"""`application_id` of our files ("agor")."""
BUSY_SECONDS: Final = 5.0
"""How long a writer waits for another process."""

_TABLES: Final = (
    """CREATE TABLE runs (
        number INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, goal TEXT NOT NULL, status TEXT NOT NULL,
        started REAL NOT NULL, updated REAL NOT NULL, head INTEGER NOT NULL, hash BLOB NOT NULL, tags TEXT NOT NULL,
        key TEXT, request TEXT) STRICT""",
    "CREATE UNIQUE INDEX runs_by_key ON runs (key) WHERE key IS NOT NULL",  # few runs have one: the rest write no page
    """CREATE TABLE events (
        run INTEGER NOT NULL REFERENCES runs (number), seq INTEGER NOT NULL, header BLOB NOT NULL, payload BLOB,
        PRIMARY KEY (run, seq)) STRICT""",
    "CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT",
    """CREATE TABLE requests (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
        "by" TEXT NOT NULL, at REAL NOT NULL) STRICT""",
)
_NETWORK: Final = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs"}
_CORRUPT: Final = "SQLITE_CORRUPT"
_FULL: Final = "the disk is full: free some space, then resume, or start again what had not begun"
_BUSY: Final = f"another process has kept it busy for {BUSY_SECONDS:.0f} s: continue, or end, one that stands still"
_WORDS: Final = {
    "SQLITE_NOTADB": "it is not a database file: name another file",
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR_SHMSIZE": _FULL,  # no room for the index of the log
    "SQLITE_READONLY": "it is read-only: choose a place that can be written",
    "SQLITE_BUSY": _BUSY,
    "SQLITE_CANTOPEN": "the file cannot be opened: check the path and its permissions",
    "SQLITE_IOERR": "the disk reports an input/output error: see to the disk, then resume",
    "SQLITE_CORRUPT": "the disk cannot be read any more: see to the disk, then resume",
}
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT}
_LEAST: Final = 65_536
"""Bytes that a log and its index need at first."""
_WAYS: Final = ("mode=rw", "mode=ro&readonly_shm=1", "mode=ro&immutable=1")
"""How a file is opened that is only read: to be left tidy; with no room for anything beside it; without its log."""

_LOOKED_AT: Final[dict[tuple[int, int], int]] = {}
"""Descriptors of files that seemed damaged, by device and inode: they stay open."""

_CREATING: Final = Lock()
"""Held from the making of an empty file until its descriptor is closed."""

FAULTS: Final = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the second where it speaks of a damaged file in that file's own bytes."""


def in_words(path: Path, error: sqlite3.Error | OSError | UnicodeDecodeError) -> JournalError:
    """Return `error` as one line that names the file and the remedy."""
    if isinstance(error, UnicodeDecodeError):
        return damaged_file(path)
    if isinstance(error, OSError):
        if error.errno in _NO_ROOM:
            return JournalError(f"journal {path}: {_FULL}")
        return JournalError(f"journal {path}: {error.strerror or error}: choose a place that can be written")
    if str(error).startswith("no such table"):  # its marks are there, and its first page is not whole
        return damaged_file(path, error)
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(_CORRUPT) and _can_be_read(path):
        return damaged_file(path, error)
    if name.startswith("SQLITE_READONLY") and _has_no_room(path):  # it is read without an index beside it
        return JournalError(f"journal {path}: {_FULL}")
    for prefix, words in _WORDS.items():
        if name.startswith(prefix):
            return JournalError(f"journal {path}: {words}")
    return JournalError(f"journal {path}: {error}")


def damaged_file(path: Path, why: object = "") -> JournalDamaged:
    """Return what is said of a file whose bytes are at fault."""
    words = " ".join(str(why).split())  # it may quote a whole table
    because = f" ({words})" if words else ""
    return JournalDamaged(f"journal {path}: the database file is damaged{because}: restore it from a copy")


def is_damage(connection: sqlite3.Connection, error: sqlite3.DatabaseError) -> bool:
    """Whether the bytes of the connection's file are at fault, and not the disk or another process."""
    if "decode" in str(error):  # what were bytes calls itself text
        return True
    if not (getattr(error, "sqlite_errorname", "") or "").startswith(_CORRUPT):
        return False
    return _can_be_read(file_of(connection))


def file_of(connection: sqlite3.Connection) -> Path:
    """Return the file that a connection has opened."""
    return Path(connection.execute("PRAGMA database_list").fetchone()[2])


def _can_be_read(path: Path) -> bool:
    """Whether the disk still gives bytes: on one that is gone SQLite believes that the file is malformed."""
    try:
        about = path.stat()
        place = about.st_dev, about.st_ino
        if place not in _LOOKED_AT:
            _LOOKED_AT[place] = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        os.lseek(_LOOKED_AT[place], 0, os.SEEK_SET)
        return bool(os.read(_LOOKED_AT[place], 1))
    except OSError:
        return False


def _has_no_room(path: Path) -> bool:
    """Whether the disk does not take what the log of a journal needs at first: what it counts as free it may keep."""
    try:
        with TemporaryFile(dir=path.parent, buffering=0) as file:
            file.write(bytes(_LEAST))
    except OSError as error:
        return error.errno in _NO_ROOM
    return False


def prepare(path: Path) -> None:
    """Make sure that a database file may stand at `path`, creating folders (0700) and an empty file.

    An empty file has the mode 0600 afterwards, whoever made it.
    """
    if sqlite3.sqlite_version_info < (3, 37):
        raise JournalError(f"journal {path}: SQLite 3.37 is needed, this Python has {sqlite3.sqlite_version}")
    _refuse_folder(path)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
        _keep_private(path)
    except OSError as error:
        raise in_words(path, error) from None
    system = file_system(path.resolve(), _mounts())
    if system in _NETWORK:
        raise JournalError(f"journal {path}: {system} is a network file system, where locks fail: use a local disk")


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise JournalError(f"journal {path}: this is a folder: name a file in it, such as {path / 'runs.db'}")


def _create(path: Path) -> None:
    """Make the file if it is not there, where links lead; nobody has a lock on it before its descriptor is closed."""
    place = os.path.realpath(path)  # Path.resolve has an error of its own for links that lead in a circle
    with _CREATING, suppress(FileExistsError):
        os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600))


def _keep_private(path: Path) -> None:
    """Take an empty file that was there already from everybody but its owner; what it lets be read is not ours yet."""
    about = path.stat()
    if not os.access(path, os.R_OK | os.W_OK):
        is_read_only = hasattr(os, "statvfs") and os.statvfs(path).f_flag & os.ST_RDONLY
        number = errno.EROFS if is_read_only else errno.EACCES
        raise OSError(number, os.strerror(number), str(path))
    if stat.S_ISREG(about.st_mode) and not about.st_size:
        with suppress(PermissionError):  # it is another user's
            path.chmod(0o600)


def file_system(path: Path, mounts: str) -> str | None:
    """Return the type of file system that `path` is on, given the text of `/proc/self/mounts`."""
    best = -1
    found = None
    for line in mounts.splitlines():
        _, point, system, *_ = line.split(" ")
        folder = Path(point.replace("\\040", " "))
        if path.is_relative_to(folder) and len(folder.parts) >= best:
            best, found = len(folder.parts), system
    return found


def _mounts() -> str:
    try:
        return Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def open_writer(path: Path, durability: Durability, *, busy: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Return the connection that writes, the file and its tables made; JournalError when the file cannot be used.

    It waits for another process for `busy` seconds at most.
    """
    prepare(path)
    try:
        connection = sqlite3.connect(path, timeout=busy, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise in_words(path, error) from None
    connection.text_factory = as_it_can_be_read
    try:
        check_ours(connection, path)
        _use_write_ahead_log(connection, path, busy)
        connection.execute("PRAGMA synchronous=" + ("FULL" if durability == "power" else "NORMAL"))
        connection.execute("PRAGMA fullfsync=1")
        connection.execute("PRAGMA journal_size_limit=67108864")
        connection.execute("PRAGMA cache_size=-8192")
        _make_tables(connection, path)
    except FAULTS as error:
        connection.close()
        raise in_words(path, error) from None
    except JournalError:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads."""
    return _reading(path, "mode=ro")


def open_unchanged(path: Path) -> sqlite3.Connection:
    """Return a connection that reads a file as it stands: on a read-only or a full disk, and whoever writes to it.

    A log beside the file is read along if SQLite can use it there. Of a file that was cut off what is left is read
    (`wrong_with_file` tells), and one without tables is a journal without runs.
    """
    _refuse_folder(path)
    for way in _WAYS:
        connection = _reading(path, way)
        try:
            check_ours(connection, path)
            if _pragma(connection, "user_version") == 0:
                _stand_in_for_tables(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            if way == _WAYS[-1] or (getattr(error, "sqlite_errorname", "") or "").startswith("SQLITE_BUSY"):
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError("the last way returns or raises")


def wrong_with_file(connection: sqlite3.Connection) -> str | None:
    """Return what SQLite says of a file of which it reads only what is left, to be asked before anything is read."""
    connection.execute("PRAGMA writable_schema=0")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.DatabaseError as error:
        if not is_damage(connection, error):
            raise
        return str(error)
    finally:
        connection.execute("PRAGMA writable_schema=1")
    return None


def _stand_in_for_tables(connection: sqlite3.Connection) -> None:
    """Give a connection empty tables of its own, in memory, where the file has none."""
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA query_only=0")
    for table in _TABLES:
        connection.execute(table.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
    connection.execute("PRAGMA query_only=1")


def as_it_can_be_read(stored: bytes) -> str:
    """Return a text of the file, U+FFFD in place of what is none: one damaged cell must not keep others unread."""
    return stored.decode("utf-8", "replace")


def _reading(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{how}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = as_it_can_be_read
    connection.execute("PRAGMA query_only=1")
    connection.execute("PRAGMA writable_schema=1")  # which, for SQLite, is to read a file that was cut off
    return connection


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JournalError when the file is another program's or a newer version's; what is seen is one moment's."""
    connection.execute("BEGIN")  # else another process may make the tables between one look and the next
    try:
        _check_marks(connection, path)
    finally:
        undo(connection)


def undo(connection: sqlite3.Connection) -> None:
    """End a transaction without a trace; SQLite has done so itself where the disk is full, and says nothing of that."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _check_marks(connection: sqlite3.Connection, path: Path) -> None:
    schema = _pragma(connection, "user_version")
    if _pragma(connection, "application_id") == APPLICATION:
        if schema > SCHEMA:
            raise JournalVersionError(
                f"journal {path} was written by a newer version (schema {schema}, this one knows {SCHEMA}): "
                "upgrade agentorch"
            )
    elif connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        raise JournalError(f"journal {path}: this database belongs to another program: name another file")


def _use_write_ahead_log(connection: sqlite3.Connection, path: Path, busy: float) -> None:
    deadline = time.monotonic() + busy
    while True:
        try:
            mode = _pragma(connection, "journal_mode=WAL")
        except sqlite3.OperationalError:  # two processes that open a new file: the switch does not wait by itself
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            if mode == "wal":
                return
            raise JournalError(
                f"journal {path}: SQLite keeps no write-ahead log there (its journal mode stays {mode!r}): "
                "name a file on a local disk, or 'memory:'"
            )


def _make_tables(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        _check_marks(connection, path)
        schema = _pragma(connection, "user_version")
        if schema == 0:
            for table in _TABLES:
                connection.execute(table)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
        if schema < SCHEMA:
            connection.execute(f"PRAGMA user_version={SCHEMA}")
        connection.execute("COMMIT")
    finally:
        undo(connection)


def _pragma(connection: sqlite3.Connection, name: str) -> Any:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
