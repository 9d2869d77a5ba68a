"""Which output item an event of the OpenAI Responses API is about, and what becomes of it.

An item is found by its output index, and by its id where that says nothing: servers change ids in mid-stream. Text and
reasoning of an item that never began open it, because dropping them would lose what the model said; input of a call
waits for the item to say whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore.dialects.openai import responses_schema as schema
from streamcore.dialects.openai.responses_calls import (
    CODE,
    CUSTOM,
    FUNCTION,
    PATCH,
    STREAMED,
    abandon_call,
    end_call,
    input_delta,
    start_call,
    whole_input,
)
from streamcore.dialects.openai.responses_state import ItemState, read_index
from streamcore.dialects.openai.responses_text import (
    begin_summary,
    end_message,
    end_reasoning,
    end_summary,
    open_message,
    open_reasoning,
    raw_key,
    show_reasoning,
    show_text,
    summary_key,
    whole_reasoning,
    whole_text,
)
from streamcore.dialects.openai.responses_tools import IMAGE, abandon_tool, begin_tool, end_tool
from streamcore.dialects.schema import Mismatch, apart_from
from streamcore.dialects.typed import checked, excerpt, type_of
from streamcore.errors import ErrorKind
from streamcore.parts import Source, ToolResult
from streamcore.state import Frozen

if TYPE_CHECKING:
    from streamcore.dialects.openai.responses_state import Report
    from streamcore.parts import Metadata, Part

MESSAGE: Final = "message"
REASONING: Final = "reasoning"
IGNORED: Final = "item that was reported"

_DELTAS: Final = {
    "response.output_text.delta": MESSAGE,
    "response.output_text.done": MESSAGE,
    "response.refusal.delta": MESSAGE,
    "response.refusal.done": MESSAGE,
    "response.reasoning_summary_part.added": REASONING,
    "response.reasoning_summary_part.done": REASONING,
    "response.reasoning_summary_text.delta": REASONING,
    "response.reasoning_summary_text.done": REASONING,
    "response.reasoning_text.delta": REASONING,
    "response.reasoning_text.done": REASONING,
    "response.function_call_arguments.delta": FUNCTION,
    "response.function_call_arguments.done": FUNCTION,
    "response.custom_tool_call_input.delta": CUSTOM,
    "response.custom_tool_call_input.done": CUSTOM,
    "response.code_interpreter_call_code.delta": CODE,
    "response.code_interpreter_call_code.done": CODE,
    "response.apply_patch_call_operation_diff.delta": PATCH,
    "response.apply_patch_call_operation_diff.done": PATCH,
}
"""Event type -> the type of the item that it is about."""


# -- items ------------------------------------------------------------------------------------------------------------


def item_added(value: Any, report: Report, out: list[Part]) -> None:
    """``response.output_item.added``."""
    event = checked(schema.OUTPUT_ITEM, value, report, out)
    if event is None:
        return
    output = report.state.output
    kind = event["item"]["type"]
    index = read_index(event.get("output_index"))
    if index is None:
        report.lenient("index_missing", "an output item without a usable index", out)
        index = output.last_index + 1
    if kind not in schema.ADDED:
        report.warn("unknown_item", excerpt(kind))
        _begin(index, IGNORED, event["item"], report, out)
        return
    report.open(out)
    checked_event = checked(schema.ADDED[kind], value, report, out, schema.REPEATED.get(kind, ()))
    if checked_event is None:
        return
    wire = checked_event["item"]
    held = output.open.get(index)
    if held is not None and held.kind == kind and held.id is not None and held.id == wire.get("id"):
        report.lenient("item_repeated", f"the {kind} at index {index} begins again", out)
        return
    if index in output.done:
        report.lenient("index_reused", f"a second output item at index {index}", out)
    _begin(index, kind, wire, report, out)


def _begin(index: int, kind: str, wire: Any, report: Report, out: list[Part]) -> ItemState:
    """A new item at ``index``; what is there ends."""
    output = report.state.output
    if index in output.open:
        abandon(index, report, out)
    if len(output.open) >= report.limits.max_open_calls:
        report.fail(ErrorKind.TOOL_CALL_PROTOCOL, f"more than {len(output.open)} open items", out, fatal=True)
    item_id = wire.get("id")
    item = ItemState(kind, item_id if type(item_id) is str else None)
    output.put(index, item)
    if kind == MESSAGE:
        output.last_message = index
        item.phase = wire.get("phase")
        item.part_id = output.unused(item.id or f"item_{index}")
        open_message(item, report, out)
    elif kind == REASONING:
        item.encrypted = wire.get("encrypted_content")
        item.part_id = output.unused(item.id or f"item_{index}")
        open_reasoning(item, report, out)
    elif kind in STREAMED:
        start_call(item, wire, report, out)
    elif kind != IGNORED:
        begin_tool(item, wire, report, out)
    return item


def item_done(value: Any, report: Report, out: list[Part]) -> None:
    """``response.output_item.done``."""
    event = checked(schema.OUTPUT_ITEM, value, report, out)
    if event is None:
        return
    output = report.state.output
    kind = event["item"]["type"]
    index, item = _find(event.get("output_index"), event["item"].get("id"), report, out)
    if kind not in schema.DONE:
        if item is not None and item.kind == IGNORED:
            output.take(index)
        else:
            report.warn("unknown_item", excerpt(kind))
        return
    report.open(out)
    checked_event = checked(schema.DONE[kind], value, report, out, schema.REPEATED.get(kind, ()))
    if checked_event is None:
        return
    wire = checked_event["item"]
    complete = hash(repr(schema.said_by(event["item"]))), wire.get("id")
    if item is None and wire.get("id") is not None and output.done.get(index) == complete:
        report.lenient("item_repeated", f"the {kind} at index {index} is done again", out)
        return
    if item is None or item.kind != kind:
        report.lenient("item_added_missing", f"a {kind} is done that never began", out)
        begun, _ = apart_from(schema.REPEATED.get(kind, ()), schema.ADDED[kind], value)
        item = _begin(index, kind, begun["item"], report, out)
    output.take(index)
    output.done[index] = complete
    if kind == MESSAGE:
        end_message(item, wire, report, out)
    elif kind == REASONING:
        end_reasoning(item, wire, report, out)
    elif kind in STREAMED:
        end_call(item, wire, report, out)
    else:
        end_tool(item, wire, report, out)


def _find(index: Any, item_id: Any, report: Report, out: list[Part]) -> tuple[int, ItemState | None]:
    """The open item that an event is about, and its index; with no item, the index that it would have."""
    output = report.state.output
    at = read_index(index)
    item = None if at is None else output.open.get(at)
    if item is None and type(item_id) is str and item_id in output.by_id:
        at = output.by_id[item_id]
        item = output.open[at]
    elif item is not None and type(item_id) is str and item_id != item.id and not item.renamed:
        item.renamed = True
        report.lenient("item_id_changed", f"item {item.id!r} goes on as {excerpt(item_id)!r}", out)
    return output.last_index + 1 if at is None else at, item


def abandon(index: int, report: Report, out: list[Part]) -> None:
    """Ends the item at ``index``, which is not done. No call comes of it."""
    item = report.state.output.take(index)
    if item.kind == IGNORED:
        return
    visible = item.started or item.open
    if visible and not item.called:
        report.lenient("item_not_done", f"the {item.kind} at index {index} is not done", out)
    if item.kind == MESSAGE:
        end_message(item, None, report, out)
    elif item.kind == REASONING:
        end_reasoning(item, None, report, out)
    elif item.kind in STREAMED:
        abandon_call(item, report, out)
    else:
        abandon_tool(item, out)


# -- events about one item --------------------------------------------------------------------------------------------


def item_event(kind: str, value: Any, report: Report, out: list[Part]) -> None:
    """An event of one of :data:`openai_responses_schema.ITEM_EVENTS`."""
    if kind == "response.output_text.annotation.added":
        _annotation(value, report, out)
        return
    if kind in schema.CONFIRMATIONS:
        try:
            event = schema.ITEM_EVENTS[kind](value)
        except Mismatch as mismatch:
            report.lenient("unreadable_detail", f"{kind}: {mismatch}", out)
            return
    else:
        event = checked(schema.ITEM_EVENTS[kind], value, report, out)
    if event is None:
        return
    report.open(out)
    if kind == "response.image_generation_call.partial_image":
        result = {"result": event["partial_image_b64"]}
        out.append(ToolResult(event.get("item_id") or "", IMAGE, result, preliminary=True))
        return
    wanted = _DELTAS[kind]
    index, item = _find(event.get("output_index"), event.get("item_id"), report, out)
    if item is None:
        item = _implied(index, wanted, event, report, out)
    if item.kind == IGNORED:
        return
    if item.kind != wanted:
        report.fail(ErrorKind.INVALID_PAYLOAD, f"a {kind} in a {item.kind}", out, payload=value)
    elif wanted == MESSAGE:
        _message_event(kind, item, event, report, out)
    elif wanted == REASONING:
        _reasoning_event(kind, item, event, report, out)
    elif "delta" in event:
        input_delta(item, event["delta"], report, out)
    else:
        whole_input(item, event[STREAMED[wanted]], report, out)


def _implied(index: int, kind: str, event: Any, report: Report, out: list[Part]) -> ItemState:
    """The item of an event whose item never began."""
    report.lenient("item_added_missing", f"an event of a {kind} that never began", out)
    wire = {"id": event.get("item_id")}
    if kind not in STREAMED:
        return _begin(index, kind, wire, report, out)
    item = _begin(index, IGNORED, wire, report, out)
    item.kind = kind
    return item


def _message_event(kind: str, item: ItemState, event: Any, report: Report, out: list[Part]) -> None:
    key = read_index(event.get("content_index")) or 0
    match kind:
        case "response.output_text.delta" | "response.refusal.delta":
            show_text(item, key, event["delta"], report, out, refusal=kind == "response.refusal.delta")
        case "response.output_text.done":
            whole_text(item, key, event["text"], report, out, refusal=False)
        case _:
            whole_text(item, key, event["refusal"], report, out, refusal=True)


def _reasoning_event(kind: str, item: ItemState, event: Any, report: Report, out: list[Part]) -> None:
    summary = read_index(event.get("summary_index")) or 0
    raw = raw_key(read_index(event.get("content_index")) or 0)
    match kind:
        case "response.reasoning_summary_text.delta":
            show_reasoning(item, summary_key(summary), event["delta"], report, out)
        case "response.reasoning_summary_text.done":
            whole_reasoning(item, summary_key(summary), event["text"], report, out)
        case "response.reasoning_summary_part.added":
            begin_summary(item, summary, report, out)
        case "response.reasoning_summary_part.done":
            end_summary(item, summary, report, out)
        case "response.reasoning_text.delta":
            show_reasoning(item, raw, event["delta"], report, out)
        case _:
            whole_reasoning(item, raw, event["text"], report, out)


def _annotation(value: Any, report: Report, out: list[Part]) -> None:
    kind = type_of(value.get("annotation"))
    if kind is not None and kind not in schema.ANNOTATIONS:
        report.warn("unknown_annotation", excerpt(kind))
        return
    event = checked(schema.ITEM_EVENTS["response.output_text.annotation.added"], value, report, out)
    if event is None:
        return
    report.open(out)
    output = report.state.output
    annotation = event["annotation"]
    _, item = _find(event.get("output_index"), event.get("item_id"), report, out)
    item = item or output.open.get(output.last_message)
    if item is not None:
        item.annotations.append(Frozen(annotation))
    source = _source(annotation, report)
    source.id = f"source_gen_{output.sources}"
    output.sources += 1
    out.append(source)


_SOURCE_FIELDS: Final = {
    "file_citation": (("fileId", "file_id"), ("index", "index")),
    "container_file_citation": (("fileId", "file_id"), ("containerId", "container_id")),
    "file_path": (("fileId", "file_id"), ("index", "index")),
}


def _source(annotation: Any, report: Report) -> Source:
    """What an annotation points at; the id is for the caller to set."""
    kind = annotation["type"]
    if kind == "url_citation":
        return Source("url", "", annotation["url"], annotation.get("title"))
    fields = {name: annotation[key] for name, key in _SOURCE_FIELDS[kind] if key in annotation}
    metadata: Metadata = {report.provider: {"type": kind, **fields}}
    binary = kind == "file_path"
    title = annotation["file_id"] if binary else annotation.get("filename")
    media_type = "application/octet-stream" if binary else "text/plain"
    return Source("document", "", None, title, media_type, title, metadata)
