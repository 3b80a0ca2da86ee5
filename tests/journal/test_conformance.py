"""Every journal and every blob store that we ship keeps the promises of its port."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from agentorch.blobs.memory import MemoryBlobs
from agentorch.journal.memory import MemoryJournal
from agentorch.journal.sqlite import SqliteJournal
from agentorch.ports.blobs import Blobs
from agentorch.ports.journal import Journal
from agentorch.testing.blob_conformance import BlobConformance
from agentorch.testing.durable_conformance import DurableJournalConformance
from agentorch.testing.journal_conformance import JournalConformance


class TestMemoryJournal(JournalConformance):
    def make(self, folder: Path) -> Journal:
        return MemoryJournal()


class TestSqliteJournal(DurableJournalConformance):
    def make(self, folder: Path) -> Journal:
        return SqliteJournal(folder / "runs.db")


class TestSqliteJournalForTheProcess(DurableJournalConformance):
    def make(self, folder: Path) -> Journal:
        return SqliteJournal(folder / "runs.db", durability="process")


class TestMemoryBlobs(BlobConformance):
    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncGenerator[Blobs]:
        yield MemoryBlobs()


class TestSqliteBlobs(BlobConformance):
    @asynccontextmanager
    async def opened(self, folder: Path) -> AsyncGenerator[Blobs]:
        journal = SqliteJournal(folder / "runs.db")
        await journal.open()
        try:
            yield journal.blobs
        finally:
            await journal.close()
