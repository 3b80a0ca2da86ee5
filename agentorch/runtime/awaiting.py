"""What an asyncio task waits for, as far as it can be known: whether that is nothing but certain others.

A body that awaits one call waits for it. A body that awaits several side by side waits for tasks of its own: by
`await`, by `gather`, or at the end of a task group. Any other await counts as work: what is not certain to be a wait is
none.
"""

import asyncio
from collections.abc import Callable, Container, Iterable
from inspect import CORO_SUSPENDED, getcoroutinestate, iscoroutine
from typing import Any, cast

from anyio.abc import TaskGroup

_DEEPEST = 50
"""Coroutines that are looked through, and tasks that wait for tasks."""


def only_awaits(
    task: "asyncio.Task[Any]", waiting: "Container[asyncio.Task[Any]]", unless: "Callable[[asyncio.Task[Any]], None]"
) -> bool:
    """Whether a task waits for nothing but tasks in `waiting`; else `unless` hears of those that keep it from that."""
    return _only_awaits(task, waiting, unless, 0)


def _only_awaits(
    task: "asyncio.Task[Any]",
    waiting: "Container[asyncio.Task[Any]]",
    unless: "Callable[[asyncio.Task[Any]], None]",
    depth: int,
) -> bool:
    if task in waiting or task.done():
        return True
    joined = _joined(task) if depth < _DEEPEST else None
    if joined is None:
        unless(task)
        return False
    found = [_only_awaits(one, waiting, unless, depth + 1) for one in joined]  # `unless` hears of each
    return all(found)


def _joined(task: "asyncio.Task[Any]") -> "list[asyncio.Task[Any]] | None":
    """Return the tasks of which a task awaits the end; None when it awaits something else."""
    awaited = getattr(task, "_fut_waiter", None)
    if isinstance(awaited, asyncio.Task):
        return [cast("asyncio.Task[Any]", awaited)]
    gathered: Iterable[Any] | None = getattr(awaited, "_children", None)
    if gathered is None:
        gathered = _grouped(task.get_coro())
    if gathered is None:
        return None
    tasks = list(gathered)
    return tasks if all(isinstance(one, asyncio.Task) for one in tasks) else None


def _grouped(coroutine: Any) -> Iterable[Any] | None:
    """Return the tasks of the group at whose end a coroutine waits."""
    for _ in range(_DEEPEST):
        if iscoroutine(coroutine) and getcoroutinestate(coroutine) != CORO_SUSPENDED:
            return None
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is None:
            return None
        seen = frame.f_locals
        if frame.f_code.co_name in {"__aexit__", "_aexit"} and isinstance(seen.get("self"), _GROUPS):
            return getattr(seen["self"], "_tasks", None)
        coroutine = getattr(coroutine, "cr_await", None) or seen.get("body")
    return None


_GROUPS = (asyncio.TaskGroup, TaskGroup)
