"""What the recorder needs to know of a dialect's API: where it lives, how it is asked, in what form it answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Encode = Callable[[str, Mapping[str, Any], Mapping[str, Any]], list[bytes]]
    """From the scenario's name, its reply and the request to the units of the wire (events, lines, messages)."""


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a response body: what a refusal calls it, and the headers it comes with."""

    noun: str
    headers: tuple[tuple[str, str], ...]

    @property
    def content_type(self) -> str:
        """The media type without parameters."""
        return self.headers[0][1].partition(";")[0]


FORMS: Mapping[str, Form] = {
    "sse": Form(
        "an event stream", (("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache"))
    ),
    "eventstream": Form("an AWS event stream", (("content-type", "application/vnd.amazon.eventstream"),)),
    "ndjson": Form("JSON lines", (("content-type", "application/x-ndjson"),)),
    "json-array": Form("JSON", (("content-type", "application/json; charset=UTF-8"),)),
}
"""By framing; the keys are those of :data:`harness.record.seams.SEAMS`."""


def ask_messages(prompt: str) -> Mapping[str, Any]:
    """One user message, as the chat APIs of OpenAI and Anthropic take it."""
    return {"messages": [{"role": "user", "content": prompt}]}


def ask_contents(prompt: str) -> Mapping[str, Any]:
    """One user turn, as Gemini takes it."""
    return {"contents": [{"role": "user", "parts": [{"text": prompt}]}]}


def ask_content_blocks(prompt: str) -> Mapping[str, Any]:
    """One user message made of blocks, as Bedrock's Converse takes it."""
    return {"messages": [{"role": "user", "content": [{"text": prompt}]}]}


def ask_input(prompt: str) -> Mapping[str, Any]:
    """Text as ``input``, as the Responses APIs take it."""
    return {"input": prompt}


def ask_prompt(prompt: str) -> Mapping[str, Any]:
    """Text as ``prompt``, as the older completion APIs take it."""
    return {"prompt": prompt}


def bearer(key: str | None) -> Mapping[str, str]:
    """The key as a bearer token (RFC 6750, section 2.1)."""
    return {"authorization": f"Bearer {key}"} if key else {}


def anthropic_headers(key: str | None) -> Mapping[str, str]:
    """Anthropic, "API overview": the version header, and the key in one of its own."""
    return {"anthropic-version": "2023-06-01", **({"x-api-key": key} if key else {})}


def google_headers(key: str | None) -> Mapping[str, str]:
    """Gemini API, "Authentication": the key in a header of its own."""
    return {"x-goog-api-key": key} if key else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One dialect's API."""

    name: str
    """Who runs it, as cassettes say."""
    key_env: str
    """The environment variable that usually holds its API key."""
    path: str
    """Where the request goes; ``{model}`` stands for the model, which then is not in the request's body."""
    encode: Encode
    """The simulated provider."""
    headers: Callable[[str | None], Mapping[str, str]] = bearer
    """From an API key, or from none, to the headers that carry it."""
    ask: Callable[[str], Mapping[str, Any]] = ask_messages
    """From a prompt to the request fields that hold it."""
    streaming: Mapping[str, Any] = field(default_factory=lambda: {"stream": True})
    """The request fields that ask for a stream, where the path does not."""
    demands: Mapping[str, Any] = field(default_factory=dict)
    """Request fields without which the API refuses a bare prompt."""
    framing: str = "sse"
    """A key of :data:`FORMS`."""
    media_type: str = ""
    """Of its response bodies, where it is not that of the framing."""

    @property
    def form(self) -> Form:
        """What its response bodies look like."""
        form = FORMS[self.framing]
        return replace(form, headers=(("content-type", self.media_type),)) if self.media_type else form

    def target(self, request: Mapping[str, Any]) -> str:
        """The path and query to post ``request`` to."""
        return self.path.format(model=quote(str(request["model"]), safe=""))

    def body(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """What of ``request`` is posted."""
        in_path = "{model}" in self.path
        return {key: value for key, value in request.items() if not (in_path and key == "model")}
