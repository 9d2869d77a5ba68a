"""Messages and reasoning of the OpenAI Responses API (API reference, "Streaming events").

The text of a message item is one block, whatever content parts it has; reasoning has a block for each part of its
summary. A block's ``done`` event says its whole text again: what of it did not come as a delta is shown then, and a
text that contradicts the deltas is reported. Of what was said only length and checksum are kept.

Raw reasoning (``reasoning_text``: open models show it, behind servers that speak this API) is shown as reasoning is. A
refusal is text whose metadata says that it is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from streamcore.parts import ReasoningDelta, ReasoningEnd, ReasoningStart, TextDelta, TextEnd, TextStart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamcore.dialects.openai.responses_state import ItemState, Report, Spoken
    from streamcore.parts import Metadata, Part

def summary_key(index: int) -> int:
    """The key of a part of the summary."""
    return index


def raw_key(index: int) -> int:
    """The key of a part of the raw reasoning."""
    return -1 - index


def spoken(said: Spoken, text: str) -> Spoken:
    """``said`` with ``text`` behind it."""
    data = text.encode("utf-16-le", "surrogatepass")
    return said[0] + len(data), crc32(data, said[1])


def unsaid(said: Spoken, text: str) -> str | None:
    """What follows ``said`` in ``text``; None if ``text`` does not begin with it."""
    data = text.encode("utf-16-le", "surrogatepass")
    if said[0] > len(data) or crc32(data[: said[0]]) != said[1]:
        return None
    return data[said[0] :].decode("utf-16-le", "surrogatepass")


SILENT: Final = (0, 0)


def _rest(item: ItemState, key: int, text: str, report: Report, out: list[Part]) -> str | None:
    """What of the whole ``text`` is still to be shown; None, with that reported, if it contradicts what was."""
    rest = unsaid(item.said.get(key, SILENT), text)
    item.said[key] = spoken(SILENT, text)
    if rest is None:
        report.lenient("snapshot_mismatch", f"the whole {item.kind} is not what its deltas said", out)
    elif rest:
        report.lenient("delta_missing", f"{len(rest)} characters of the {item.kind} did not come as deltas", out)
    return rest


def _keys(said: list[int], count: int) -> list[int]:
    """Under which key each of the ``count`` parts of a complete item was said.

    Servers number parts from 1, or number those of all items: then it is by order, or what was said would be said again.
    """
    return list(range(count)) if all(key < count for key in said) else [*said, *range(said[-1] + 1, said[-1] + count)]


# -- messages ---------------------------------------------------------------------------------------------------------


def open_message(item: ItemState, report: Report, out: list[Part]) -> None:
    """``text-start``."""
    item.started = True
    out.append(TextStart(item.part_id, _of_message(item, report)))


def _of_message(item: ItemState, report: Report, **more: Any) -> Metadata:
    fields: dict[str, Any] = {"itemId": item.id}
    if item.phase is not None:
        fields["phase"] = item.phase
    return {report.provider: fields | more}


def show_text(item: ItemState, key: int, text: str, report: Report, out: list[Part], *, refusal: bool) -> None:
    """A delta of content part ``key``."""
    item.said[key] = spoken(item.said.get(key, SILENT), text)
    _text(item, text, report, out, refusal=refusal)


def _text(item: ItemState, text: str, report: Report, out: list[Part], *, refusal: bool) -> None:
    report.state.refused = report.state.refused or refusal
    out.append(TextDelta(item.part_id, text, {report.provider: {"refusal": True}} if refusal else None))


def whole_text(item: ItemState, key: int, text: str, report: Report, out: list[Part], *, refusal: bool) -> bool:
    """Content part ``key`` was said as a whole. False if that contradicts its deltas."""
    rest = _rest(item, key, text, report, out)
    if rest:
        _text(item, rest, report, out, refusal=refusal)
    return rest is not None


_TEXT_OF: Final = {"output_text": "text", "refusal": "refusal"}
"""Content part type -> the member that holds its text."""


def end_message(item: ItemState, wire: Mapping[str, Any] | None, report: Report, out: list[Part]) -> None:
    """``text-end``; ``wire`` is the complete item, None if it did not come."""
    if wire is not None:
        parts = [part for part in wire.get("content") or () if part["type"] in _TEXT_OF]
        for key, part in zip(_keys(sorted(item.said), len(parts)), parts, strict=False):
            text = part[_TEXT_OF[part["type"]]]
            if not whole_text(item, key, text, report, out, refusal=part["type"] == "refusal"):
                break  # what follows may have been said in another place
        item.phase = wire.get("phase") or item.phase
    annotations = [annotation.value for annotation in item.annotations]
    more = {"annotations": annotations} if annotations else {}
    out.append(TextEnd(item.part_id, _of_message(item, report, **more)))


# -- reasoning --------------------------------------------------------------------------------------------------------


def open_reasoning(item: ItemState, report: Report, out: list[Part]) -> None:
    """The item begins: its first block opens, before anybody knows what will be in it."""
    _open_block(item, f"{item.part_id}:0", report, out)


def _open_block(item: ItemState, block: str, report: Report, out: list[Part]) -> None:
    item.open[block] = False
    out.append(ReasoningStart(block, _sealed(item, item.encrypted, report)))


def _sealed(item: ItemState, encrypted: str | None, report: Report) -> Metadata:
    return {report.provider: {"itemId": item.id, "reasoningEncryptedContent": encrypted}}


def show_reasoning(item: ItemState, key: int, text: str, report: Report, out: list[Part]) -> None:
    """A delta of the part ``key``."""
    item.said[key] = spoken(item.said.get(key, SILENT), text)
    _reasoning(item, key, text, report, out)


def _reasoning(item: ItemState, key: int, text: str, report: Report, out: list[Part]) -> None:
    block = item.blocks.get(key)
    if block is None or block not in item.open:
        block = _block(item, key, report, out)
    out.append(ReasoningDelta(block, text, {report.provider: {"itemId": item.id}}))


def _block(item: ItemState, key: int, report: Report, out: list[Part]) -> str:
    """The open block of a part that has none yet, or whose block has ended."""
    first = f"{item.part_id}:0"
    if not item.blocks and key in (summary_key(0), raw_key(0)) and first in item.open:
        item.blocks[key] = first
        return first
    if key in item.blocks or key > 0:
        report.lenient("block_start_missing", f"a piece of reasoning of {item.id!r} whose block is not open", out)
    block = f"{item.part_id}:{key}" if key > 0 else f"{item.part_id}:{'summary' if key == 0 else 'text'}:{max(0, ~key)}"
    item.blocks[key] = block = report.state.output.unused(block)
    _open_block(item, block, report, out)
    return block


def begin_summary(item: ItemState, index: int, report: Report, out: list[Part]) -> None:
    """A part of the summary begins. The first has the block that came with the item."""
    if index <= 0:
        return
    key = summary_key(index)
    if key in item.blocks:
        report.lenient("block_start_repeated", f"part {index} of the summary of {item.id!r} begins again", out)
        return
    for block in [block for block, done in item.open.items() if done]:
        del item.open[block]
        out.append(ReasoningEnd(block, {report.provider: {"itemId": item.id}}))
    item.blocks[key] = block = report.state.output.unused(f"{item.part_id}:{index}")
    _open_block(item, block, report, out)


def end_summary(item: ItemState, index: int, report: Report, out: list[Part]) -> None:
    """A part of the summary is done; its block ends when the next part begins, or with the item."""
    block = item.blocks.get(summary_key(index), f"{item.part_id}:0" if index == 0 else "")
    if block in item.open:
        item.open[block] = True
    else:
        report.lenient("stop_without_start", f"part {index} of the summary of {item.id!r} is not open", out)


def whole_reasoning(item: ItemState, key: int, text: str, report: Report, out: list[Part]) -> bool:
    """The part ``key`` was said as a whole. False if that contradicts its deltas."""
    rest = _rest(item, key, text, report, out)
    if rest:
        _reasoning(item, key, rest, report, out)
    return rest is not None


def end_reasoning(item: ItemState, wire: Mapping[str, Any] | None, report: Report, out: list[Part]) -> None:
    """Every open block ends; ``wire`` is the complete item, None if it did not come."""
    encrypted = item.encrypted
    if wire is not None:
        encrypted = wire.get("encrypted_content")
        for member, kind, key_of in (("summary", "summary_text", summary_key), ("content", "reasoning_text", raw_key)):
            said = sorted(key_of(key) for key in item.said if key_of(key) >= 0)  # each is its own inverse
            parts = [part for part in wire.get(member) or () if part["type"] == kind]
            for key, part in zip(_keys(said, len(parts)), parts, strict=False):
                if not whole_reasoning(item, key_of(key), part["text"], report, out):
                    break
    out.extend(ReasoningEnd(block, _sealed(item, encrypted, report)) for block in item.open)
    item.open = {}
