"""How a response of the OpenAI Responses API ended (API reference, "Responses", the response object)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore.dialects.openai import responses_schema as schema
from streamcore.dialects.timestamps import iso_timestamp
from streamcore.dialects.typed import type_of
from streamcore.parts import Finish, FinishUnified, ResponseMetadata, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcore.dialects.openai.responses_state import Report
    from streamcore.parts import Part

_REASONS: Final[dict[str, FinishUnified]] = {"max_output_tokens": "length", "content_filter": "content-filter"}


def metadata_of(response: Mapping[str, Any]) -> ResponseMetadata:
    """The ``response-metadata`` part."""
    return ResponseMetadata(response.get("id"), response.get("model"), iso_timestamp(response.get("created_at")))


def finish(kind: str, response: Mapping[str, Any], report: Report) -> Finish:
    """The ``finish`` part for the response of an event of type ``kind``."""
    state = report.state
    reason = (response.get("incomplete_details") or {}).get("reason")
    calls = state.output.client_calls
    unified: FinishUnified
    if kind == "response.failed":
        unified, raw = (_unified(reason, calls, report), reason) if reason is not None else ("error", "error")
    elif state.erred is not None:
        unified, raw = "error", state.erred[0]
    else:
        raw = reason
        if reason is not None:
            unified = _unified(reason, calls, report)
        elif kind == "response.incomplete":
            unified = "other"
            report.warn("unknown_finish_reason", "incomplete, without a reason")
        else:
            unified = "tool-calls" if calls else "stop"
        if state.refused and unified == "stop":
            unified = "content-filter"
    metadata: dict[str, Any] = {"responseId": state.response[0] if state.response else None}
    if response.get("service_tier") is not None and kind != "response.failed":
        metadata["serviceTier"] = response["service_tier"]
    context = (response.get("reasoning") or {}).get("context")
    if context is not None:
        metadata["reasoningContext"] = context
    return Finish(unified, raw, usage_of(response.get("usage")), {report.provider: metadata})


def _unified(reason: str, calls: bool, report: Report) -> FinishUnified:
    if reason in _REASONS:
        return _REASONS[reason]
    report.warn("unknown_finish_reason", reason[:60])
    return "tool-calls" if calls else "other"


def usage_of(wire: Mapping[str, Any] | None) -> Usage:
    """The usage of a response in the unified spelling; cached and reasoning tokens are part of the totals."""
    if wire is None:
        return Usage()
    inputs, outputs = wire["input_tokens"], wire["output_tokens"]
    details = wire.get("input_tokens_details") or {}
    cached = details.get("cached_tokens") or 0
    written = details.get("cache_write_tokens")
    reasoning = (wire.get("output_tokens_details") or {}).get("reasoning_tokens") or 0
    return Usage(
        input_total=inputs,
        input_no_cache=inputs - cached - (written or 0),
        input_cache_read=cached,
        input_cache_write=written,
        output_total=outputs,
        output_text=outputs - reasoning,
        output_reasoning=reasoning,
        raw=dict(wire),
    )


def check_output(output: Any, report: Report, out: list[Part]) -> None:
    """Compares the response's own ``output`` with the items that were streamed."""
    done = report.state.output.done
    if type(output) is not list:
        return
    for index, item in enumerate(output):
        said = schema.said_by(item)
        if said is not None and index in done and hash(repr(said)) != done[index][0]:
            report.lenient("snapshot_mismatch", f"output item {index} is not what was streamed", out)
    known = sum(type_of(item) in schema.DONE for item in output)  # the others were warned about
    if known != len(done):
        report.lenient("snapshot_mismatch", f"{len(done)} output items were streamed, the response has {known}", out)
