"""``anthropic-complete-legacy``: the parts of its streams, and what departs from them."""

from __future__ import annotations

from typing import Any

import pytest

from .torture import check_cuts, check_mutations
from .wire import DONE, NO_USAGE, START, Json, decode_every_way, err, event, size, t_delta, t_end, t_start

DIALECT = "anthropic-complete-legacy"
HEAD: list[Json] = [START, {"type": "response-metadata", "id": "compl_1", "modelId": "claude-2.1"}]
PING = event({"type": "ping"}, "ping")


def piece(text: Any, reason: str | None = None, stop: str | None = None, **more: Any) -> bytes:
    """One ``completion`` event."""
    value = {"type": "completion", "id": "compl_1", "completion": text, "stop_reason": reason, "model": "claude-2.1"}
    return event({**value, "stop": stop, **more}, "completion")


def fin(unified: str, raw: str, stop: str | None = None) -> Json:
    metadata = {"anthropic": {"stopSequence": stop}}
    reason = {"unified": unified, "raw": raw}
    return {"type": "finish", "finishReason": reason, "usage": NO_USAGE, "providerMetadata": metadata}


BODY = piece(" Hi") + PING + piece(" th\u00e9re") + piece("", "stop_sequence", "\n\nHuman:")


def test_a_completion() -> None:
    decoded = decode_every_way(BODY, DIALECT)
    end = fin("stop", "stop_sequence", "\n\nHuman:")
    assert decoded.parts == [*HEAD, t_start(), t_delta(" Hi"), t_delta(" th\u00e9re"), t_end(), end]
    assert decoded.warnings == []
    assert decoded.message.complete


@pytest.mark.parametrize(("reason", "unified"), [("max_tokens", "length"), ("stop_sequence", "stop"), ("new", "other")])
def test_stop_reasons(reason: str, unified: str) -> None:
    decoded = decode_every_way(piece("x", reason), DIALECT)
    assert decoded.parts[2:] == [t_start(), t_delta("x"), t_end(), fin(unified, reason)]
    assert decoded.codes == (["unknown_stop_reason"] if reason == "new" else [])


def test_no_text_at_all() -> None:
    assert decode_every_way(piece("", "stop_sequence"), DIALECT).parts == [*HEAD, fin("stop", "stop_sequence")]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (event({"type": "error", "error": {"type": "overloaded_error"}}, "error"), {"type": "overloaded_error"}),
        (event({"error": {"message": "no"}}), {"message": "no"}),
        (event({"message": "no"}, "error"), {"message": "no"}),
        (event("Overloaded", "error"), "Overloaded"),
    ],
)
def test_errors(said: bytes, shown: Any) -> None:
    assert decode_every_way(said, DIALECT).parts == [err("provider", "open", len(said), shown)]
    body = piece("x") + said
    parts = decode_every_way(body, DIALECT).parts
    assert parts == [*HEAD, t_start(), t_delta("x"), err("provider", "stream", len(body), shown)]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (event({"x": 1}), "invalid_payload"),
        (event([1]), "invalid_payload"),
        (event("{"), "malformed_json"),
        (piece(None), "invalid_payload"),
        (piece("x", id=1), "invalid_payload"),
    ],
)
def test_failures(said: bytes, kind: str) -> None:
    decoded = decode_every_way(said + piece("y", "max_tokens"), DIALECT)
    assert decoded.parts[1]["kind"] == kind
    assert decoded.parts[2:] == [HEAD[1], t_start(), t_delta("y"), t_end(), fin("length", "max_tokens")]
    strict = decode_every_way(piece("x") + said, DIALECT, policy="strict")
    assert (strict.parts[-1]["kind"], strict.parts[-1]["offset"]) == (kind, size(piece("x"), said))


def test_the_unknown_the_foreign_and_the_late() -> None:
    body = event({"type": "new"}) + DONE + piece("x", "max_tokens") + DONE + piece("y")
    decoded = decode_every_way(body, DIALECT)
    assert decoded.message.text == "x"
    assert decoded.codes == ["unknown_event", "done_marker", "data_after_end"]


def test_cut_and_mutated_bytes() -> None:
    check_cuts(BODY, DIALECT)
    check_mutations(BODY, DIALECT)
    assert decode_every_way(piece("x"), DIALECT).parts[-1] == err("incomplete_stream", "close", len(piece("x")))
