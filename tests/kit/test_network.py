"""A sealed network: this machine can be reached, nothing else, and all is as before afterwards."""

import socket
from typing import Any

import pytest
from pytest_socket import SocketConnectBlockedError

from agentorch.errors import ConfigurationError
from agentorch.testing.network import NetworkBlocked, SealedNetwork


def test_every_way_out_is_closed() -> None:
    """Connections, packets and questions for names; each place is told once."""
    with SealedNetwork() as network, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for _ in range(2):
            with pytest.raises(NetworkBlocked, match=r"may not reach 192\.0\.2\.1:9: .*network=\['192\.0\.2\.1'\]"):
                one.sendto(b"x", 0, ("192.0.2.1", 9))
        with pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1:9"):
            one.sendmsg([b"x"], [], 0, ("192.0.2.1", 9))
        with pytest.raises(NetworkBlocked, match=r"2001:db8::1:443"), socket.socket(socket.AF_INET6) as six:
            six.connect(("2001:db8::1", 443, 0, 0))
        with pytest.raises(NetworkBlocked, match=r"example\.org"):
            socket.getaddrinfo(b"example.org", None)
        with pytest.raises(NetworkBlocked, match=r"example\.net"):
            socket.gethostbyname("example.net")
    assert network.attempts == ["192.0.2.1:9", "2001:db8::1:443", "example.org", "example.net"]
    assert issubclass(NetworkBlocked, ConfigurationError)


def test_this_machine_can_be_reached() -> None:
    """By name and by number, and by pairs of sockets, as event loops have them."""
    with SealedNetwork() as network, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in ("localhost", "127.0.0.1"):
            socket.create_connection((host, port)).close()
        assert socket.getaddrinfo("127.0.0.1", port)
        assert socket.getaddrinfo(None, port)
        assert socket.getaddrinfo("192.0.2.1", 80)  # a number is no question to anybody
        one, other = socket.socketpair()
        one.sendmsg((b"x", b"y"))
        one.close()
        other.close()
    assert network.attempts == []


def test_hosts_may_be_allowed() -> None:
    """Those that are named, and no others."""
    with SealedNetwork(["192.0.2.1"]) as network, socket.socket() as one, socket.socket() as other:
        with pytest.warns(UserWarning, match=r"192\.0\.2\.1"), pytest.raises(SocketConnectBlockedError):
            one.connect(("192.0.2.1", 80))  # the guard of these tests stands behind the kit's
        with pytest.raises(NetworkBlocked):
            other.connect(("192.0.2.2", 80))
    assert network.attempts == ["192.0.2.2:80"]


def test_an_allowed_name_may_be_reached_where_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the addresses that a look-up gave for it, and not at those of others; a text is one host."""
    places = {"a.example": "192.0.2.1", "b.example": "192.0.2.2", "c.example": "192.0.2.3"}

    def found(host: str) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (places[host], 0))]

    def found_with_names(host: str) -> tuple[str, list[str], list[str]]:
        return host, [], [places[host]]

    for name, look in {"getaddrinfo": found, "gethostbyname": places.get, "gethostbyname_ex": found_with_names}.items():
        monkeypatch.setattr(socket, name, look)
    looks = dict(zip(places, ("getaddrinfo", "gethostbyname", "gethostbyname_ex"), strict=True))
    for name, place in places.items():
        with SealedNetwork(name) as network, socket.socket() as one:
            with pytest.raises(NetworkBlocked):
                one.connect((place, 80))
            getattr(socket, looks[name])(name)
            with pytest.warns(UserWarning, match=place), pytest.raises(SocketConnectBlockedError):
                one.connect((place, 80))  # the guard of these tests stands behind the kit's
        assert network.attempts == [f"{place}:80"]


def test_all_is_as_before_afterwards() -> None:
    """What somebody else puts in its place in the meantime stays; so does what was there before."""
    before = {name: socket.socket.__dict__.get(name) for name in ("connect", "connect_ex", "sendto")}
    looked_up = (socket.getaddrinfo, socket.gethostbyname)
    with SealedNetwork():
        assert socket.socket.__dict__["sendto"] is not before["sendto"]
    assert {name: socket.socket.__dict__.get(name) for name in before} == before
    assert (socket.getaddrinfo, socket.gethostbyname) == looked_up

    true = socket.socket.connect
    with SealedNetwork():
        socket.socket.connect = true
    assert socket.socket.connect is true
    with SealedNetwork(), SealedNetwork():
        pass
    assert (socket.getaddrinfo, socket.gethostbyname) == looked_up
