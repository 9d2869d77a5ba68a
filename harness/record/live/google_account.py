"""Google Cloud: access tokens of a service account or of the user's own login, by google-auth."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from harness.exits import USAGE
from harness.record.live.keys import MASK, Carried, Open, Place, key_in, missing
from harness.record.redaction import redact_text
from harness.record.wire import RecordError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN = "VERTEX_ACCESS_TOKEN"
"""A token that the user already has (``gcloud auth print-access-token``)."""
FILE = "GOOGLE_APPLICATION_CREDENTIALS"
PROJECTS = ("GOOGLE_CLOUD_PROJECT", "GOOGLE_VERTEX_PROJECT")
_SECRET_FIELDS = ("private_key", "private_key_id", "client_email", "client_id", "client_secret", "refresh_token")
"""Of the files that google-auth reads (Google Cloud, "Application Default Credentials")."""


@dataclass(frozen=True, slots=True)
class GoogleAccount:
    """``VERTEX_ACCESS_TOKEN``, else the application default credentials of Google Cloud."""

    def places(self) -> tuple[Place, ...]:
        file = os.environ.get(FILE, "")
        login = _login_file()
        return (
            Place(f"environment variable {TOKEN}", bool(os.environ.get(TOKEN))),
            Place(f"the file that {FILE} names", bool(file) and Path(file).is_file()),
            Place(f"{login} (gcloud auth application-default login)", login.is_file()),
        )

    def headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {MASK}"}

    def open(self, network: httpx.BaseTransport, /) -> Open:
        if token := key_in(TOKEN):
            return Open(Carried({"authorization": f"Bearer {token}"}), (token,))
        try:
            import google.auth
            from google.auth.exceptions import GoogleAuthError
        except ImportError as error:
            raise missing("google", "google-auth", "vertex") from error
        if (file := os.environ.get(FILE)) and not Path(file).is_file():
            raise RecordError(f"{FILE} names a file that is not there", exit_code=USAGE)
        if not any(place.found for place in self.places()):  # google-auth would ask the network who this machine is
            where = f"set {TOKEN} or {FILE}, or run `gcloud auth application-default login`"
            raise RecordError(f"no Google Cloud credentials: {where}", exit_code=USAGE)
        secrets = _secrets_in(Path(file) if file else _login_file())
        send = _sender(network)
        try:
            with warnings.catch_warnings(action="ignore"):  # advice about quotas, which does not concern a recording
                credentials, _ = google.auth.default(scopes=[SCOPE], request=send)
            _refresh(credentials, send)
        except (GoogleAuthError, ValueError, TypeError, KeyError) as error:
            said = redact_text(" ".join(str(error).split())[:300], secrets)
            raise RecordError(f"Google Cloud gave no access token: {said}", exit_code=USAGE) from None
        return Open(_Refreshed(credentials, send), (*secrets, str(credentials.token)))


def project() -> str:
    """The Google Cloud project to ask in, from the environment or the credentials' file; empty if none says."""
    named = next((os.environ[name] for name in PROJECTS if os.environ.get(name)), "")
    file = os.environ.get(FILE)
    return named or str(_read(Path(file) if file else _login_file()).get("project_id", ""))


class _Refreshed(httpx.Auth):
    """An access token, made anew when it has run out: they live for an hour."""

    def __init__(self, credentials: Any, send: Any) -> None:
        self._credentials, self._send = credentials, send

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if not self._credentials.valid:
            from google.auth.exceptions import GoogleAuthError

            try:
                _refresh(self._credentials, self._send)
            except GoogleAuthError as error:
                raise RecordError(f"Google Cloud gave no new access token ({type(error).__name__})") from None
        request.headers["authorization"] = f"Bearer {self._credentials.token}"
        yield request


def _refresh(credentials: Any, send: Any) -> None:
    credentials.refresh(send)


def _login_file() -> Path:
    """Where gcloud keeps the user's login (Google Cloud, "How Application Default Credentials works")."""
    folder = os.environ.get("CLOUDSDK_CONFIG")
    return (Path(folder) if folder else Path.home() / ".config/gcloud") / "application_default_credentials.json"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        info = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return info if isinstance(info, dict) else {}


def _secrets_in(path: Path) -> tuple[str, ...]:
    info = _read(path)
    return tuple(str(info[name]) for name in (*_SECRET_FIELDS, "project_id") if info.get(name))


def _sender(network: httpx.BaseTransport) -> Any:
    """google-auth's transport, over httpx: so that it needs no other HTTP library."""
    from google.auth import exceptions, transport

    unreachable: Any = exceptions.TransportError

    class Answer(transport.Response):
        def __init__(self, response: httpx.Response) -> None:
            self._response = response

        @property
        def status(self) -> int:
            return self._response.status_code

        @property
        def headers(self) -> Mapping[str, str]:
            return self._response.headers

        @property
        def data(self) -> bytes:
            return self._response.content

    class Sender(transport.Request):
        def __call__(
            self,
            url: str,
            method: str = "GET",
            body: bytes | None = None,
            headers: Mapping[str, str] | None = None,
            timeout: float | None = None,
            **_: Any,
        ) -> Answer:
            request = httpx.Request(method, url, headers=headers, content=body)
            limit = httpx.Timeout(timeout or 30.0)
            try:
                with httpx.Client(transport=_Borrowed(network), timeout=limit) as client:
                    return Answer(client.send(request))
            except httpx.HTTPError as error:
                raise unreachable(f"{type(error).__name__}: {error}") from error

    return Sender()


class _Borrowed(httpx.BaseTransport):
    """A transport that stays open when its client is closed."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(request)
