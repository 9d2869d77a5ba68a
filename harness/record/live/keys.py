"""How the providers are told who asks: a key in a header, an AWS signature, a Google access token.

Keys come from the environment and from the files that the providers' own tools use, never from the command line. What
is found goes into requests alone; ``secrets`` of an :class:`Open` are masked wherever else they turn up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from harness.exits import USAGE
from harness.record.wire import RecordError

MASK = "***"
_SENDABLE = re.compile(r"[\x21-\x7e]+")
"""RFC 9110, 5.5, without spaces: the errors of HTTP libraries quote a value that has anything else."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a credential is looked for, and whether one is there; never what it is."""

    where: str
    found: bool

    def __str__(self) -> str:
        return f"{self.where}: {'found' if self.found else 'not there'}"


@dataclass(frozen=True, slots=True)
class Open:
    """Credentials that were found: ``flow`` puts them into requests, ``secrets`` must never be kept."""

    flow: httpx.Auth | None
    secrets: tuple[str, ...] = ()


class Keys(Protocol):
    """One way of saying who asks."""

    def places(self) -> tuple[Place, ...]:
        """Where it looks, in this order; without any network."""

    def headers(self) -> Mapping[str, str]:
        """The headers that it adds, their values masked."""

    def open(self, network: httpx.BaseTransport, /) -> Open:
        """Find the credentials (RecordError: there are none, or they are refused)."""


class Carried(httpx.Auth):
    """Headers that are the same for each request."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers.update(self._headers)
        yield request


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """A key in a header, from the first of ``variables`` that is set; ``scheme`` stands before it (``Bearer``)."""

    variables: tuple[str, ...]
    header: str = "authorization"
    scheme: str = "Bearer"

    def places(self) -> tuple[Place, ...]:
        return tuple(Place(f"environment variable {name}", bool(os.environ.get(name))) for name in self.variables)

    def headers(self) -> Mapping[str, str]:
        return {self.header: f"{self.scheme} {MASK}".strip()}

    def open(self, _: httpx.BaseTransport, /) -> Open:
        key = next((value for name in self.variables if (value := key_in(name))), "")
        if not key:
            raise RecordError(f"no API key: set {' or '.join(self.variables)}", exit_code=USAGE)
        return Open(Carried({self.header: f"{self.scheme} {key}".strip()}), (key,))


@dataclass(frozen=True, slots=True)
class FirstOf:
    """Several ways of saying who asks, of which the first counts whose variable is set."""

    ways: tuple[HeaderKey, ...]

    def places(self) -> tuple[Place, ...]:
        return tuple(place for way in self.ways for place in way.places())

    def headers(self) -> Mapping[str, str]:
        return self._chosen().headers()

    def open(self, network: httpx.BaseTransport, /) -> Open:
        way = self._chosen()
        if not any(place.found for place in way.places()):
            names = " or ".join(name for one in self.ways for name in one.variables)
            raise RecordError(f"no API key: set {names}", exit_code=USAGE)
        return way.open(network)

    def _chosen(self) -> HeaderKey:
        return next((way for way in self.ways if any(place.found for place in way.places())), self.ways[0])


class NoKey:
    """For a server that asks for none."""

    def places(self) -> tuple[Place, ...]:
        return ()

    def headers(self) -> Mapping[str, str]:
        return {}

    def open(self, _: httpx.BaseTransport, /) -> Open:
        return Open(None)


def key_in(variable: str) -> str:
    """The key in an environment variable, without white space around it; empty if there is none.

    Raises:
        RecordError: it holds what no header can carry; said without its value.
    """
    value = os.environ.get(variable, "").strip()
    if value and not _SENDABLE.fullmatch(value):
        raise RecordError(f"{variable} holds a space, a line break or non-ASCII: no key has those", exit_code=USAGE)
    return value


def missing(extra: str, library: str, provider: str) -> RecordError:
    """What to say when an optional library is not installed."""
    return RecordError(f"{provider} needs {library}: pip install 'streamparity[{extra}]'", exit_code=USAGE)
