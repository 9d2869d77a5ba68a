"""A pinned file is found as pip would find it, taken only if it is that file, and what went wrong is one sentence."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import package_index
from harness.package_index import PackageIndex, PackageIndexError, Pin, Places, places_of_pip

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = bytes(range(256)) * 300
PIN = Pin("Some_Thing", "some_thing-1.0.tar.gz", hashlib.sha256(DATA).hexdigest())


class Server(ThreadingHTTPServer):
    """Answers each path with ``(status, content type, body)``, the first of several first; notes what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[tuple[int, str, bytes]]] = {}
        self.asked: list[tuple[str, str | None, str | None]] = []
        self.address = f"127.0.0.1:{self.server_port}"

    def json_page(self, *files: dict[str, Any]) -> None:
        """The page of the project, as PEP 691 has it."""
        page = json.dumps({"meta": {"api-version": "1.0"}, "files": files}).encode()
        self.answers["/simple/some-thing/"] = [(200, "application/vnd.pypi.simple.v1+json", page)]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        known = self.server.answers.get(self.path, [(404, "text/html", b"none")])
        status, kind, data = known.pop(0) if len(known) > 1 else known[0]
        self.server.asked.append((self.path, self.headers["authorization"], self.headers["accept-encoding"]))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        if self.path.endswith(".gz"):
            self.send_header("content-encoding", "gzip")  # as some servers say of any .tar.gz
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    monkeypatch.setattr(package_index, "_PAUSES_S", (0.0, 0.0))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as made:
        threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield made
        made.shutdown()


def fetch(folder: Path, *indexes: str, links: tuple[str, ...] = ()) -> bytes:
    with PackageIndex(Places(indexes, links)) as index:
        try:
            return index.fetch(PIN, folder).read_bytes()
        finally:
            assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def refused(folder: Path, *indexes: str, links: tuple[str, ...] = ()) -> str:
    with pytest.raises(PackageIndexError) as caught:
        fetch(folder, *indexes, links=links)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_an_index_on_the_network(server: Server, tmp_path: Path) -> None:
    entry = {"filename": PIN.file, "url": "../../files/x.gz", "hashes": {"sha256": PIN.sha256}}
    server.json_page({**entry, "filename": "other", "url": "nowhere"}, entry)
    server.answers["/simple/some-thing/"].insert(0, (503, "text/html", b"busy"))
    server.answers["/files/x.gz"] = [(200, "application/gzip", DATA)]
    seen: list[tuple[int, int | None]] = []
    with PackageIndex(Places((f"http://me:s%20cret@{server.address}/simple",))) as index:
        assert index.fetch(PIN, tmp_path, lambda done, total: seen.append((done, total))).read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA))
    basic = "Basic " + base64.b64encode(b"me:s cret").decode()
    assert server.asked == [("/simple/some-thing/", basic, "identity")] * 2 + [("/files/x.gz", basic, "identity")]

    (tmp_path / PIN.file).unlink()
    server.answers["/files/x.gz"] = [(200, "application/gzip", DATA + b"!")]
    said = refused(tmp_path, f"http://me:s%20cret@{server.address}/simple")
    assert f"not the pinned {PIN.sha256}: it is another file, and nothing of it is kept" in said
    assert "cret" not in said
    server.answers["/files/x.gz"] = [(500, "text/html", b"")]
    assert "/files/x.gz answers 500 Internal Server Error" in refused(tmp_path, f"http://{server.address}/simple")
    server.json_page({**entry, "hashes": {"sha256": "0" * 64}})
    assert "has another file of that name" in refused(tmp_path, f"http://{server.address}/simple")
    server.answers["/simple/some-thing/"] = [(200, "text/html", b'{"files": 1}')]
    assert "is no page of a package index" in refused(tmp_path, f"http://{server.address}/simple")
    assert "may have been withdrawn" in refused(tmp_path, f"http://{server.address}/elsewhere")
    assert "no-index" in refused(tmp_path)


def test_a_host_that_is_not_there_is_tried_once(server: Server, tmp_path: Path) -> None:
    server.server_close()  # the port is free, and nobody listens
    with PackageIndex(Places((f"http://{server.address}/simple", f"http://{server.address}/other"))) as index:
        for _ in range(2):
            with pytest.raises(PackageIndexError, match="cannot be reached .*: check the network, then run this again"):
                index.fetch(PIN, tmp_path)
        assert list(index._unreachable) == [server.address]


def test_folders_and_pages_come_before_the_network(server: Server, tmp_path: Path) -> None:
    out, wheels = tmp_path / "out", tmp_path / "wheels"
    out.mkdir()
    wheels.mkdir()
    network = f"http://{server.address}/simple"
    (wheels / PIN.file).write_bytes(b"damaged")
    server.answers["/simple/some-thing/"] = [
        (200, "text/html", f'<a href="/f/{PIN.file}#sha256={PIN.sha256}">x</a>'.encode())
    ]
    server.answers[f"/f/{PIN.file}"] = [(200, "application/gzip", DATA)]
    assert fetch(out, network, links=(str(wheels),)) == DATA  # another file of that name is passed over
    assert len(server.asked) == 2
    (wheels / PIN.file).write_bytes(DATA)
    for links in ((str(wheels),), (wheels.as_uri(),)):
        assert fetch(out, network, links=links) == DATA
    page = tmp_path / "links.html"
    page.write_text(f'<base href="wheels/"><a href="{PIN.file}">x</a>')
    assert fetch(out, network, links=(str(page),)) == DATA
    assert len(server.asked) == 2


def test_pip_is_asked_where_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_") or name.endswith("CA_BUNDLE")]:
        monkeypatch.delenv(name)
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = http://one/simple\nextra-index-url =\n  http://two/simple\n  http://three/simple\n"
        "timeout = 7\ncert = /my/ca.pem\n[download]\nindex-url = http://four/simple\ntrusted-host = four\n[install]\nindex-url = http://no\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_FIND_LINKS", "a b")
    found = places_of_pip()
    assert found.indexes == ("http://four/simple", "http://two/simple", "http://three/simple")
    assert (found.links, found.timeout, found.trusted, found.cert) == (
        ("a", "b"),
        7.0,
        frozenset({"four"}),
        "/my/ca.pem",
    )

    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (default,) = places_of_pip().indexes
    assert default.startswith("https://")
    assert default.endswith("/simple")
    monkeypatch.setattr(package_index, "_pip", lambda *_: "global.index-url='http://one'\n:env:.no-index='1'\n")
    assert places_of_pip().indexes == ()
