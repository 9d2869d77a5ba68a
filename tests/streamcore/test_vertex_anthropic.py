"""``vertex-anthropic`` and ``gateway-anthropic``: Anthropic's messages under other names."""

from __future__ import annotations

import pytest

from . import anthropic_wire as anthropic
from .wire import decode, decode_every_way, err

VARIANTS = ["vertex-anthropic", "gateway-anthropic"]
BODY = anthropic.sse(
    anthropic.message_start(id="msg_vrtx_1"),
    {"type": "vertex_event", "vertex": 1},
    anthropic.PING,
    anthropic.start(0, "thinking", thinking="", signature=""),
    anthropic.thinking(0, "so"),
    anthropic.signature(0),
    anthropic.stop(0),
    anthropic.call_start(1),
    anthropic.arguments(1, '{"k":1}'),
    anthropic.stop(1),
    anthropic.message_delta("tool_use"),
    anthropic.MESSAGE_STOP,
)


@pytest.mark.parametrize("dialect", VARIANTS)
def test_the_same_bytes_give_the_same_parts(dialect: str) -> None:
    decoded = decode_every_way(BODY, dialect)

    assert decoded == decode(BODY, anthropic.DIALECT)
    assert [(call.id, call.input) for call in decoded.message.tool_calls] == [("t1", {"k": 1})]
    assert decoded.parts[-1]["providerMetadata"].keys() == {"anthropic"}


@pytest.mark.parametrize("dialect", VARIANTS)
def test_a_cut_is_a_cut(dialect: str) -> None:
    body = BODY[: -len(anthropic.sse(anthropic.MESSAGE_STOP))]

    assert decode_every_way(body, dialect).parts[-1] == err("incomplete_stream", "close", len(body))
