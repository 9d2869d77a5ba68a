"""The second reference of ``openai-completions-legacy``: chunks and parts, written by hand, meet in one projection."""

from __future__ import annotations

from typing import Any

from harness.canonical import canonical
from harness.native import explain, project

USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def text(delta: str, **more: Any) -> dict[str, Any]:
    return {"type": "text-delta", "id": "0", "delta": delta, **more}


def finish(raw: str | None = "stop", usage: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "finish", "finishReason": {"unified": "stop", "raw": raw}, "usage": {"raw": usage}, **more}


def chunk(*choices: tuple[int, str, str | None], usage: Any = None) -> dict[str, Any]:
    wire = [{"index": index, "text": said, "finish_reason": reason} for index, said, reason in choices]
    return {"choices": wire, "usage": usage}


def projected(parts: list[dict[str, Any]], *chunks: dict[str, Any]) -> tuple[Any, Any]:
    return project("openai.completion", parts, {"end": "ok", "final": {"chunks": [*chunks]}})


def test_text_finish_and_usage() -> None:
    parts = [{"type": "text-start", "id": "0"}, text("Hel"), text("lo"), finish(usage=USAGE)]
    chunks = [chunk((0, "Hel", None)), chunk((0, "lo", "stop"), usage={}), chunk(usage=USAGE), chunk()]

    expected, actual = projected(parts, *chunks)

    assert canonical(expected) == canonical(actual)
    assert actual == {"choices": [{"text": "Hello", "finish_reason": "stop"}], "usage": USAGE}


def test_several_choices() -> None:
    parts = [text("b", choice=1), text("a"), finish("length", choice=1), finish()]

    expected, actual = projected(parts, chunk((1, "b", None), (0, "a", "stop")), chunk((1, "", "length")))

    assert canonical(expected) == canonical(actual)
    assert [choice["finish_reason"] for choice in actual["choices"]] == ["stop", "length"]


def test_a_stream_that_was_cut_has_no_finish_on_either_side() -> None:
    cut = {"type": "error", "kind": "incomplete_stream", "stage": "close"}
    expected, actual = projected([{"type": "text-start", "id": "0"}, text("a"), cut], chunk((0, "a", None)))

    assert canonical(expected) == canonical(actual)
    assert actual["choices"] == [{"text": "a", "finish_reason": None}]


def test_lost_text_is_told() -> None:
    expected, actual = projected([text("a"), finish()], chunk((0, "ab", "stop")))

    assert canonical(expected) != canonical(actual)
    assert "ab" in explain(expected, actual)
