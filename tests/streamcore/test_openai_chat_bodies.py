"""Bodies that are no ``openai-chat`` stream, or not only one: empty, HTML, compressed, a bare JSON error."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .openai_chat_wire import HI, PLAIN
from .wire import (
    HEAD,
    START,
    decode,
    decode_every_way,
    err,
    fin,
    finish,
    size,
    t_delta,
    t_end,
    text,
)

# -- bodies that are something else ---------------------------------------------------------------------------------


def test_an_empty_body() -> None:
    """WH-113, V18."""
    for policy in ("lenient", "strict"):
        for body in (b"", b"\n\n", b": hello\n\n", b"\xef\xbb\xbf", b"event: x\n\n"):
            decoded = decode_every_way(body, policy=policy)
            assert decoded.parts == [START, err("incomplete_stream", "close", len(body))]


@pytest.mark.parametrize(
    ("body", "in_detail"),
    [
        (b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n", "<!DOCTYPE html>"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x49\x2c\x49\x04\x00", "(gzip data)"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"message":"denied"}', "denied"),
        (b'[{"error":1}]', "error"),
        (b"x" * 100_000, "xxx"),
        (b'{"error":null}', "error"),
    ],
    ids=["HTML", "gzip", "text", "JSON", "JSON list", "long", "JSON without error"],
)
def test_a_body_of_another_kind(body: bytes, in_detail: str) -> None:
    """WH-006."""
    for policy in ("lenient", "strict"):
        pieces: Callable[..., Any] = decode_every_way if len(body) < 1000 else decode
        decoded = pieces(body, policy=policy)

        assert decoded.parts == [err("not_an_event_stream", "open", len(body))]
        assert decoded.message.error is not None
        assert in_detail in decoded.message.error.detail
        assert len(decoded.message.error.detail) < 1000


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_a_bare_json_error_body(eol: str) -> None:
    body = json.dumps({"error": {"message": "no key", "code": 401}}, indent=1).replace("\n", eol).encode()
    for policy in ("lenient", "strict"):
        decoded = decode_every_way(body, policy=policy)
        assert decoded.parts == [err("provider", "open", len(body), {"message": "no key", "code": 401})]


def test_a_bare_json_error_behind_the_events() -> None:
    """WH-031."""
    body = text("hi") + b'{\n "error": {"code": 503, "message": "gone"}\n}\n'
    decoded = decode_every_way(body)

    error = err("provider", "stream", len(body), {"code": 503, "message": "gone"})
    assert decoded.parts == [*HEAD, *HI, error, t_end(), fin("error", None)]


def test_a_bare_json_error_between_the_events() -> None:
    frames = [text("hi"), b'{"error":{"code":503}}\n\n', text("!")]
    decoded = decode_every_way(b"".join(frames))

    error = err("provider", "stream", size(*frames), {"code": 503})
    assert decoded.parts == [*HEAD, *HI, t_delta("!"), error, t_end(), fin("error", None)]


def test_stray_text_is_reported() -> None:
    body = text("hi") + b"upstream reset\n" + finish("stop")
    decoded = decode_every_way(body)

    assert decoded.parts == PLAIN
    assert decoded.codes == ["stray_text", "missing_done"]
    assert decoded.warnings[0].detail == 'text outside any event: "upstream reset"'


def test_stray_text_before_an_unterminated_event_does_not_undo_it() -> None:
    body = b"noise\n" + text("hi")[:-2]
    decoded = decode_every_way(body)

    assert decoded.parts == [*HEAD, *HI, err("incomplete_stream", "close", len(body))]
    assert decoded.codes == ["unterminated_event", "stray_text"]
