"""One coroutine in a context of its own, inside a slot that goes on to others.

A slot is a long-lived asyncio task; what an agent sets in context variables must not reach the next agent.
"""

import types
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from typing import Any


@types.coroutine
def going_on(
    body: Coroutine[Any, Any, Any], waiting: Any, context: Context, went_on: Callable[[], None]
) -> Generator[Any, Any, Any]:
    """Await `body`, which has begun in `context` and awaits what it has yielded, `waiting`: each step in that context.

    Calls `went_on` at each step after which it waits again.
    """
    run = context.run
    try:
        while True:
            try:
                sent = yield waiting
            except GeneratorExit:
                run(body.close)
                raise
            except BaseException as error:  # noqa: BLE001  # all of it belongs to the body
                waiting = run(body.throw, error)
            else:
                waiting = run(body.send, sent)
            went_on()
    except StopIteration as stop:
        return stop.value
