"""What the recordings that ``corpus pull`` fetches taught the harness: each shape here was seen in one of them."""

from __future__ import annotations

import json

from harness.case import Case
from harness.native.bedrock import PROJECTIONS as BEDROCK
from harness.native.completions import of_native
from harness.references import references_for


def test_a_last_completion_chunk_may_lack_its_index() -> None:
    chunks = [
        {"choices": [{"index": 0, "text": "In"}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}]},
    ]
    (choice,) = of_native({"chunks": chunks})["choices"]
    assert choice == {"text": "In", "finish_reason": "stop"}


def test_bedrock_passes_on_the_chunks_of_openai_models() -> None:
    chunks = [
        {"choices": [{"delta": {"content": "", "role": "assistant"}, "finish_reason": None, "index": 0}]},
        {"choices": [{"delta": {"content": "1, "}, "finish_reason": None, "index": 0}]},
        {"choices": [{"delta": {"content": "2"}, "finish_reason": None, "index": 0}]},
        {"choices": [{"delta": {}, "finish_reason": "stop", "index": 0}]},
        {"choices": [], "amazon-bedrock-invocationMetrics": {"inputTokenCount": 12, "outputTokenCount": 17}},
    ]
    _, of_sdk = BEDROCK["bedrock.invoke.sdk"]
    assert of_sdk({"events": chunks}) == {
        "blocks": [{"choice": 0, "text": "1, 2"}],
        "stop_reason": "stop",
        "input_tokens": 12,
        "output_tokens": 17,
    }


def test_several_choices_of_a_compatible_server_have_no_trace_to_compare_with() -> None:
    def body(*indices: int) -> bytes:
        return b"".join(b"data: %b\n\n" % json.dumps({"choices": [{"index": index}]}).encode() for index in indices)

    for indices, wanted in (((0, 0), ["ai.compat", "sse"]), ((0, 1), ["sse"])):
        assert [item.name for item in references_for(Case("writer/x", "writer", body(*indices)))] == wanted
