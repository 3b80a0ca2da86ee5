"""A run as a picture: its plan with the states of the tasks, and below that the same over time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agentorch.core.records import TaskRecord
from agentorch.core.special import EndedDispatch
from agentorch.core.usage import Usage
from agentorch.pictures.amounts import counted, duration, joined, money, tokens
from agentorch.pictures.graph import graph
from agentorch.pictures.parts import Box, Part, Row, Stretch
from agentorch.pictures.svg import sheet
from agentorch.pictures.timeline import heading, legend, timeline

_WAITS: Final = {
    "timer": "waits before the next try",
    "approval": "waits for approval",
    "person": "waits for a person",
    "effect": "waits: did its effect happen?",
    "replan": "waits for a new plan",
    "budget": "waits for budget",
}

_GOING_ON: Final = frozenset({"planning", "running", "replanning", "answering"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """What is drawn."""

    goal: str
    status: str
    records: Sequence[TaskRecord]
    needs: Mapping[str, Sequence[str]]
    """Of each task of the plan."""
    answer: str
    """The task that answers the goal; empty while nobody knows."""
    started: float
    until: float
    usage: Usage


def drawn(run: Pictured) -> str:
    """Return the picture."""
    seconds = max(0.0, run.until - run.started)
    planned = [record for record in run.records if record.caller is None]
    facts = joined(counted(len(planned), "task"), duration(seconds), *_used(run.usage))
    parts = [heading(run.status, facts, run.goal), graph([_box(record, run) for record in planned])]
    goes_on = run.status in _GOING_ON  # then what is to come has its row already: the picture keeps its height
    rows = [row for row in _rows(run) if row.stretches or goes_on]
    waits = any(one.state == "waiting" and one.end - one.start > seconds / 200 for row in rows for one in row.stretches)
    if any(row.stretches for row in rows):
        parts.append(timeline(rows, until=seconds))
    if planned:
        parts.append(_legend(run, waits=waits))
    return sheet(parts, label=f"{run.goal or 'a run'}: {run.status}, {facts}")


def _legend(run: Pictured, *, waits: bool) -> Part:
    ways = {_look(one) for record in run.records for one in record.dispatches}
    return legend({record.state for record in run.records} | ways, waits=waits)


def _box(record: TaskRecord, run: Pictured) -> Box:
    return Box(
        id=record.task,
        kind=record.agent,
        state=record.state,
        needs=run.needs.get(record.task, ()),
        corner=duration(record.seconds) if record.dispatches else "",
        note=_WAITS.get(record.waits_for, "") or joined(_origin(record, run), _attempts(record), *_used(record.usage)),
        tip=_tip(record),
        marked=record.task == run.answer,
    )


def _origin(record: TaskRecord, run: Pictured) -> str:
    """Say of a task of a fork that its output is that of the other run, or was given in its place."""
    if record.ended is None or record.ended > run.started or run.until <= run.started:
        return ""
    return "kept" if record.ended < run.started else "given" if record.state == "succeeded" else ""


def _rows(run: Pictured) -> Iterator[Row]:
    depth: dict[str, int] = {}
    for record in run.records:
        depth[record.task] = 0 if record.caller is None else depth.get(record.caller, 0) + 1
        yield Row(
            label=record.task,
            kind=record.agent,
            state=record.state,
            stretches=list(_stretches(record, run)),
            words=joined(duration(record.seconds), _attempts(record), *_used(record.usage))
            if record.dispatches
            else "",
            depth=depth[record.task],
            tip=_tip(record),
        )


def _stretches(record: TaskRecord, run: Pictured) -> Iterator[Stretch]:
    """Go through what the task did: it waits between two dispatches, and before the first and behind the last."""
    ready = record.ready
    if ready is None:
        return
    ended = run.until if record.ended is None else record.ended
    since = max(ready, run.started)
    for one in record.dispatches:
        if one.ended <= run.started:  # of the run that this one was forked from
            continue
        if one.started > since:
            yield Stretch(since - run.started, one.started - run.started, "waiting")
        yield Stretch(one.started - run.started, one.ended - run.started, _look(one))
        since = max(since, one.ended)
    if ended > since:
        yield Stretch(since - run.started, ended - run.started, "waiting")


def _look(one: EndedDispatch) -> str:
    return one.how if one.how in {"succeeded", "running", "cancelled"} else "failed"


def _used(usage: Usage) -> tuple[str, str]:
    about = usage.approximate
    return tokens(usage.tokens, approximate=about), money(usage.money, approximate=about)


def _attempts(record: TaskRecord) -> str:
    return counted(record.attempts, "attempt") if record.attempts > 1 else ""


def _tip(record: TaskRecord) -> str:
    waited = f"waited {duration(record.waiting)}" if record.waiting >= 0.05 else ""  # noqa: PLR2004
    ran = f"ran {duration(record.seconds)}" if record.dispatches else ""
    said = joined(ran, waited, _attempts(record), *_used(record.usage))
    parts = [f"{record.task}: {record.agent}, {record.state}", said, record.note]
    return "; ".join(part for part in parts if part)
