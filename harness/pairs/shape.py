"""The shape of an answer: what two answers of a model that answers differently each time still have in common.

The same kinds of blocks in the same order, the same members in them, the same tools called, their arguments as valid to
the schema that the request declares, the same finish reason, the same kinds of token counts. How many tokens were
reasoning or came from a cache may differ, as may whether there were any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.canonical import canonical
from harness.tool_schemas import check_calls

if TYPE_CHECKING:
    from harness.case import Case
    from harness.pairs.answer import Answer, Block


def shape_of(told: Answer, case: Case) -> Answer:
    """An answer with the names of things in place of what a model makes up anew each time."""
    return {
        **{name: _kind(told[name]) for name in ("id", "model", "created")},
        "choices": [
            {"blocks": [_block(block, case) for block in one["blocks"]], "finish": one["finish"]}
            for one in told["choices"]
        ],
        "usage": {name: _kind(count) for name, count in told["usage"].items() if name in ("input", "output")},
    }


def _kind(value: Any) -> str | None:
    return None if value is None else "a number" if isinstance(value, int | float) else "a text"


def _block(block: Block, case: Case) -> Block:
    kinds = {name: _kind(value) for name, value in block.items() if name not in ("type", "name", "arguments")}
    if block["type"] != "tool":
        return {"type": block["type"], **kinds}
    arguments = block["arguments"]
    text = arguments if isinstance(arguments, str) else canonical(arguments)
    part = {"type": "tool-call", "toolCallId": "", "toolName": block["name"] or "", "input": text}
    (check,) = check_calls(case, [part])
    return {"type": "tool", **kinds, "name": block["name"], "arguments": str(check.verdict)}
