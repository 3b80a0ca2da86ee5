"""One coroutine in a context of its own, inside a slot that goes on to others.

A slot is a long-lived asyncio task; what an agent sets in context variables must not reach the next agent.
"""

import contextvars
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any


@types.coroutine
def in_own_context(
    body: Coroutine[Any, Any, Any], suspended: Callable[[], None], went_on: Callable[[], None]
) -> Generator[Any, Any, Any]:
    """Await `body`, each step in one copy of the current context.

    Calls `suspended` if it does not end at once, and `went_on` at each step after which it waits again.
    """
    run = contextvars.copy_context().run
    try:
        waiting = run(body.send, None)
        suspended()
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
