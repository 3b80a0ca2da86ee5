"""A chat that is taken up again: its turns, as the journal has them."""

from dataclasses import dataclass, field
from pathlib import Path

from agentorch.cli.carrying import Carried
from agentorch.cli.chat.record import CHAT, TO, TURN, ChatRecord, is_chat_id, named, newest
from agentorch.cli.chat.turn import STOPPED, Turn, as_words
from agentorch.cli.history import answer_of, read_answer
from agentorch.cli.journals import events_of, reading
from agentorch.cli.progress import Progress
from agentorch.cli.settings import Setup
from agentorch.core.state import Status
from agentorch.errors import ConfigurationError, JournalDamaged
from agentorch.files import at_home
from agentorch.ports.journal import Journal, RunRecord


@dataclass(slots=True)
class Restored:
    """A chat as it is to be gone on with."""

    record: ChatRecord
    turns: list[Turn] = field(default_factory=list[Turn])
    forgotten: list[Turn] = field(default_factory=list[Turn])
    last: Carried | None = None
    """The run of the last turn."""


async def restored(setup: Setup, *, name: str | None) -> Restored:
    """Return the chat `name`, by the beginning of its id or its title, or this folder's newest."""
    where = journal_path(setup.journal)
    record = newest(where, str(Path.cwd())) if name is None else named(name)
    async with reading(where if record is None else record.journal) as journal:
        if record is None:
            record = await _of_tags(journal, where, name or "")
        found = [await _turn(journal, run) for run in record.runs]
        forgotten = [(await _turn(journal, run))[0] for run in record.forgotten]
    last = Carried(record.runs[-1], found[-1][1], None) if found else None
    return Restored(record, [turn for turn, _ in found], forgotten, last)


def journal_path(place: str) -> str:
    """Return where a journal is, from whatever folder one looks."""
    return place if place == "memory:" or "://" in place else str(at_home(place).absolute())


async def _of_tags(journal: Journal, where: str, name: str) -> ChatRecord:
    """Make a record again, from the runs of its chat."""
    found: dict[str, dict[int, str]] = {}
    title: dict[str, str] = {}
    async for run in journal.runs():  # newest first
        chat, turn = run.tags.get(CHAT, ""), run.tags.get(TURN, "")
        if name and chat.startswith(name) and turn.isdecimal() and is_chat_id(chat):
            found.setdefault(chat, {}).setdefault(int(turn), run.run_id)
            title[chat] = run.goal
    if len(found) != 1:
        several = f": it may be {', '.join(found)}" if found else " in this journal, and no record of one"
        raise ConfigurationError(f"no chat {name!r}{several}")
    ((chat, runs),) = found.items()
    return ChatRecord(
        id=chat,
        folder=str(Path.cwd()),
        title=" ".join(title[chat].split())[:60],
        journal=where,
        runs=[runs[turn] for turn in sorted(runs)],
    )


async def _turn(journal: Journal, run_id: str) -> tuple[Turn, Progress]:
    record = await journal.record(run_id)
    progress = Progress(run_id)
    if record is None:
        return Turn("(a turn that is not in the journal any more)", run_id, "lost"), progress
    status = ""
    try:
        async for event in events_of(journal, run_id):
            progress.see(event)
        await read_answer(journal, progress.state)
    except JournalDamaged:
        status = "damaged"
    return _of_progress(record, progress, status), progress


def _of_progress(record: RunRecord, progress: Progress, status: str) -> Turn:
    state = progress.state
    stands = str(state.status) if state.finished else "waiting" if state.requests and state.idle else STOPPED
    root = state.tasks.get(state.answer_root)
    return Turn(
        message=state.goal or record.goal,
        run_id=record.run_id,
        status=status or stands,
        agent=record.tags.get(TO),
        answer=as_words(answer_of(state)),
        finished=tuple(name for name, task in state.tasks.items() if task.status is Status.SUCCEEDED),
        sources=() if root is None else tuple(root.sources),
        usage=state.spent,
        seconds=progress.ran,
        asks=bool(state.requests),
    )
