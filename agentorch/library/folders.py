"""The folders that may be read: every path is checked against them, and nothing outside is ever opened.

1. A path counts as what it really is, symbolic links followed; one that leads out of the folders is refused.
2. Hidden files and folders, and those that tools keep for themselves, are passed over.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from agentorch.core.values import in_line, whole_characters
from agentorch.errors import FileAccessError
from agentorch.files import refuse_in_use

PASSED_OVER: Final = frozenset({"node_modules", "__pycache__", "venv", "site-packages", "dist", "build", "target"})
"""Folders that hold no documents, besides the hidden ones."""
MOST_FILES: Final = 20_000
DEEPEST: Final = 100
"""Folders within each other that are looked into."""
_LONGEST_SHOWN: Final = 300
"""Characters of a path that a message shows."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file under the folders."""

    real: str
    """Where it is, links followed."""
    shown: str
    """How the user would name it: as the folder was given."""
    name: str
    """Its path within the folder: what says something of its contents."""
    modified: int
    """In nanoseconds since the epoch."""
    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What stands under the folders and is not read."""

    shown: str
    why: str


class Folders:
    """Folders, or single files, given by the user."""

    def __init__(self, given: Sequence[str | os.PathLike[str]]) -> None:
        """Take existing folders and files; raises FileAccessError for one that is not there."""
        self._roots: list[tuple[str, str]] = []
        for each in given:
            named: str = os.fspath(each)
            shown = os.path.normpath(named)
            if not _encodable(shown) or not os.path.exists(shown):  # noqa: PTH110 - names are kept as they were given
                raise FileAccessError(f"{shown}: no such file or folder; give the folders to read")
            self._roots.append((os.path.realpath(shown), shown))

    def __len__(self) -> int:
        return len(self._roots)

    @property
    def shown(self) -> list[str]:
        """The folders as they were given."""
        return [shown for _, shown in self._roots]

    def walk(self) -> Iterator[Found | Refused]:
        """Yield every file once, and what is refused, in the order of their names."""
        seen: set[str] = set()
        for root, shown in self._roots:
            for item in self._under(root, shown):
                if isinstance(item, Found):
                    if item.real in seen:
                        continue
                    seen.add(item.real)
                    if len(seen) > MOST_FILES:
                        yield Refused(shown, f"it holds more than {MOST_FILES} files; the rest was not read")
                        return
                yield item

    def resolve(self, path: str) -> Path:
        """Return the real path of a file named as it is shown, or relative to a folder.

        Raises:
            FileAccessError: it is outside the folders, no regular file, or not there.
        """
        candidates = [path, *(os.path.join(root, path) for root, _ in self._roots)]  # noqa: PTH118 - may be absolute
        shown = in_line(path, _LONGEST_SHOWN)
        try:
            real = [os.path.realpath(candidate) for candidate in candidates]
        except ValueError:  # a NUL in it, or a character that no file system has
            raise FileAccessError(f"{shown}: this is no name of a file") from None
        inside = [each for each in real if self._is_inside(each)]
        found = [each for each in inside if os.path.isfile(each)]  # noqa: PTH113
        if found:
            return Path(found[0])
        if inside:
            raise FileAccessError(f"{shown}: no such file in {', '.join(self.shown)}")
        raise FileAccessError(f"{shown}: outside the folders that may be read ({', '.join(self.shown) or 'none'})")

    def read(self, real: str, *, most: int) -> bytes:
        """Return the bytes of a file found here; OSError when it cannot be read, or is no longer where it was."""
        refuse_in_use(real)
        descriptor = os.open(real, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode) or not self._is_inside(os.path.realpath(real)):
                raise FileAccessError(f"{real}: no regular file inside the folders")
            return file.read(most + 1)

    def _is_inside(self, real: str) -> bool:
        return any(self._holds(root, real) for root, _ in self._roots)

    @staticmethod
    def _holds(root: str, real: str) -> bool:
        return real == root or real.startswith(root.rstrip(os.sep) + os.sep)

    def _name(self, real: str) -> str:
        """Return a path as it is within the folder nearest to it."""
        roots = [root for root, _ in self._roots if self._holds(root, real)]
        return os.path.relpath(real, max(roots, key=len))

    def _under(self, real: str, shown: str, depth: int = 0) -> Iterator[Found | Refused]:
        if depth > DEEPEST:
            yield Refused(shown, f"nested more than {DEEPEST} folders deep")
            return
        try:
            if not os.path.isdir(real):  # noqa: PTH112
                status = os.stat(real)  # noqa: PTH116
                yield Found(real, shown, os.path.basename(real), status.st_mtime_ns, status.st_size)  # noqa: PTH119
                return
            with os.scandir(real) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            yield Refused(shown, error.strerror or "cannot be read")
            return
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in PASSED_OVER:
                name = entry.name if shown == "." else f"{shown.rstrip(os.sep)}{os.sep}{entry.name}"
                if whole_characters(name) != name:
                    yield Refused(whole_characters(name), "its name is not UTF-8")
                    continue
                yield from self._entry(entry, name, depth + 1)

    def _entry(self, entry: os.DirEntry[str], shown: str, depth: int) -> Iterator[Found | Refused]:
        try:
            if entry.is_symlink():
                if not self._is_inside(os.path.realpath(entry.path)):
                    yield Refused(shown, "a symbolic link that leads out of the folders given")
                return  # what it leads to is met where it is
            if entry.is_dir(follow_symlinks=False):
                yield from self._under(entry.path, shown, depth)
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield Found(entry.path, shown, self._name(entry.path), status.st_mtime_ns, status.st_size)
        except OSError as error:
            yield Refused(shown, error.strerror or "cannot be read")


def _encodable(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False
