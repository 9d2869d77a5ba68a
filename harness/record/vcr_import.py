"""Cassettes that vcrpy itself has recorded, for users of requests, aiohttp, botocore and whatever else it patches.

vcrpy reads a body to its end before the client sees any of it: the bytes are exact, but where the chunks ended and when
they came is lost, and the cassette made here says so (``chunks: null``). Of a stream that breaks it keeps nothing.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cassette import Cassette, CassetteError, Redaction, parse_yaml, read_file
from harness.coding import CodingError, codings, is_encoded
from harness.record.keeping import Kept
from harness.record.transport import Recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.case import StreamEnd
    from harness.cassette import Headers

HINT = "give a file that vcrpy has recorded (version 1, its YAML or JSON serializer)"


def from_vcr(path: str | Path, dialect: str, scenario: str | None = None, *, provenance: str = "live") -> Cassette:
    """A cassette of everything in a file of vcrpy's, redacted as any other recording.

    ``scenario`` is the name of the file, if not given. A body that the recorded library had decoded before vcrpy saw it
    (aiohttp does) is kept decoded, without the header that says otherwise.

    Raises:
        CassetteError: the file cannot be read, or is no cassette of vcrpy.
        RecordError: it holds nothing, or nobody knows the dialect, or the name cannot be that of a cassette.
    """
    path = Path(path)
    document = parse_yaml(read_file(path), str(path))
    changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    if (
        not isinstance(document, dict)
        or document.get("version") != 1
        or not isinstance(document.get("interactions"), list)
    ):
        raise CassetteError(str(path), "top level", "is no cassette of vcrpy", HINT)
    kept = Kept(dialect, scenario or _as_slug(path.stem), provenance=provenance)
    notes: list[Redaction] = []
    for number, item in enumerate(document["interactions"]):
        try:
            kept.add(_recording(item, changed, notes))
        except CodingError as error:
            raise CassetteError(str(path), f"interactions[{number}]", str(error), "then import it again") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            what = f"is no interaction of vcrpy ({type(error).__name__}: {error})"
            raise CassetteError(str(path), f"interactions[{number}]", what, HINT) from error
    cassette = kept.cassette()
    recorded = cassette.recorded
    by = f"vcrpy, imported by {recorded.by}"
    return replace(cassette, recorded=replace(recorded, by=by, redactions=(*recorded.redactions, *notes)))


def _recording(item: Mapping[str, Any], changed: datetime, notes: list[Redaction]) -> Recording:
    request, response = item["request"], item["response"]
    body = _bytes(response["body"]["string"])
    headers = _pairs(response["headers"])
    if (applied := codings(headers)) and not is_encoded(body, applied):
        headers = tuple((name, value) for name, value in headers if name.lower() != "content-encoding")
        notes.append(Redaction("response.headers", "content-encoding dropped: the body was stored decoded", 1))
    at = item.get("recorded_at")
    return Recording(
        method=str(request["method"]),
        url=str(request["uri"]),
        request_headers=_pairs(request["headers"]),
        request_body=_bytes(request["body"]),
        status=int(response["status"]["code"]),
        reason=str(response["status"]["message"] or ""),
        response_headers=headers,
        body=body,
        chunks=(),
        at_ms=(),
        end=_end(headers, body),
        closed_by_client=False,
        at=datetime.fromisoformat(at).astimezone(UTC) if isinstance(at, str) else changed,
    )


def _end(headers: Headers, body: bytes) -> StreamEnd:
    # vcrpy keeps no broken stream; one that is shorter than its header says was cut by something that hid it.
    promised = next((value for name, value in headers if name.lower() == "content-length"), "")
    encoded = bool(codings(headers))
    return "cut" if promised.isdecimal() and not encoded and len(body) < int(promised) else "complete"


def _pairs(headers: Mapping[str, Any]) -> Headers:
    return tuple(
        (name, _text(value))
        for name, values in headers.items()
        for value in (values if isinstance(values, list) else [values])
    )


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, dict | list):  # what aiohttp was given as ``json=``, before aiohttp wrote it so
        value = json.dumps(value)
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def _as_slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._") or "imported"
