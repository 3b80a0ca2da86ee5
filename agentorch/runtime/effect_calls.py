"""The calls of tools in one dispatch: which key each has, and whether it may be made; see `effect_keys`."""

from dataclasses import dataclass

from agentorch.core.effect_keys import key_of
from agentorch.errors import EffectUnknown
from agentorch.runtime.host import Host

_IN_OTHER_WORDS = "was called before, with other arguments or from another place"
_AGAIN = "is called again, and of an earlier call it is not known whether it has happened"


@dataclass(frozen=True, slots=True)
class EffectCall:
    """One call."""

    key: str
    """Its idempotency key."""
    arguments: str
    """Digest of its arguments."""
    doubt: str = ""
    """Why a person has to say whether it is another one than what has happened; empty when it is not in doubt."""
    about: str = ""
    """The key that the doubt is about."""


class EffectCalls:
    """What a dispatch has called."""

    def __init__(self, key: str, host: Host) -> None:
        self._key = key
        self._host = host
        self._taken: set[str] = set()
        """Keys of calls that are under way, or have ended well."""
        self._next: dict[str, int] = {}
        """For a place, a tool and arguments: below which number every key is taken."""
        self._left: dict[str, list[str]] = {}
        """For a tool: what earlier attempts have left over, as far as it was looked at."""
        self._unknown: dict[str, str] = {}
        """For a tool: the call of which nobody knows."""

    def take(self, key: str) -> None:
        """A key is that of a call which is not made again: no other call has it."""
        self._taken.add(key)

    def forget(self, key: str) -> None:
        """A call was made inside a step that has failed: made again, it is the same one."""
        self._taken.discard(key)
        self._next.clear()

    def begin(self, place: str, tool: str, arguments: str, *, once: bool, own: str | None = None) -> EffectCall:
        """Return the next call of `tool` with arguments of the digest `arguments` at `place`.

        `own` is its key, where that is known.
        """
        key = own or self._free(place, tool, arguments)
        self._taken.add(key)
        if not once:
            return EffectCall(key, arguments)
        if self._unknown.get(tool, key) != key:
            return EffectCall(key, arguments, _AGAIN, self._unknown[tool])
        if self._host.receipt(self._key, key) is None and self._has_left(tool):
            return EffectCall(key, arguments, _IN_OTHER_WORDS, key)
        return EffectCall(key, arguments)

    def _free(self, place: str, tool: str, arguments: str) -> str:
        """Return the key of the next call that none has."""
        first = key_of(place, tool, arguments, 1)
        number = self._next.get(first, 1)
        while (key := self._host.known_as(self._key, key_of(place, tool, arguments, number))) in self._taken:
            number += 1
        self._next[first] = number
        return key

    def failed(self, call: EffectCall, tool: str, error: BaseException | None = None) -> None:
        """A call has brought nothing: when it is made again, it is the same one."""
        self._taken.discard(call.key)
        self._next.clear()
        if isinstance(error, EffectUnknown):
            self._unknown[tool] = error.effect

    def ended(self, call: EffectCall, tool: str) -> None:
        """A call has ended well."""
        if self._unknown.get(tool) == call.key:
            del self._unknown[tool]

    def _has_left(self, tool: str) -> bool:
        among = self._left.get(tool)
        self._left[tool] = left = self._host.left_over(self._key, tool, among, self._taken)
        return bool(left)
