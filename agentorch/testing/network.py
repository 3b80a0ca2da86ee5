"""No network: while it is sealed, a connection to anywhere but this machine is refused, and told.

1. A host that is allowed by its name may be reached at each address that the name has been found to have.
2. Loopback and Unix sockets stay open: event loops and the servers that a test starts need them.
3. Names are not looked up either: the question itself would leave the machine.
4. What is sealed is this process, its threads included; not the processes that it starts.
5. What was there before is there afterwards, unless somebody else has put something in its place.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, Final, Self

from agentorch.errors import ConfigurationError

_CALLS: Final = tuple(name for name in ("connect", "connect_ex", "sendto", "sendmsg") if hasattr(socket.socket, name))
_LOOK_UPS: Final = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
_UNSET: Final = object()


class NetworkBlocked(ConfigurationError):
    """A test of the kit tried to reach the network; the message says where, and how it is allowed."""


class SealedNetwork:
    """Use it with `with`; `attempts` holds the places that were not reached."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        """Take the hosts that may be reached all the same, as they are written by whoever connects; a text is one."""
        self.attempts: list[str] = []
        self._allowed = {allowed} if isinstance(allowed, str) else {*allowed}
        self._class: Any = socket.socket
        self._before: dict[str, Any] = {}
        self._ours: dict[str, Any] = {}
        self._look_ups: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._class = socket.socket
        for name in _LOOK_UPS:
            self._look_ups[name] = getattr(socket, name)
            self._ours[name] = self._looked_up(self._look_ups[name])
            setattr(socket, name, self._ours[name])
        for name in _CALLS:
            self._before[name] = self._own(name)
            self._ours[name] = self._guarded(name, getattr(self._class, name))
            setattr(self._class, name, self._ours[name])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, before in self._before.items():
            if self._own(name) is not self._ours[name]:
                continue
            if before is _UNSET:
                delattr(self._class, name)
            else:
                setattr(self._class, name, before)
        for name, before in self._look_ups.items():
            if getattr(socket, name) is self._ours[name]:
                setattr(socket, name, before)

    def _own(self, name: str) -> Any:
        own: dict[str, Any] = self._class.__dict__
        return own.get(name, _UNSET)

    def _guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(one: socket.socket, *arguments: Any) -> Any:
            places = arguments[3:] if name == "sendmsg" else arguments[-1:]  # sendmsg(buffers, more, flags, address)
            if places and isinstance(places[0], tuple):
                self._check(*places[0][:2])
            return call(one, *arguments)

        return guarded

    def _looked_up(self, look_up: Callable[..., Any]) -> Callable[..., Any]:
        def looked_up(host: Any, *arguments: Any, **options: Any) -> Any:
            if not _is_address(_text(host)):
                self._check(host, *arguments[:1])
            found = look_up(host, *arguments, **options)
            if _text(host) in self._allowed:
                self._allowed |= _addresses(found)
            return found

        return looked_up

    def _check(self, host: Any, port: Any = None) -> None:
        name = _text(host)
        if name in self._allowed or _is_here(name):
            return
        place = f"{name}:{port}" if port else name
        if place not in self.attempts:
            self.attempts.append(place)
        raise NetworkBlocked(
            f"this test may not reach {place}: a test with agentorch's fixtures opens no connection to the network; "
            f"mark it with @pytest.mark.agentorch(network=[{name!r}]) if it must, or record with --agentorch-network"
        )


def _addresses(found: Any) -> set[str]:
    """Return what a look-up found: one address, (name, aliases, addresses), or (..., (address, port, ...)) of each."""
    if isinstance(found, str):
        return {found}
    return {*found[2]} if isinstance(found, tuple) else {str(one[4][0]) for one in found}


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_here(name: str) -> bool:
    if name in {"", "localhost"}:
        return True
    return _is_address(name) and ipaddress.ip_address(name.partition("%")[0]).is_loopback
