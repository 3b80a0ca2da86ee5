"""What the journal tells: `agentorch runs` and `agentorch why`. It is only read."""

import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import anyio

from agentorch.cli.journals import events_of, label, named_run, readable, reading
from agentorch.cli.progress import Progress
from agentorch.cli.result import command
from agentorch.cli.screen import Screen
from agentorch.cli.settings import Setup
from agentorch.cli.standing import INTERRUPTED, STATUSES, WAITING, runs_standing, standing
from agentorch.cli.tables import columns
from agentorch.cli.views import view_of
from agentorch.cli.words import counted, event_json, moment, money, one_line, seconds, tokens
from agentorch.core.events import RunFinished, RunStopped
from agentorch.core.failures import Problem
from agentorch.core.references import BrokenReference
from agentorch.core.state import RunState
from agentorch.core.values import may_hold_blobs
from agentorch.errors import AgentorchError, ConfigurationError
from agentorch.ports.journal import Journal, KeepsBlobs, KnowsOwners, RunRecord
from agentorch.runtime.large import followed, loaded
from agentorch.runtime.why import Line, explain

_NARROW: Final = 60
"""Columns below which a list leaves the time out."""
_LOOK: Final = 0.2
"""Seconds between two looks at a journal that another process writes."""


def list_runs(setup: Setup, *, status: str | None, limit: int, json: bool) -> int:
    """List runs, newest first."""
    if status is not None and status not in STATUSES:
        raise ConfigurationError(f"--status {status}: it can be {', '.join(STATUSES)}")
    screen = Screen()

    async def listed() -> list[tuple[RunRecord, str]]:
        async with reading(setup.journal) as journal:
            return [found async for found in runs_standing(journal, status=status, limit=limit)]

    found = anyio.run(listed)
    if json:
        for record, stands in found:
            screen.json(replace(record, status=stands), indent=None)
        return 0
    if not found:
        screen.say("no runs yet" if status is None else f"no runs are {status}")
        return 0
    records = [record for record, _ in found]
    rows = [[label(record, records), stands, moment(record.started), record.goal] for record, stands in found]
    head = ["run", "status", "started", "goal"]
    if sys.stdout.isatty() and shutil.get_terminal_size().columns < _NARROW:
        head, rows = [head[0], *head[3:]], [[row[0], f"{row[1]}: {row[3]}"] for row in rows]
    columns(screen, rows, head=head)
    for record in records:
        if record.damage:
            named = f" {record.run_id}" if record.run_id.isascii() else ""  # of a row that is gone nothing is known
            words = f"{record.damage}; `agentorch journal verify{named}` says what is wrong"
            screen.say(f"run {record.run_id}: {words}", whole=True)
    return 0


def show_run(run: str, setup: Setup, *, json: bool) -> int:
    """Show one run."""
    screen = Screen()

    async def shown(journal: Journal, record: RunRecord) -> None:
        progress = Progress(record.run_id)
        events, damage = await readable(journal, record.run_id)
        for event in events:
            progress.see(event)
        stands = standing(journal, progress.state)
        await read_answer(journal, progress.state)
        if json:
            screen.json(_as_json(record, progress, stands))
        else:
            _print_run(screen, record, progress, (stands, _remedy(record, stands, setup)))
        if damage is not None:
            raise damage

    return _with_run(run, setup, shown)


def watch_run(run: str, setup: Setup, *, json: bool) -> int:
    """Follow a run to its end, or to where it stops."""
    screen = Screen()

    async def watched(journal: Journal, record: RunRecord) -> None:
        progress = Progress(record.run_id)
        over = False
        with view_of(screen, progress, json=json, quiet=False) as view:
            while not over:
                async for event in events_of(journal, record.run_id, progress.state.seq):
                    view.show(event)
                    over = isinstance(event, RunFinished | RunStopped)
                view.tick()
                over = over or _nobody_carries(journal, progress.state)
                await anyio.sleep(0 if over else _LOOK)
        stopped = progress.state.stopped
        stands = standing(journal, progress.state)
        why = f": {one_line(stopped.message)}" if stopped is not None else _why(stands)
        if stands == WAITING:
            say = f"answer with: {command('approve', record.run_id, setup.flags('--journal'))}"
            screen.say(say, whole=True)
        screen.say(f"run {label(record, [record])} {stands}{why}{_remedy(record, stands, setup)}", whole=True)

    return _with_run(run, setup, watched)


def _nobody_carries(journal: Journal, state: RunState) -> bool:
    """Whether nothing more comes until somebody takes the run up."""
    if state.finished:
        return False
    stands = standing(journal, state)
    if stands == WAITING and isinstance(journal, KnowsOwners):
        return not journal.is_alive(state.owner)
    return stands == INTERRUPTED


def export_run(run: str, setup: Setup) -> int:
    """Write every event as a line of JSON."""
    screen = Screen()

    async def exported(journal: Journal, record: RunRecord) -> None:
        async for event in events_of(journal, record.run_id):
            screen.json(event_json(event), indent=None)

    return _with_run(run, setup, exported)


def why_task(run: str, task: str, setup: Setup, *, json: bool) -> int:
    """Explain a task."""
    screen = Screen()

    async def explained(journal: Journal, record: RunRecord) -> None:
        events, damage = await readable(journal, record.run_id)
        try:
            lines = explain(events, task)
        except AgentorchError as error:
            raise damage or error from None
        _print_why(screen, lines, json=json)
        if damage is not None:
            raise damage

    return _with_run(run, setup, explained)


def _print_why(screen: Screen, lines: Sequence[Line], *, json: bool) -> None:
    if json:
        screen.json(lines)
        return
    width = max(len(str(line.seq)) for line in lines)
    for line in lines:
        screen.fact(f"#{line.seq:<{width}} {'  ' * line.depth}", line.text)


def _with_run(run: str, setup: Setup, do: Callable[[Journal, RunRecord], Awaitable[None]]) -> int:
    async def done() -> None:
        async with reading(setup.journal) as journal:
            await do(journal, await named_run(journal, run))

    anyio.run(done)
    return 0


def _why(stands: str) -> str:
    return {INTERRUPTED: ": its process has ended", WAITING: ": for a person"}.get(stands, "")


def _remedy(record: RunRecord, stands: str, setup: Setup) -> str:
    if stands not in {INTERRUPTED, WAITING, "stopped"}:
        return ""
    return f"; go on with: {command('resume', record.run_id, setup.flags('--journal'))}"


def _as_json(record: RunRecord, progress: Progress, stands: str) -> dict[str, Any]:
    state = progress.state
    return {
        "run_id": record.run_id,
        "goal": state.goal,
        "status": stands,
        "started": state.started,
        "updated": state.updated,
        "events": state.seq,
        "usage": state.spent,
        "answer": answer_of(state),
        "tasks": [
            {"id": row.task, "agent": row.agent, "status": row.status, "seconds": row.elapsed, "note": row.note}
            for row in progress.rows(state.updated)
        ],
        "problems": problems_of(state),
    }


def _print_run(screen: Screen, record: RunRecord, progress: Progress, how: tuple[str, str]) -> None:
    state = progress.state
    stands, remedy = how
    screen.fact("run      ", record.run_id)
    screen.fact("goal     ", state.goal or "(a plan without one)")
    screen.data(f"status   {stands}{_why(stands)}{remedy}")  # unbroken: it holds a command
    screen.fact("started  ", f"{moment(state.started)}, {seconds(max(0.0, state.updated - state.started))}")
    if state.ancestors:
        screen.fact("forked   ", f"from {state.ancestors[0]}")
    parts = [counted(len(state.tasks), "task"), counted(state.seq, "event"), tokens(state.spent), money(state.spent)]
    screen.fact("used     ", " · ".join(part for part in parts if part))
    for problem in problems_of(state):
        screen.fact("problem  ", str(problem))
    rows = [
        [row.task, str(row.status), row.agent, "" if row.elapsed is None else seconds(row.elapsed), row.note]
        for row in progress.rows(time.time())
    ]
    if rows:
        screen.data("")
        columns(screen, rows, head=["task", "status", "agent", "time", ""])
    answer = answer_of(state)
    if answer is not None:
        screen.data("")
        if isinstance(answer, str):
            screen.prose(answer)
        else:
            screen.json(answer)


def answer_of(state: RunState) -> Any:
    """Return the value of the plan's answer, as the journal has it; None when there is none."""
    root, *path = (state.answer or "$")[1:].split(".")
    try:
        return followed(state.outputs.get(root) if root in state.tasks else None, path)
    except BrokenReference:
        return None


async def read_answer(journal: Journal, state: RunState) -> None:
    """Put the output that answers in the place of a reference to it: large ones are kept apart from the events."""
    root = state.answer_root
    if isinstance(journal, KeepsBlobs) and root in state.outputs and may_hold_blobs(state.outputs[root]):
        state.outputs[root] = await loaded(state.outputs[root], journal.blobs)


def problems_of(state: RunState) -> list[Problem]:
    """Return what befell the run, and what makes it stand still."""
    stopped = [state.stopped] if state.stopped is not None and not state.finished else []
    return [*state.problems, *stopped]
