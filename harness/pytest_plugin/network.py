"""No connection leaves this machine while a test replays.

Connections and look-ups of names are what is stopped, where Python makes them (:mod:`socket`), as pytest-recording does;
a library that has sockets of its own, such as uvloop or pycurl, passes. Loopback is let through: servers under test and event
loops live there. A name that is allowed allows the addresses that it was looked up to.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

_LOOK_UP = socket.getaddrinfo
_CONNECT = ("connect", "connect_ex")


class NetworkBlockedError(RuntimeError):
    """A test wanted to connect to another machine. What pytest-recording raises is a RuntimeError, too."""


@contextmanager
def blocked(hosts: Sequence[str], hint: str) -> Iterator[None]:
    """While it lasts only loopback and hosts that match one of ``hosts`` (regular expressions) can be reached.

    ``hint`` is what the error tells to do.
    """
    patterns = [re.compile(host) for host in hosts]
    resolved: set[str] = set()

    def check(host: str) -> None:
        if not (_is_loopback(host) or host in resolved or any(pattern.match(host) for pattern in patterns)):
            raise NetworkBlockedError(f"Network is disabled for host {host!r}; {hint}")

    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        def guard(self: socket.socket, address: Any, *rest: Any) -> Any:
            if self.family in (socket.AF_INET, socket.AF_INET6):
                try:
                    check(_text(address[0]))
                except NetworkBlockedError:
                    self.close()  # socket.create_connection would do it for an OSError alone
                    raise
            return call(self, address, *rest)

        return guard

    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        name = _text(host)
        if name and not _is_address(name):
            check(name)
        found = look_up(host, *rest, **named)
        resolved.update(str(entry[4][0]) for entry in found if name and not _is_address(name))
        return found

    with pytest.MonkeyPatch.context() as patch:
        for name in _CONNECT:
            patch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@contextmanager
def open_again() -> Iterator[None]:
    """While it lasts, what blocked the network (this module, or pytest-recording) does not."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _CONNECT:
            patch.setattr(socket.socket, name, getattr(socket.SocketType, name))
        patch.setattr(socket, "getaddrinfo", _LOOK_UP)
        yield


class Blocker:
    """A plugin: the whole of every test is blocked. The fixtures of a session, which outlive it, are set up in it too."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._hosts = hosts

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        with blocked(self._hosts, "--block-network is set; --allowed-hosts lets some hosts through"):
            return (yield)


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host or "")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host.partition("%")[0]).is_loopback)
