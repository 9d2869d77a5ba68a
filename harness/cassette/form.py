"""The YAML document that a cassette is written as."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.cassette.yaml_text import Flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.cassette.model import Cassette, Headers


def document_of(cassette: Cassette, form: Callable[[bytes], str | bytes]) -> dict[str, Any]:
    """What :func:`harness.cassette.loads` reads as the same cassette; ``form`` is how a body is spelt.

    Members that say nothing (no hazard, no twin) are left out, so that older programs read all they can.
    """
    recorded = cassette.recorded
    return {
        "version": 1,
        "recorded": {
            **{name: getattr(recorded, name) for name in recorded.__slots__ if name not in ("redactions", "hazard")},
            **({"hazard": recorded.hazard} if recorded.hazard else {}),
            "redactions": [{"where": r.where, "what": r.what, "count": r.count} for r in recorded.redactions],
        },
        "interactions": [
            {
                "request": {
                    "method": interaction.method,
                    "uri": interaction.uri,
                    "body": None if interaction.request_body is None else form(interaction.request_body),
                    "headers": _lists(interaction.request_headers),
                },
                "response": {
                    "status": {"code": interaction.status, "message": interaction.reason},
                    "headers": _lists(interaction.response_headers),
                    "body": {"string": form(interaction.body)},
                },
                "stream": {
                    "chunks": _flow(interaction.stream.chunks, interaction.body),
                    "at_ms": _flow(interaction.stream.at_ms, interaction.body),
                    "end": interaction.stream.end,
                    "sha256": interaction.sha256,
                },
                **({"twin": True} if interaction.twin else {}),
            }
            for interaction in cassette.interactions
        ],
    }


def _flow(values: tuple[float, ...], body: bytes) -> Flow | None:
    return Flow(values) if values or not body else None


def _lists(headers: Headers) -> dict[str, Flow]:
    lists: dict[str, Flow] = {}
    for name, value in headers:
        lists.setdefault(name, Flow()).append(value)
    return lists
