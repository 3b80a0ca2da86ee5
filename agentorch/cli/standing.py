"""How a run stands as a person sees it: besides what the journal lists, whether anybody still carries it out."""

from collections.abc import AsyncGenerator
from typing import Final

from agentorch.cli.journals import readable
from agentorch.cli.progress import Progress
from agentorch.core.state import RunState
from agentorch.ports.journal import Journal, KnowsOwners, RunRecord

INTERRUPTED: Final = "interrupted"
"""Its process has ended; `resume` takes it up."""
WAITING: Final = "waiting"
"""For a person."""
STATUSES: Final = (
    "planning", "running", WAITING, INTERRUPTED, "stopped", "succeeded", "partial", "failed", "cancelled",
)  # fmt: skip
FINAL_STATUSES: Final = frozenset({"succeeded", "partial", "failed", "cancelled"})
"""Of a run that is over: nothing is left to take up."""
_LIVE: Final = {"planning", "running"}


async def runs_standing(journal: Journal, *, status: str | None, limit: int) -> AsyncGenerator[tuple[RunRecord, str]]:
    """Go through the runs that stand so, newest first, at most `limit`, each with how it stands."""
    listed = status if status not in {*_LIVE, WAITING, INTERRUPTED} else None
    async for record in journal.runs(status=listed):
        if limit == 0:
            return
        standing = await standing_of(journal, record)
        if status in {None, standing}:
            limit -= 1
            yield record, standing


async def standing_of(journal: Journal, record: RunRecord) -> str:
    """Return how one run stands."""
    if record.status not in _LIVE:
        return record.status
    progress = Progress(record.run_id)
    events, _ = await readable(journal, record.run_id)  # a list names damaged runs too
    for event in events:
        progress.see(event)
    return standing(journal, progress.state)


def standing(journal: Journal, state: RunState) -> str:
    """Return how a run stands whose events have been seen."""
    if state.finished or state.stopped is not None:
        return state.status
    if state.idle and state.requests:
        return WAITING
    if isinstance(journal, KnowsOwners) and not journal.is_alive(state.owner):
        return INTERRUPTED
    return state.status
