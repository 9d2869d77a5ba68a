"""One pinned file from the package index, without running anything that is in it.

``pip download`` builds the metadata of a source archive, which runs the archive's own code. So the file is looked up and
fetched here: in the places that pip is configured to look (``pip config list``: index-url, extra-index-url, find-links,
no-index, proxy, cert, client-cert, trusted-host, timeout; netrc), by the simple repository API as HTML (PEP 503) or JSON
(PEP 691), or in a folder. A file is taken only if it has the pinned sha256, so it does not matter which place has it.
"""

from __future__ import annotations

import ast
import hashlib
import json
import netrc
import os
import re
import ssl
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from urllib.request import url2pathname

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    OnBytes = Callable[[int, int | None], None]

MAX_PAGE_BYTES = 64 * 1024 * 1024
"""Of a project's page in the index; those of projects with a thousand files have half a megabyte."""
MAX_FILE_BYTES = 512 * 1024 * 1024
"""Of a file; the largest that is pinned anywhere here has 93 MB."""
_BLOCK = 1 << 16
_HEADERS = {
    "accept": "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, */*;q=0.1",
    "accept-encoding": "identity",
}
_PAUSES_S = (0.5, 2.0)
"""Before a request is made again whose connection broke off, or that an overloaded server turned away."""


class PackageIndexError(Exception):
    """A pinned file that cannot be had; one line that says why and what to do."""


class _UnavailableError(Exception):
    """One place cannot be asked, or one address gives nothing: why."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A file of the package index: ``project`` as the index calls it, the name of the file, its sha256 in hex."""

    project: str
    file: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where and how pip is configured to look; ``indexes`` and ``links`` are URLs or paths, times are seconds."""

    indexes: tuple[str, ...]
    links: tuple[str, ...] = ()
    proxy: str | None = None
    cert: str | None = None
    client_cert: str | None = None
    trusted: frozenset[str] = frozenset()
    timeout: float = 15.0


def places_of_pip() -> Places:
    """What pip is configured to do on this machine, by its files and by ``PIP_...`` variables.

    Raises:
        PackageIndexError: there is no pip in this environment, or it does not answer.
    """
    settings: dict[str, str] = {}
    found = re.findall(r"^(global|download|:env:)\.([\w-]+)=(.+)$", _pip("config", "list"), re.MULTILINE)
    # What pip itself gives precedence: the command's own section over the general one, the environment over both.
    for _, key, value in sorted(found, key=lambda item: ("global", "download", ":env:").index(item[0])):
        settings[key.replace("_", "-")] = str(ast.literal_eval(value))
    indexes: list[str] = []
    if settings.get("no-index", "").lower() not in ("1", "true", "yes", "on", "y", "t"):
        indexes = [settings.get("index-url") or _default_index(), *settings.get("extra-index-url", "").split()]
    return Places(
        indexes=tuple(indexes),
        links=tuple(settings.get("find-links", "").split()),
        proxy=settings.get("proxy"),
        cert=settings.get("cert") or os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE"),
        client_cert=settings.get("client-cert"),
        trusted=frozenset(settings.get("trusted-host", "").split()),
        timeout=float(settings.get("timeout") or settings.get("default-timeout") or 15),
    )


def _default_index() -> str:
    """What pip looks in when nothing is configured; pip's help is where it says so."""
    default = re.search(r"--index-url\b.*?\(default\s+(\S+?)\)", _pip("help", "download"), re.DOTALL)
    if default is None:
        raise PackageIndexError("pip does not say which index it uses: name one, `pip config set global.index-url URL`")
    return default[1]


def _pip(*words: str) -> str:
    environment = {**os.environ, "COLUMNS": "500", "NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    command = [sys.executable, "-m", "pip", *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageIndexError(f"pip cannot be asked where it looks ({error})") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PackageIndexError(f"pip cannot be asked where it looks ({said}): `python -m ensurepip` installs it")
    return done.stdout


class PackageIndex:
    """Fetches pinned files: ``with PackageIndex() as index: index.fetch(pin, folder)``.

    A host that cannot be reached is tried once only, so that many pins do not wait for the same silence.

    Raises:
        PackageIndexError: as :func:`places_of_pip`; or a certificate or proxy that pip is configured with is unusable.
    """

    def __init__(self, places: Places | None = None) -> None:
        self.places = places_of_pip() if places is None else places
        try:
            self._clients = {trusted: self._client(trusted=trusted) for trusted in (False, True)}
        except (OSError, ValueError) as error:
            raise PackageIndexError(f"a certificate or proxy of pip's configuration is unusable: {error}") from None
        self._unreachable: dict[str, str] = {}

    def _client(self, *, trusted: bool) -> httpx.Client:
        verify: ssl.SSLContext | bool = not trusted
        cert = self.places.cert
        if verify and (cert or self.places.client_cert):
            is_folder = cert is not None and Path(cert).is_dir()
            verify = ssl.create_default_context(cafile=None if is_folder else cert, capath=cert if is_folder else None)
            if self.places.client_cert:
                verify.load_cert_chain(self.places.client_cert)
        return httpx.Client(verify=verify, proxy=self.places.proxy, timeout=self.places.timeout, follow_redirects=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.close()

    def fetch(self, pin: Pin, folder: Path, on_bytes: OnBytes = lambda *_: None) -> Path:
        """The pinned file, in ``folder``; ``on_bytes`` is told how many bytes came, and of how many if that is known.

        Raises:
            PackageIndexError: no place has the file, or none that can be reached, or what came is another file. Nothing
                of it is kept then.
        """
        places = [(place, False) for place in self.places.links] + [(place, True) for place in self.places.indexes]
        problems: list[str] = []
        for place, is_index in sorted(places, key=lambda item: _as_path(item[0]) is None):  # what is here comes first
            try:
                for address, sha256 in self._addresses(place, pin, is_index=is_index):
                    if sha256 in (None, pin.sha256):
                        return self._take(address, pin, folder, on_bytes)
                    problems.append(f"{_shown(place)} has another file of that name, with sha256 {sha256}")
            except _UnavailableError as error:
                problems.append(str(error))
        if not problems:
            asked = ", ".join(_shown(place) for place, _ in places) or "nothing: pip is configured with no-index"
            problems = [f"it is in none of the places that pip looks in ({asked}); it may have been withdrawn"]
        raise PackageIndexError(f"{pin.file}: {'; '.join(dict.fromkeys(problems))}")

    def _addresses(self, place: str, pin: Pin, *, is_index: bool) -> Iterator[tuple[str, str | None]]:
        """URLs or paths of files with the pinned name, with the sha256 that the place names for them."""
        project = re.sub(r"[-_.]+", "-", pin.project).lower()  # PEP 503, "Normalized Names"
        path = _as_path(place)
        if path is not None:
            yield from _addresses_in(path / project if is_index else path, pin)
            return
        url = f"{place.rstrip('/')}/{project}/" if is_index else place
        page = b"".join(self._get(url, MAX_PAGE_BYTES, page=True))
        yield from _addresses_on(page, url, pin)

    def _take(self, address: str, pin: Pin, folder: Path, on_bytes: OnBytes) -> Path:
        path, part = folder / pin.file, folder / f".{pin.file}.part"
        digest = hashlib.sha256()
        local = _as_path(address)
        try:
            with part.open("wb") as out:
                for block in _blocks(local) if local else self._get(address, MAX_FILE_BYTES, on_bytes):
                    out.write(block)
                    digest.update(block)
            if digest.hexdigest() != pin.sha256:
                what = f"{_shown(address)} has sha256 {digest.hexdigest()}, not the pinned {pin.sha256}"
                raise _UnavailableError(f"{what}: it is another file, and nothing of it is kept")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def _get(self, url: str, limit: int, on_bytes: OnBytes = lambda *_: None, *, page: bool = False) -> Iterator[bytes]:
        """A page of an index, empty if there is none; or a file, as it is sent."""
        host = urlsplit(url).netloc.rpartition("@")[2]
        if host in self._unreachable:
            raise _UnavailableError(self._unreachable[host])
        for pause in (*_PAUSES_S, None):
            done = 0
            try:
                with self._response(url, host) as response:
                    if response.status_code == 404 and page:
                        return
                    response.raise_for_status()
                    length = response.headers.get("content-length", "")
                    # Some servers call a .tar.gz a .tar with a content coding: decoded it would be another file.
                    for block in response.iter_bytes() if page else response.iter_raw(_BLOCK):
                        done += len(block)
                        if done > limit:
                            raise _UnavailableError(f"{_shown(url)} has more than {limit} bytes")
                        on_bytes(done, int(length) if length.isdecimal() else None)
                        yield block
                    return
            except httpx.HTTPStatusError as error:
                status = error.response.status_code
                if pause is None or (status != 429 and status < 500):
                    raise _UnavailableError(f"{_shown(url)} answers {status} {error.response.reason_phrase}") from None
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                why = f"{host} cannot be reached ({error or type(error).__name__}): check the network, then run this again"
                self._unreachable[host] = why
                raise _UnavailableError(why) from None
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                if pause is None or done:  # what was given out cannot be taken back
                    why = str(error) or type(error).__name__
                    raise _UnavailableError(f"{_shown(url)} broke off ({why}): run this again") from None
            time.sleep(pause)

    @contextmanager
    def _response(self, url: str, host: str) -> Iterator[httpx.Response]:
        trusted = not self.places.trusted.isdisjoint((host, urlsplit(url).hostname or ""))
        client = self._clients[trusted]
        with client.stream("GET", url, headers=_HEADERS, auth=self._credentials(url, host)) as response:
            yield response

    def _credentials(self, url: str, host: str) -> tuple[str, str] | None:
        """As pip: those in the URL itself, those that the configuration names for its host, those in netrc."""
        for known in (url, *self.places.indexes, *self.places.links):
            parts = urlsplit(known)
            if parts.username is not None and parts.netloc.rpartition("@")[2] == host:
                return unquote(parts.username), unquote(parts.password or "")
        try:
            found = netrc.netrc().authenticators(host) or netrc.netrc().authenticators(urlsplit(url).hostname or "")
        except (OSError, netrc.NetrcParseError):
            return None
        return (found[0], found[2] or "") if found else None


def _as_path(place: str) -> Path | None:
    """The folder or file that a place of pip's configuration is; None if it is on the network."""
    parts = urlsplit(place)
    if parts.scheme in ("http", "https"):
        return None
    return Path(url2pathname(parts.path)) if parts.scheme == "file" else Path(place).expanduser()


def _shown(place: str) -> str:
    """A URL without the credentials that may stand in it."""
    parts = urlsplit(place)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl() or place


def _addresses_in(path: Path, pin: Pin) -> Iterator[tuple[str, str | None]]:
    page = path / "index.html" if path.is_dir() else path
    try:
        if page.is_file() and page.suffix in (".html", ".htm"):
            yield from _addresses_on(page.read_bytes(), page.as_uri(), pin)
    except OSError as error:
        raise _UnavailableError(f"{page} cannot be read ({error.strerror})") from None
    if (path / pin.file).is_file():
        yield str(path / pin.file), None


def _addresses_on(page: bytes, url: str, pin: Pin) -> Iterator[tuple[str, str | None]]:
    """The links of a page of the simple repository API, in either of its forms, that lead to the pinned file."""
    if page.lstrip().startswith(b"{"):
        try:
            files = json.loads(page)["files"]
            links = [(file["filename"], file["url"], file.get("hashes", {}).get("sha256")) for file in files]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _UnavailableError(f"{_shown(url)} is no page of a package index ({error})") from None
        for name, href, sha256 in links:
            if name == pin.file:
                yield urljoin(url, href), sha256
        return
    anchors = _Anchors()
    anchors.feed(page.decode("utf-8", "replace"))
    for href in anchors.hrefs:
        address, fragment = urldefrag(urljoin(urljoin(url, anchors.base), href))
        if unquote(urlsplit(address).path.rpartition("/")[2]) == pin.file:
            named = re.search(r"(?:^|&)sha256=([0-9a-f]{64})(?:&|$)", fragment)
            yield address, named[1] if named else None


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base, self.hrefs = "", list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href")
        if tag == "base" and href:
            self.base = href
        elif tag == "a" and href:
            self.hrefs.append(href)


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise _UnavailableError(f"{path} cannot be read ({error.strerror})") from None
