"""Tool calls whose input streams in the OpenAI Responses API (API reference, "Streaming events").

Function and custom tool calls, the code of the code interpreter, and the diff of a patch. The latter two are one string
inside the input that the parts show: it is escaped piece by piece, between what is known from the start and what closes
it.

A call is complete when its item is done, and at no other time (V12): what happened to arrive before a stream ended is
not executed. Input that came as a whole and in deltas that contradict it, or in an item that says that it is
incomplete, marks the call invalid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streamcore import jsontext
from streamcore.dialects.openai.responses_text import SILENT, spoken, unsaid
from streamcore.errors import ErrorKind
from streamcore.parts import ToolCall, ToolInputDelta, ToolInputEnd, ToolInputStart, ToolResult
from streamcore.state import Frozen
from streamcore.toolcalls import check_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcore.dialects.openai.responses_state import ItemState, Report
    from streamcore.parts import Metadata, Part

FUNCTION: Final = "function_call"
CUSTOM: Final = "custom_tool_call"
CODE: Final = "code_interpreter_call"
PATCH: Final = "apply_patch_call"

STREAMED: Final = {FUNCTION: "arguments", CUSTOM: "input", CODE: "code", PATCH: "diff"}
"""Item type -> the member that streams."""

_CLOSING: Final = {CODE: '"}', PATCH: '"}}'}
"""What follows the streamed string, where it is a string within the input."""


def _escaped(text: str) -> str:
    return jsontext.string_text(text)[1:-1]


def _piece(item: ItemState, text: str) -> str:
    return _escaped(text) if item.kind in _CLOSING else text


def start_call(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    """The item begins; a function whose name is not known yet is shown when it is."""
    item.extra = Frozen(wire)
    if item.kind == CODE:
        _start(item, "code_interpreter", wire.get("id"), f'{{"containerId":"{_escaped(wire["container_id"])}","code":"',
               report, out)  # fmt: skip
    elif item.kind == PATCH:
        _start_patch(item, wire, report, out)
    else:
        name = wire.get("name")
        if name and name != "null":
            _start(item, name, wire.get("call_id"), "", report, out)


def _start_patch(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    operation = wire["operation"]
    call_id = wire.get("call_id") or ""
    if operation["type"] == "delete_file":
        _start(item, "apply_patch", call_id, _patch(call_id, operation, ""), report, out)
        item.settled = True
        _close(item, None, out)
    else:
        _start(item, "apply_patch", call_id, _patch(call_id, operation, "").removesuffix(_CLOSING[PATCH]), report, out)


def _patch(call_id: str, operation: Mapping[str, Any], diff: str) -> str:
    value = {"type": operation["type"], "path": operation["path"]}
    if "diff" in operation:
        value["diff"] = diff
    return jsontext.stringify({"callId": call_id, "operation": value})


def _start(item: ItemState, name: str, call_id: str | None, head: str, report: Report, out: list[Part]) -> None:
    item.started = True
    item.name = name
    item.part_id = report.state.output.call_ids.give(call_id, name, report, out)
    out.append(ToolInputStart(item.part_id, name, True if item.kind == CODE else None))
    if head:
        out.append(ToolInputDelta(item.part_id, head))
    if item.log.length:  # it came before the name, or before the item
        out.append(ToolInputDelta(item.part_id, _piece(item, item.log.text())))


def input_delta(item: ItemState, text: str, report: Report, out: list[Part]) -> None:
    """More of the input."""
    if item.settled:
        report.lenient("data_after_end", f"input of {item.name!r} after all of it was said", out)
        return
    if item.log.length + len(text) > report.limits.max_arguments_chars:
        detail = f"the input of {item.name!r} passes {report.limits.max_arguments_chars} characters"
        report.fail(ErrorKind.EVENT_TOO_LARGE, detail, out, fatal=True)
    item.log = item.log.append(text)
    if item.started:
        out.append(ToolInputDelta(item.part_id, _piece(item, text)))


def whole_input(item: ItemState, text: str, report: Report, out: list[Part]) -> None:
    """The input was said as a whole."""
    said = item.log.text()
    rest = unsaid(spoken(SILENT, said), text)
    if rest != "":
        if item.settled or rest is None:
            report.lenient("snapshot_mismatch", f"the whole input of {item.name!r} is not what came before", out)
            item.contradicted = item.contradicted or not _same_value(said, text)
        elif not said and item.kind not in _CLOSING:
            item.log = item.log.append(text)  # the reference shows it with the call alone
        else:
            if said:
                report.lenient("delta_missing", f"some input of {item.name!r} did not come as deltas", out)
            input_delta(item, rest, report, out)
    item.settled = True
    if item.started and not item.closed and item.kind in _CLOSING:
        out.append(ToolInputDelta(item.part_id, _CLOSING[item.kind]))
        _close(item, None, out)
        if item.kind == CODE and item.extra is not None:
            container = item.extra.value["container_id"]
            value = jsontext.stringify({"code": item.log.text(), "containerId": container})
            item.called = True
            out.append(ToolCall(item.part_id, item.name, value, True))


def _same_value(one: str, other: str) -> bool:
    """Whether two texts spell the same JSON value; servers write arguments anew."""
    try:
        return bool(one) and jsontext.stringify(_value(one)) == jsontext.stringify(_value(other))
    except jsontext.JsonTextError:
        return False


def _value(text: str) -> Any:
    return jsontext.loads(jsontext.utf8(text))


def _close(item: ItemState, metadata: Metadata | None, out: list[Part]) -> None:
    item.closed = True
    out.append(ToolInputEnd(item.part_id, metadata))


def end_call(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    """The item is done."""
    if not item.started:
        start_call(item, wire, report, out)
        if not item.started:
            report.fail(ErrorKind.NAMELESS_CALL, f"the call {wire.get('call_id')!r} has no name", out, payload=wire)
            return
    elif item.kind in (FUNCTION, CUSTOM):
        _check_identity(item, wire, report, out)
    whole = wire["operation"].get("diff") if item.kind == PATCH else wire.get(STREAMED[item.kind])
    if item.kind in _CLOSING and not item.closed:
        whole_input(item, whole or "", report, out)
    elif whole is not None:
        whole_input(item, whole, report, out)
    if item.kind == CODE:
        out.append(ToolResult(item.part_id, item.name, {"outputs": wire["outputs"]} if "outputs" in wire else {}))
    elif item.kind == PATCH:
        _end_patch(item, wire, report, out)
    else:
        _end_function(item, wire, report, out)


def _check_identity(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    begun = item.extra.value if item.extra else {}
    for member, code in (("name", "name_changed"), ("call_id", "id_changed")):
        if wire.get(member) and wire[member] != begun.get(member):
            detail = f"the call of {item.name!r} ends with the {member} {wire[member]!r}"
            report.lenient(code, detail, out, ErrorKind.TOOL_CALL_PROTOCOL)


def _end_patch(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    begun = item.extra.value if item.extra else wire
    for member in ("type", "path"):
        if wire["operation"][member] != begun["operation"][member]:
            report.lenient("snapshot_mismatch", f"the patch ends with another {member}", out)
            item.contradicted = True
    if wire.get("status") == "completed":
        report.state.output.client_calls = True
        text = _patch(begun.get("call_id") or "", begun["operation"], item.log.text())
        metadata: Metadata = {report.provider: _item_id(item, wire)}
        out.append(ToolCall(item.part_id, item.name, text, metadata=metadata, invalid=item.contradicted))


def _item_id(item: ItemState, wire: Mapping[str, Any]) -> dict[str, Any]:
    item_id = wire.get("id") or item.id
    return {"itemId": item_id} if item_id is not None else {}


def _end_function(item: ItemState, wire: Mapping[str, Any], report: Report, out: list[Part]) -> None:
    report.state.output.client_calls = True
    text = item.log.text()
    fields = _item_id(item, wire)
    begun = item.extra.value if item.extra else {}
    asynchronous = begun.get("async") if wire.get("async") is None else wire["async"]
    if asynchronous is not None:
        fields["async"] = asynchronous
    namespace = wire.get("namespace")
    if namespace is not None:
        fields["namespace"] = namespace
    _close(item, {report.provider: {"namespace": namespace}} if namespace is not None else None, out)
    invalid = item.contradicted
    if wire.get("status") == "incomplete":
        report.lenient("call_incomplete", f"the call of {item.name!r} says that it is incomplete", out)
        invalid = True
    elif item.kind == FUNCTION:
        invalid = not check_arguments(item.name, text, report, out) or invalid
    if item.kind == CUSTOM:
        text = jsontext.string_text(text)
    out.append(ToolCall(item.part_id, item.name, text, metadata={report.provider: fields}, invalid=invalid))


def abandon_call(item: ItemState, report: Report, out: list[Part]) -> None:
    """The stream ends, or another item takes this one's place: no call comes of it."""
    if not item.started:
        report.fail(ErrorKind.NAMELESS_CALL, f"input of a {item.kind} that never began", out)
    elif not item.closed:
        _close(item, None, out)
