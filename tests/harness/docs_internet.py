"""What stands for the internet while the pages run: every name leads to a server of this process, and it speaks TLS.

Whoever connects to port 443, by whatever library, gets there: names are resolved to this machine, and connections to the port
are led to another one. So a page runs as it stands, `https://api.openai.com` and all.
"""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pytest

    Answer = Callable[[httpx.Request], httpx.Response]

HTTPS = 443
HERE = "127.0.0.1"


@contextmanager
def internet(patch: pytest.MonkeyPatch, folder: Path, answer: Answer, hosts: tuple[str, ...]) -> Iterator[list[int]]:
    """For as long as the block lasts, ``answer`` is what every server says; those of ``hosts`` can prove who they are.

    Yields the statuses of the answers so far.
    """
    answered: list[int] = []

    def noted(request: httpx.Request) -> httpx.Response:
        response = answer(request)
        answered.append(response.status_code)
        return response

    file = folder / "authority-of-the-pages.pem"
    file.write_bytes(_certificate(hosts))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    with loopback(noted, context) as port:
        resolve, connect = socket.getaddrinfo, socket.socket.connect

        def resolved(host: Any, *args: Any, **named: Any) -> Any:
            return resolve(HERE if host not in (None, b"") else host, *args, **named)

        def connected(self: socket.socket, address: Any) -> None:
            connect(self, (HERE, port) if address == (HERE, HTTPS) else address)

        patch.setattr(socket, "getaddrinfo", resolved)
        patch.setattr(socket.socket, "connect", connected)
        patch.setenv("SSL_CERT_FILE", str(file))
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patch.delenv(name, raising=False)
        yield answered


@contextmanager
def loopback(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server that sends each piece of what ``answer`` gives as one chunk; yields its port. With ``context`` it speaks TLS."""

    class Handler(_Handler):
        says = staticmethod(answer)
        scheme = "https" if context else "http"

    server = ThreadingHTTPServer((HERE, 0), Handler)
    server.daemon_threads = False
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    says: Answer
    scheme: str
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        address = f"{self.scheme}://{self.headers['host']}{self.path}"
        response = type(self).says(httpx.Request(self.command, address, headers=self.headers.items(), content=body))
        self.send_response_only(response.status_code)
        self.close_connection = True  # one answer a connection: nothing lingers when the server stops
        for name, value in response.headers.items():
            if name not in ("content-length", "transfer-encoding"):
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("connection", "close")
        self.end_headers()
        for piece in filter(None, _pieces(response)):  # an empty chunk would end it
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()


def _pieces(response: httpx.Response) -> Iterator[bytes]:
    """Its body as it was made; one that was given as a whole counts as read already, so httpx would not give it again."""
    assert isinstance(response.stream, httpx.SyncByteStream)
    yield from response.stream


def _certificate(hosts: tuple[str, ...]) -> bytes:
    """A key, and a certificate for these names that is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the internet of the pages")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
