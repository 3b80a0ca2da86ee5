"""The `openai` package: half a second to import, so only when a model is called, and in a thread of its own.

Meanwhile the event loop goes on: events are shown, other agents work.
"""

import asyncio
from concurrent.futures import Future
from importlib import import_module
from threading import Lock, Thread
from typing import Final

_lock: Final = Lock()
_loading: Final[list[Future[None]]] = []
"""The one import of this process: a module is loaded once for all event loops."""


async def loaded() -> None:
    """Wait until the package is loaded, as whoever comes first begins to do; raises what its import raises."""
    loading = _begun()
    if loading.done():
        loading.result()
    else:
        await asyncio.wrap_future(loading)


def _begun() -> Future[None]:
    with _lock:
        if not _loading:
            loading = Future[None]()
            loading.set_running_or_notify_cancel()  # who stops waiting does not stop it
            _loading.append(loading)
            Thread(target=_load, args=(loading,), name="openai", daemon=True).start()
        return _loading[0]


def _load(loading: Future[None]) -> None:
    try:
        import_module("openai")
    except BaseException as error:  # noqa: BLE001  # whoever waits is told
        loading.set_exception(error)
    else:
        loading.set_result(None)
