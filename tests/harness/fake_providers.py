"""The providers' endpoints, in process: they check who asks as the real ones do, and answer with the simulator's bodies.

A signature is recomputed from what arrived; a service account's assertion is verified with its public key.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import google.auth.jwt
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from harness.record.addresses import dialect_of
from harness.record.providers import PROVIDERS
from harness.record.scenarios import scenarios

from .planted_secrets import made

KEYS = {
    # HEX and base 62 alike: no shape by which a scan could tell them for keys.
    "OPENAI_API_KEY": "sk-" + "proj-" + made(40, seed=21),
    "ANTHROPIC_API_KEY": made(40, "0123456789abcdef", seed=22),
    "GEMINI_API_KEY": "AI" + "za" + made(35, seed=23),
    "AZURE_OPENAI_API_KEY": made(32, "0123456789abcdef", seed=24),
    "XAI_API_KEY": "xai-" + made(40, seed=25),
    "AWS_ACCESS_KEY_ID": "AK" + "IA" + made(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", seed=26),
    "AWS_SECRET_ACCESS_KEY": made(40, seed=27),
    "AWS_SESSION_TOKEN": made(120, seed=28),
}
TOKEN = "ya29." + made(60, seed=29)
PROJECT, RESOURCE = "acme-prod-4711", "acme-eu"
SERVICE_ACCOUNT = f"recorder@{PROJECT}.iam.gserviceaccount.com"
_PUBLIC = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo

SIZE = 19
"""Of a chunk, in bytes: cuts characters, line ends, headers of messages wherever they fall."""
Respond = Callable[[str, httpx.Request], "httpx.Response | None"]


@dataclass
class Fakes:
    """All providers behind one transport. ``respond`` may answer a dialect's request in its own way, or None."""

    respond: Respond = lambda _, __: None
    asked: list[tuple[str, httpx.Request]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=lambda: [*KEYS.values(), TOKEN, PROJECT, RESOURCE])
    public_key: bytes = b""
    transport: httpx.MockTransport = field(init=False)

    def __post_init__(self) -> None:
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "oauth2.googleapis.com":
            return self._access_token(request)
        dialect = dialect_of(str(request.url))
        assert dialect is not None, request.url
        self.asked.append((dialect, request))
        if not _AUTHORISED[request.url.host.partition(".")[2]](request):
            return httpx.Response(401, json={"error": {"message": f"wrong: {dict(request.headers)}"}})
        return self.respond(dialect, request) or answered(dialect, request)

    def _access_token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        claims = google.auth.jwt.decode(form["assertion"][0], certs=self.public_key)  # verifies the signature
        assert (claims["iss"], claims["aud"]) == (SERVICE_ACCOUNT, "https://oauth2.googleapis.com/token")
        assert claims["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        return httpx.Response(200, json={"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})


def answered(dialect: str, request: httpx.Request, name: str = "") -> httpx.Response:
    """The simulator's body in chunks of :data:`SIZE` bytes, or a whole answer if no stream is asked for."""
    if not streams(request):
        return httpx.Response(200, json={"id": "made-up", "object": "answer"})
    headers = dict(PROVIDERS[dialect].form.headers)
    return httpx.Response(200, headers=headers, stream=Pieces(simulated(dialect, name or scenario_of(request))))


def streams(request: httpx.Request) -> bool:
    return b'"stream":true' in request.content or "stream" in request.url.path.lower()


def scenario_of(request: httpx.Request) -> str:
    return "tool" if b"get_weather" in request.content else "unicode"


def simulated(dialect: str, name: str) -> bytes:
    known = scenarios(dialect)
    scenario = known.get(name) or known["text"]
    return b"".join(scenario.writes(scenario.request))


class Pieces(httpx.SyncByteStream):
    """A body in chunks of :data:`SIZE` bytes; ``breaks`` is raised after some of them."""

    def __init__(self, body: bytes, breaks: BaseException | None = None) -> None:
        self.body, self.breaks = body, breaks

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self.body) // (2 if self.breaks else 1), SIZE):
            yield self.body[at : at + SIZE]
        if self.breaks is not None:
            raise self.breaks


def _signed(request: httpx.Request) -> bool:
    given = request.headers["authorization"]
    assert given.startswith(f"AWS4-HMAC-SHA256 Credential={KEYS['AWS_ACCESS_KEY_ID']}/")
    fields = dict(item.strip().split("=", 1) for item in given.removeprefix("AWS4-HMAC-SHA256").split(","))
    names = fields["SignedHeaders"].split(";")
    assert {"host", "x-amz-date", "x-amz-security-token"} <= set(names)
    again = AWSRequest(
        request.method,
        str(request.url),
        headers={name: request.headers[name] for name in names},
        data=request.content,
    )
    again.context["timestamp"] = request.headers["x-amz-date"]
    signed_at = dt.datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    assert abs((dt.datetime.now(dt.UTC) - signed_at).total_seconds()) < 300
    _, date, region, service, _ = fields["Credential"].split("/")
    assert (region, service, date) == (request.url.host.split(".")[1], "bedrock", again.context["timestamp"][:8])
    signer = SigV4Auth(Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]), service, region)
    text = signer.string_to_sign(again, signer.canonical_request(again))
    return bool(signer.signature(text, again) == fields["Signature"])


def _anthropic(request: httpx.Request) -> bool:
    right = request.headers["x-api-key"] == KEYS["ANTHROPIC_API_KEY"]
    return right and request.headers["anthropic-version"] == "2023-06-01"


_AUTHORISED: dict[str, Callable[[httpx.Request], bool]] = {
    "openai.com": lambda request: request.headers["authorization"] == f"Bearer {KEYS['OPENAI_API_KEY']}",
    "anthropic.com": _anthropic,
    "googleapis.com": lambda request: (
        request.headers["x-goog-api-key"] == KEYS["GEMINI_API_KEY"]
        if request.url.host.startswith("generativelanguage")
        else request.headers["authorization"] == f"Bearer {TOKEN}"
    ),
    "eu-west-1.amazonaws.com": _signed,
    "openai.azure.com": lambda request: request.headers["api-key"] == KEYS["AZURE_OPENAI_API_KEY"],
    "x.ai": lambda request: request.headers["authorization"] == f"Bearer {KEYS['XAI_API_KEY']}",
}


@functools.cache
def _account_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def environment(monkeypatch: pytest.MonkeyPatch, folder: Path) -> bytes:
    """Sets the keys of all providers, nothing of this machine's; returns the service account's public key."""
    for name in (
        *("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "XAI_BASE_URL", "GOOGLE_API_KEY"),
        *("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
        *("VERTEX_ACCESS_TOKEN", "GOOGLE_CLOUD_PROJECT", "GOOGLE_VERTEX_PROJECT", "GOOGLE_CLOUD_LOCATION"),
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"https://{RESOURCE}.openai.azure.com")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    key = _account_key()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": made(40, "0123456789abcdef", seed=30),
        "private_key": private.decode(),
        "client_email": SERVICE_ACCOUNT,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    file = folder / "account.json"
    file.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    return key.public_key().public_bytes(*_PUBLIC)


def leaks(text: str, secrets: list[str]) -> list[str]:
    """Which of the secrets are in the text, as they are or in base64."""
    forms: Any = [(secret, form) for secret in secrets for form in (secret, base64.b64encode(secret.encode()).decode())]
    return [secret for secret, form in forms if form in text]
