"""The library of the user's files: keeps an index of the folders given, and finds passages in it."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import time_ns
from typing import Final, Self

from agentorch.errors import FileAccessError, MissingExtraError
from agentorch.library.findings import (
    MOST_IN_ANSWER,
    NO_MODEL,
    NO_MODEL_NOTHING,
    Findings,
    FoundPassage,
    cited,
    in_answer,
)
from agentorch.library.folders import Folders, Found, Refused
from agentorch.library.index import Index, Known, fingerprint
from agentorch.library.reading import LARGEST_FILE, NOT_TEXT, NotRead, decode, is_media, read_passages
from agentorch.library.search import NEAR, Hit, Query, search, understand
from agentorch.library.watching import Watch

_SETTLED: Final = 2_000_000_000
"""Nanoseconds after which a file's time of change tells two versions apart for certain."""
_MOST_NAMED: Final = 3
"""Files that one note names."""
_LINES: Final = 200
"""Lines that one reading gives."""


class Library:
    """Finds passages in the files under some folders, and reads those files, and no others.

    A resource: a parameter annotated `Library` is given the orchestrator's. Every search looks for changed files
    first. May be used from several threads.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = (), *, index: str | Path | None = None) -> None:
        """Take the folders (or files) that may be read; nothing is read yet.

        The index is kept in memory, or in the file `index` if one is named and no other library uses it just now.
        Raises FileAccessError for a folder that is not there, and for an index that is no such file.
        """
        self._folders = Folders(list(folders))
        self._index = Index(index)
        self._lock = threading.Lock()
        self._notes: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            self._index.close()

    @property
    def folders(self) -> list[str]:
        """The folders as they were given."""
        return self._folders.shown

    @property
    def notes(self) -> list[str]:
        """What could not be read at the last look, one line for each reason."""
        return list(self._notes)

    def refresh(self, *, watch: Watch | None = None) -> int:
        """Read what is new or has changed; return how many files have passages.

        `watch` is told after each file; when it raises, what was read is kept and the rest is left for the next time.
        """
        with self._lock:
            return self._refresh(watch)

    def find(self, question: str, limit: int = 5, *, watch: Watch | None = None) -> list[FoundPassage]:
        """Return the passages that speak of `question`, best first; none when the files say nothing about it."""
        return self._found(question, limit, watch)[1]

    def _found(
        self, question: str, limit: int, watch: Watch | None, earlier: str = ""
    ) -> tuple[Query, list[FoundPassage]]:
        with self._lock:
            self._refresh(watch)
            query = understand(question, self._index, earlier=earlier)
            hits = search(query, self._index, limit + MOST_IN_ANSWER)
        passages = [_passage(hit) for hit in hits]
        said = in_answer(passages) if query.asks_for_more else []
        return query, (passages[len(said) :] or passages)[:limit]

    def ask(self, question: str, limit: int = 5, *, earlier: str = "", watch: Watch | None = None) -> Findings:
        """Return what the files say about `question`, in their own words, with citations.

        `earlier` is what was asked before: a short question, such as "And budgets?", is understood to go on from it.
        One that names nothing itself, such as "and why?", is told what comes next best, if anything does.
        """
        query, passages = self._found(question, limit, watch, earlier)
        answer = in_answer(passages)
        text = "\n".join([*map(cited, answer), NO_MODEL]) if answer else self._absent(question)
        sources = list(dict.fromkeys(passage.source for passage in answer))
        notes = [f"no file holds the {_words(query.unknown)}"] if answer and query.unknown else []
        return Findings(
            question=question,
            answer=text,
            found=bool(answer),
            passages=passages,
            sources=sources,
            notes=[*notes, *self.notes],
        )

    def read(self, path: str, start: int = 1, lines: int = _LINES) -> str:
        """Return lines of a file under the folders, each with its number; a PDF's are read by `find` only.

        Raises:
            FileAccessError: the file is outside the folders, not there, too large, or not text.
        """
        real = self._folders.resolve(path)
        try:
            data = self._folders.read(str(real), most=LARGEST_FILE)
            if len(data) > LARGEST_FILE:
                raise FileAccessError(f"{path}: is larger than {LARGEST_FILE // 2**20} MB")
            text = decode(data).splitlines()
        except OSError as error:
            raise FileAccessError(f"{path}: cannot be read: {error.strerror}") from error
        except NotRead as why:
            raise FileAccessError(f"{path}: {why}") from None
        first = max(1, start)
        shown = text[first - 1 : first - 1 + max(1, lines)]
        return "\n".join(f"{number}: {line}" for number, line in enumerate(shown, first))

    def _absent(self, question: str) -> str:
        if not len(self._folders):
            return "No files were given to look in: name the folders to read."
        with self._lock:
            query = understand(question, self._index)
            near = search(query, self._index, 1, enough=NEAR)
            count = sum(1 for known in self._index.known().values() if not known.note)
        asked = question.strip()
        words = f" They do not hold the {_words(query.unknown)}." if query.unknown else ""
        stop = "." if words and asked[-1:].isalnum() else ""
        where = f"{_listed(self.folders, quote=False)} ({count} {'file' if count == 1 else 'files'})"
        verdict = "do not answer this" if near else "say nothing about this"
        nearest = "".join(f"\nThe nearest that they hold:{_after(passage)}" for passage in map(_passage, near))
        return (
            f"The files in {where} {verdict}: {asked}{stop}{words}{nearest}\n{NO_MODEL if near else NO_MODEL_NOTHING}"
        )

    def _refresh(self, watch: Watch | None = None) -> int:
        try:
            return self._looked(list(self._folders.walk()), watch or _unwatched)
        finally:
            self._index.commit()

    def _looked(self, items: Sequence[Found | Refused], watch: Watch) -> int:
        """Look at all of `items`; return how many files have passages."""
        known = self._index.known()
        reasons: dict[str, list[str]] = defaultdict(list)
        met: set[str] = set()
        named = set(self.folders)
        readable = 0
        for number, item in enumerate(items, start=1):
            if isinstance(item, Refused):
                reasons[item.why].append(item.shown)
                continue
            met.add(item.real)
            note = self._look(item, known.get(item.real))
            readable += not note
            if note and not (note == NOT_TEXT and is_media(item.shown) and item.shown not in named):
                reasons[note].append(item.shown)
            watch(number, len(items))
        for real in known.keys() - met:
            self._index.drop(real)
        self._notes = [_note(why, paths) for why, paths in sorted(reasons.items())]
        return readable

    def _look(self, file: Found, known: Known | None) -> str:
        """Read a file if it is new or has changed; return why it has no passages, if so."""
        same = known is not None and (known.modified, known.size, known.shown) == (file.modified, file.size, file.shown)
        if known is not None and same:
            return known.note
        # A file changed a moment ago may change again within the same tick of its clock: look once more next time.
        modified = file.modified if time_ns() - file.modified > _SETTLED else 0
        if file.size > LARGEST_FILE:
            return self._skip(file, modified, f"larger than {LARGEST_FILE // 2**20} MB")
        try:
            data = self._folders.read(file.real, most=LARGEST_FILE)
        except OSError as error:
            return self._skip(file, 0, error.strerror or "cannot be read")
        except FileAccessError:
            return self._skip(file, 0, "no longer a file inside the folders given")
        sha256 = fingerprint(data)
        if known is not None and known.sha256 == sha256 and known.shown == file.shown:
            self._index.touch(known, file.shown, modified)
            return known.note
        try:
            self._index.put(file, sha256, read_passages(file.shown, data), modified=modified)
        except (NotRead, MissingExtraError) as why:
            return self._skip(file, modified, str(why), sha256)
        return ""

    def _skip(self, file: Found, modified: int, why: str, sha256: str = "") -> str:
        self._index.put(file, sha256, (), why, modified)
        return why


def _passage(hit: Hit) -> FoundPassage:
    return FoundPassage(
        path=hit.path,
        line=hit.line,
        end_line=hit.end,
        text=hit.text,
        heading=hit.heading,
        score=round(hit.score, 4),
        is_code=hit.is_code,
    )


def _after(passage: FoundPassage) -> str:
    return f"\n{cited(passage)}" if passage.is_code else f" {cited(passage)}"


def _unwatched(done: int, total: int) -> None:
    del done, total


def _note(why: str, paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return f"not read: {', '.join(paths[:_MOST_NAMED])}{more}: {why}"


def _words(unknown: Sequence[str]) -> str:
    return f"word{'s' if len(unknown) > 1 else ''} {_listed(unknown)}"


def _listed(names: Sequence[str], *, quote: bool = True) -> str:
    return ", ".join(f'"{name}"' if quote else os.fspath(name) for name in names[:_MOST_NAMED])
