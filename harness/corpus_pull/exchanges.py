"""Exchanges out of other recorders' files: what was asked, and the bytes that were kept of the answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.yaml_lines import YamlError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.corpus_pull.archives import Member

Pairs = tuple[tuple[str, str], ...]

_MAY_STREAM = re.compile(
    rb"event-?stream|ndjson|stream\+json|streamGenerateContent|converse-stream|with-response-stream"
)
"""In a cassette in plain text that holds a stream; those of langchain are base64, and their headers masked."""


class UnreadableError(Exception):
    """A recorder's file that cannot be read; why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange of a recorder's file. ``number`` counts from 0; ``uri`` is empty where the recorder masked it.

    ``headers`` are the response's, without those whose value was masked.
    """

    number: int
    method: str
    uri: str
    request: Any
    """The request's body: what its JSON says, or None."""
    status: int
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, empty if there is none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def exchanges(member: Member) -> Iterator[Exchange]:
    """Every exchange in a file of recordings; those of a file without a stream may be left out.

    Raises:
        UnreadableError: it is no such file.
    """
    assert member.source is not None
    if member.source.kind == "vcrpy" and not _MAY_STREAM.search(member.data):
        return
    try:
        document = json.loads(member.data) if member.path.endswith(".json") else parse(member.data).value
        if member.source.kind == "vcrpy":
            pairs = [(item["request"], item["response"]) for item in document["interactions"]]
        else:
            pairs = list(zip(document["requests"], document["responses"], strict=True))
        found = [_exchange(number, request, response) for number, (request, response) in enumerate(pairs)]
    except YamlError as error:
        raise UnreadableError(error.at(member.path)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableError(
            f"{member.path}: no recording of the kind {member.source.kind} ({type(error).__name__}: {error})"
        ) from None
    yield from found


def _exchange(number: int, request: Mapping[str, Any], response: Mapping[str, Any]) -> Exchange:
    body = response["body"]["string"] if isinstance(response.get("body"), dict) else response.get("content")
    status = response["status"]["code"] if "status" in response else response["status_code"]
    uri = str(request["uri"])
    return Exchange(
        number=number,
        method=str(request["method"]),
        uri=uri if re.match(r"https?://", uri) else "",
        request=_json(request.get("body")),
        status=int(status),
        headers=_headers(response.get("headers") or {}),
        body=body if isinstance(body, bytes) else (body or "").encode("utf-8", "surrogatepass"),
    )


def _headers(headers: Mapping[str, Any]) -> Pairs:
    pairs = [
        (str(name), value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return tuple((name, value) for name, value in pairs if "REDACTED" not in value.upper())


def _json(body: Any) -> Any:
    if isinstance(body, dict | list):
        return body
    try:
        return json.loads(body)
    except (ValueError, TypeError):
        return None
