"""The APIs whose matrix can be recorded: one row each, with its address, its keys, and what is asked of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from harness.exits import USAGE
from harness.record import local_model
from harness.record.live import aws_keys, google_account
from harness.record.live.keys import FirstOf, HeaderKey, Keys, NoKey
from harness.record.live.request import Request
from harness.record.provider import Form
from harness.record.providers import PROVIDERS
from harness.record.recorder import endpoint
from harness.record.twin import unstreamed
from harness.record.wire import RecordError

LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One API of a provider: a dialect, and how it is reached."""

    provider: str
    """As the command line calls it."""
    dialect: str
    asks: str
    """The name of the file that holds its scenarios: ``asks-<asks>.yaml``."""
    model: str
    """What is asked if nobody says otherwise: cheap, and able to do all scenarios."""
    keys: Keys
    base: Callable[[], str]
    """Its base address; RecordError says which environment variable is missing."""
    serves: str = ""
    """A pattern of the models that it has, where a provider has APIs for different ones; empty for any."""
    path: str = ""
    """Where requests go, if not where those of the dialect do; ``{model}``, ``{project}`` and ``{location}`` stand for those."""
    headers: tuple[tuple[str, str], ...] = ()
    """What every request carries beside its key."""

    @property
    def form(self) -> Form:
        """What its streams look like."""
        return PROVIDERS[self.dialect].form

    @property
    def prefix(self) -> str:
        """How the names of its cassettes start: a simulated stream may have the same scenario."""
        return "local" if self.provider == LOCAL else "live"

    @property
    def provenance(self) -> str:
        """As cassettes say."""
        return "local-model" if self.provider == LOCAL else "live"

    @property
    def runs(self) -> str:
        """Who runs the model, as cassettes say."""
        return "llama.cpp" if self.provider == LOCAL else PROVIDERS[self.dialect].name

    def request(self, ask: Mapping[str, Any], model: str, base: str = "") -> Request:
        """The request for a stream (RecordError: the address is not known)."""
        provider = PROVIDERS[self.dialect]
        asked = {**ask, "model": model}
        path = provider.target(asked)
        if self.path:
            path = self.path.format(model=quote(model, safe="@"), project=_project(self.path), location=_location())
        body = {**provider.demands, **provider.body(asked), **provider.streaming}
        return Request(endpoint(base or self.base(), path), body, dict(self.headers))

    def unstreamed(self, request: Request) -> Request | None:
        """The same question with an answer that is not streamed: the twin of ``request``."""
        url, body = unstreamed(request.url, request.body)
        twin = Request(url, body, request.headers)
        return None if twin == request else twin


def _at(default: str, variable: str) -> Callable[[], str]:
    return lambda: os.environ.get(variable) or default


def _azure() -> str:
    found = os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not found:
        what = "no address: set AZURE_OPENAI_ENDPOINT (https://<resource>.openai.azure.com)"
        raise RecordError(f"azure: {what}", exit_code=USAGE)
    return found


def _bedrock() -> str:
    named = os.environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")
    return named or f"https://bedrock-runtime.{aws_keys.region()}.amazonaws.com"


def _vertex() -> str:
    location = _location()
    host = "aiplatform.googleapis.com" if location == "global" else f"{location}-aiplatform.googleapis.com"
    return f"https://{host}"


def _location() -> str:
    return os.environ.get("GOOGLE_CLOUD_LOCATION") or "global"


def _project(path: str) -> str:
    if "{project}" not in path:
        return ""
    if not (found := google_account.project()):
        raise RecordError(f"vertex: no project: set {google_account.PROJECTS[0]}", exit_code=USAGE)
    return found


def _local_server() -> str:
    raise RecordError("local: its address is known once it runs")


_OPENAI = HeaderKey(("OPENAI_API_KEY",))
_ANTHROPIC = FirstOf(
    (HeaderKey(("ANTHROPIC_API_KEY",), "x-api-key", ""), HeaderKey(("ANTHROPIC_AUTH_TOKEN",)))
)  # both, and in this order, as Anthropic's own SDKs
_ANTHROPIC_VERSION = (("anthropic-version", "2023-06-01"),)
_GEMINI = HeaderKey(("GEMINI_API_KEY", "GOOGLE_API_KEY"), "x-goog-api-key", "")
_AZURE = HeaderKey(("AZURE_OPENAI_API_KEY",), "api-key", "")
_XAI = HeaderKey(("XAI_API_KEY",))
_GOOGLE = google_account.GoogleAccount()
_AWS = aws_keys.AwsKeys()
_BEDROCK_CLAUDE = "global.anthropic.claude-haiku-4-5-20251001-v1:0"
_VERTEX_PATH = "/v1/projects/{project}/locations/{location}/publishers"


def _api(provider: str, dialect: str, asks: str, model: str, keys: Keys, base: Callable[[], str], **more: Any) -> Api:
    return Api(provider=provider, dialect=dialect, asks=asks, model=model, keys=keys, base=base, **more)


_openai = _at("https://api.openai.com/v1", "OPENAI_BASE_URL")
_anthropic = _at("https://api.anthropic.com", "ANTHROPIC_BASE_URL")
_gemini = _at("https://generativelanguage.googleapis.com", "GOOGLE_GEMINI_BASE_URL")
_xai = _at("https://api.x.ai", "XAI_BASE_URL")

APIS: tuple[Api, ...] = (
    _api("openai", "openai-chat", "openai-chat", "gpt-5-nano", _OPENAI, _openai),
    _api("openai", "openai-responses", "openai-responses", "gpt-5-nano", _OPENAI, _openai),
    _api(
        "anthropic",
        "anthropic-messages",
        "anthropic-messages",
        "claude-haiku-4-5",
        _ANTHROPIC,
        _anthropic,
        headers=_ANTHROPIC_VERSION,
    ),
    _api("gemini", "gemini-generateContent", "gemini-generateContent", "gemini-2.5-flash", _GEMINI, _gemini),
    _api(
        "vertex",
        "vertex-gemini",
        "gemini-generateContent",
        "gemini-2.5-flash",
        _GOOGLE,
        _vertex,
        serves="^(?!claude)",
        path=_VERTEX_PATH + "/google/models/{model}:streamGenerateContent?alt=sse",
    ),
    _api(
        "vertex",
        "vertex-anthropic",
        "anthropic-messages",
        "claude-haiku-4-5@20251001",
        _GOOGLE,
        _vertex,
        serves="^claude",
        path=_VERTEX_PATH + "/anthropic/models/{model}:streamRawPredict",
    ),
    _api("bedrock", "bedrock-converse-stream", "bedrock-converse", _BEDROCK_CLAUDE, _AWS, _bedrock),
    _api(
        "bedrock",
        "bedrock-invoke-with-response-stream",
        "anthropic-messages",
        _BEDROCK_CLAUDE,
        _AWS,
        _bedrock,
        serves="anthropic|claude",
    ),
    _api("azure", "azure-openai", "openai-chat", "gpt-5-nano", _AZURE, _azure),
    _api("azure", "azure-openai-responses", "openai-responses", "gpt-5-nano", _AZURE, _azure),
    _api("xai", "xai-chat", "openai-chat", "grok-4-1-fast-reasoning", _XAI, _xai),
    _api("xai", "xai-responses", "openai-responses", "grok-4-1-fast-reasoning", _XAI, _xai),
    _api(LOCAL, "openai-chat", "local-openai-chat", local_model.MODEL, NoKey(), _local_server),
    _api(LOCAL, "openai-responses", "local-openai-responses", local_model.MODEL, NoKey(), _local_server),
    _api(
        LOCAL,
        "anthropic-messages",
        "local-anthropic-messages",
        local_model.MODEL,
        NoKey(),
        _local_server,
        headers=_ANTHROPIC_VERSION,
    ),
)
"""In the order in which they are asked."""

NAMES: tuple[str, ...] = tuple(dict.fromkeys(api.provider for api in APIS))
"""What the command line takes for PROVIDER."""
