"""A chat that is taken up again: its turns, as the journal has them."""

from agentorch.cli.chat.record import CHAT, TO, TURN, ChatRecord, named, newest
from agentorch.cli.chat.turn import STOPPED, Turn, as_words
from agentorch.cli.history import answer_of, read_answer
from agentorch.cli.journals import events_of, reading
from agentorch.cli.progress import Progress
from agentorch.cli.settings import Setup
from agentorch.core.state import RunState, Status
from agentorch.errors import ConfigurationError, JournalDamaged
from agentorch.ports.journal import Journal, RunRecord


async def restored(setup: Setup, *, name: str | None) -> tuple[ChatRecord, list[Turn]]:
    """Return the chat `name`, by the beginning of its id or its title, or the newest, and its turns."""
    record = newest(setup.journal) if name is None else named(name)
    async with reading(setup.journal if record is None else record.journal) as journal:
        if record is None:
            record = await _of_tags(journal, setup, name or "")
        return record, [await _turn(journal, run) for run in record.runs]


async def _of_tags(journal: Journal, setup: Setup, name: str) -> ChatRecord:
    """Make a record again, from the runs of its chat."""
    found: dict[str, dict[int, str]] = {}
    title: dict[str, str] = {}
    async for run in journal.runs():  # newest first
        chat, turn = run.tags.get(CHAT, ""), run.tags.get(TURN, "")
        if name and chat.startswith(name) and turn.isdecimal():
            found.setdefault(chat, {}).setdefault(int(turn), run.run_id)
            title[chat] = run.goal
    if len(found) != 1:
        several = f": it may be {', '.join(found)}" if found else " in this journal, and no record of one"
        raise ConfigurationError(f"no chat {name!r}{several}")
    ((chat, runs),) = found.items()
    return ChatRecord(
        id=chat,
        title=" ".join(title[chat].split())[:60],
        journal=setup.journal,
        runs=[runs[turn] for turn in sorted(runs)],
    )


async def _turn(journal: Journal, run_id: str) -> Turn:
    record = await journal.record(run_id)
    if record is None:
        return Turn("(a turn that is not in the journal any more)", run_id, "lost")
    progress = Progress(run_id)
    status = ""
    try:
        async for event in events_of(journal, run_id):
            progress.see(event)
        await read_answer(journal, progress.state)
    except JournalDamaged:
        status = "damaged"
    return _of_state(record, progress.state, status)


def _of_state(record: RunRecord, state: RunState, status: str) -> Turn:
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
        seconds=max(0.0, state.updated - state.started),
    )
