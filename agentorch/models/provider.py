"""A provider: one server as seen with one key, and what has been learned about it."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any, Final

from agentorch.models.access import secrets, shown
from agentorch.models.quirks import Quirks
from agentorch.models.sdk import loaded

OPENAI: Final = "https://api.openai.com/v1"

_CONNECT_SECONDS: Final = 20.0
_READ_SECONDS: Final = 600.0
_LONGEST_MESSAGE: Final = 300
_KEYS: Final = re.compile(r"\b(?:sk-|gsk_|xai-|AIza|Bearer )[\w*.-]{4,}")
"""Whoever's key a server quotes: what the well-known ones begin with."""
# Servers on one's own machine ask for no key, but the client insists on one.
_NO_KEY: Final = "no-key-needed"


@dataclass(slots=True)
class _Shared:
    client: Any
    users: set[int] = field(default_factory=set[int])


class Provider:
    """A server and a key, shared by all models that are reached through them.

    A client belongs to the event loop that it was first used in; making one costs 18 ms or more, so it is shared.
    """

    def __init__(self, base_url: str, api_key: str | None = None, *, client: Any = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.shown = shown(self.base_url)
        """The address as messages have it: without a password."""
        self.api_key = api_key
        # Retries are the policy's and the governor's: a second layer would multiply them.
        self._given = None if client is None else client.with_options(max_retries=0)
        self.secrets = secrets(self.base_url, api_key)
        self._shared: dict[asyncio.AbstractEventLoop, _Shared] = {}
        self.reached = False
        """Whether it has ever answered: before that a failing connection is a matter of set-up."""
        self.learned: dict[str, Quirks] = {}
        """What it turned out not to understand, by model."""
        self.refused_schemas: set[str] = set()
        """Digests of schemas that it refused, while it takes others."""

    async def ready(self) -> None:
        """Wait until a client can be made without the event loop standing still; whoever gave one has loaded it."""
        if self._given is None:
            await loaded()

    def client(self, user: object) -> Any:
        """Return the `AsyncOpenAI` of the running loop; `user` holds it until `release`."""
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        for other in [other for other in self._shared if other.is_closed()]:
            del self._shared[other]
        shared = self._shared.get(loop)
        if shared is None:
            shared = self._shared[loop] = _Shared(self._connected())
        shared.users.add(id(user))
        return shared.client

    async def release(self, user: object) -> None:
        """Close the running loop's client when `user` was the last to hold it; a given client is its owner's."""
        loop = asyncio.get_running_loop()
        shared = self._shared.get(loop)
        if shared is None:
            return
        shared.users.discard(id(user))
        if not shared.users:
            del self._shared[loop]
            await shared.client.close()

    def line(self, text: str) -> str:
        """Return what a server said as one line of bearable length, without any key or password."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        words = " ".join(_KEYS.sub("***", text).split())
        return words if len(words) <= _LONGEST_MESSAGE else words[: _LONGEST_MESSAGE - 3] + "..."

    def _connected(self) -> Any:
        import openai  # noqa: PLC0415  # 0.4 s: see `ready`

        return openai.AsyncOpenAI(
            api_key=self.api_key or _NO_KEY,
            base_url=self.base_url,
            max_retries=0,  # as above
            timeout=time_limits(None),
        )


class Providers:
    """The providers that are in use, one for each pair of base URL and key."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str | None], Provider] = {}

    def get(self, base_url: str | None, api_key: str | None) -> Provider:
        """Return the provider at `base_url` (OpenAI's own if None)."""
        where = (base_url or OPENAI).rstrip("/")
        return self._known.setdefault((where, api_key), Provider(where, api_key))


PROCESS: Final = Providers()
"""A key's limits and a server's abilities are facts about the world outside: hence one table for the process."""


def time_limits(silence: float | None) -> Any:
    """Return the client's own limits for a call that may be silent for so many seconds.

    Where that is said, whoever calls watches over it: two timers for each piece of text would see nothing more.
    """
    import openai  # noqa: PLC0415

    read = _READ_SECONDS if silence is None else None
    return openai.Timeout(read, connect=min(_CONNECT_SECONDS, silence or _CONNECT_SECONDS))
