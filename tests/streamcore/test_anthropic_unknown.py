"""``anthropic-messages``: what a later version of the API may bring, and what its documentation allows to be null.

The unified reference refuses each of these events as a whole, and with it a call, a result or the stop reason.
"""

from __future__ import annotations

from typing import Any

import pytest

from streamcore import Decoder

from .anthropic_wire import (
    DIALECT,
    MESSAGE_STOP,
    anthropic,
    arguments,
    call_start,
    cite,
    message_delta,
    message_start,
    outcome,
    payload,
    result,
    sse,
    start,
    stop,
    text_start,
)
from .wire import Json, decode_every_way, i_delta, i_end, i_start, t_call, t_end


def decoded(*events: Json, reason: str = "end_turn", **ending: Any) -> Any:
    """What the events give, between a beginning and an end, under every chunking."""
    return decode_every_way(sse(message_start(), *events, message_delta(reason, **ending), MESSAGE_STOP), DIALECT)


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        (None, {}),
        ({"type": "direct"}, {"providerMetadata": anthropic(caller={"type": "direct"})}),
        (
            {"type": "code_execution_20300101", "tool_id": "srv", "new": 1},
            {"providerMetadata": anthropic(caller={"type": "code_execution_20300101", "toolId": "srv"})},
        ),
        ({"type": "agent"}, {"providerMetadata": anthropic(caller={"type": "agent"})}),
    ],
)
def test_whoever_calls_the_call_is_read(caller: Json | None, shown: Json) -> None:
    """The type of a caller has the date of a tool's version in it; null means that there is none (V5, V25)."""
    found = decoded(call_start(0, caller=caller), arguments(0, '{"a":1}'), stop(0), reason="tool_use")

    expected = [i_start("t0"), i_delta('{"a":1}', "t0"), i_end("t0"), t_call('{"a":1}', "t0", **shown)]
    assert payload(found) == expected
    assert found.parts[-1]["finishReason"] == {"unified": "tool-calls", "raw": "tool_use"}


NEW_SOURCE = {"type": "url", "url": "http://d"}
PAGE = {"type": "document", "title": None, "citations": None, "source": NEW_SOURCE}
FETCHED = {"type": "web_fetch_result", "url": "http://u", "retrieved_at": None, "content": PAGE}
FOUND = {"type": "web_search_result", "url": "http://u", "title": "t", "encrypted_content": "e"}
NEW = {"type": "brand_new", "a": [None, 1]}


@pytest.mark.parametrize(
    ("kind", "content", "name", "shown", "codes"),
    [
        (
            "web_fetch_tool_result",
            FETCHED,
            "web_fetch",
            {"type": "web_fetch_result", "url": "http://u", "retrievedAt": None, "content": PAGE},
            [],
        ),
        *[
            (kind, NEW, name, NEW, ["unknown_result"])
            for kind, name in (
                ("web_fetch_tool_result", "web_fetch"),
                ("web_search_tool_result", "web_search"),
                ("code_execution_tool_result", "code_execution"),
                ("bash_code_execution_tool_result", "code_execution"),
                ("text_editor_code_execution_tool_result", "code_execution"),
                ("tool_search_tool_result", "tool_search_tool_regex"),
                ("advisor_tool_result", "advisor"),
            )
        ],
        (
            "tool_search_tool_result",
            {"type": "tool_search_tool_search_result", "tool_references": [NEW]},
            "tool_search_tool_regex",
            [NEW],
            [],
        ),
        (
            "code_execution_tool_result",
            {"type": "code_execution_result", "stdout": "", "stderr": "", "return_code": 0, "content": [NEW]},
            "code_execution",
            {"type": "code_execution_result", "stdout": "", "stderr": "", "return_code": 0, "content": [NEW]},
            [],
        ),
    ],
)
def test_results_of_unknown_types_are_handed_on(
    kind: str, content: Json, name: str, shown: Json | list[Json], codes: list[str]
) -> None:
    """A result that is not known is the result of its call all the same, and kept as it is."""
    found = decoded(result(0, kind, content), stop(0))

    assert payload(found) == [outcome(shown, name)]
    assert found.codes == codes


def test_lists_keep_items_of_unknown_types() -> None:
    """What a search found is shown as sources where it is known; an MCP server may also answer with one text."""
    call = start(0, "mcp_tool_use", id="s0", name="f", server_name="m", input={})
    found = decoded(
        call,
        stop(0),
        result(1, "mcp_tool_result", "all of it", is_error=False),
        stop(1),
        result(2, "mcp_tool_result", [{"type": "text", "text": "t", "citations": None}, NEW], is_error=False),
        stop(2),
        result(3, "web_search_tool_result", [NEW, FOUND]),
        stop(3),
    )

    results = [part["result"] for part in found.parts if part["type"] == "tool-result"]
    assert results[:2] == ["all of it", [{"type": "text", "text": "t"}, NEW]]
    assert results[2][0] == NEW
    assert [part["url"] for part in found.parts if part["type"] == "source"] == ["http://u"]
    assert not [part for part in found.parts if part["type"] == "error"]


def test_a_page_without_a_title_is_a_source() -> None:
    """API reference, ``web_search_result_location``: the title is a string or null."""
    found = decoded(
        text_start(0),
        cite(0, "web_search_result_location", url="http://u", title=None, encrypted_index="i"),
        stop(0),
    )

    source = payload(found)[1]
    assert (source["type"], source["url"]) == ("source", "http://u")
    assert "title" not in source
    assert payload(found)[-1]["type"] == t_end("0")["type"]


EDIT = {"type": "clear_everything_20300101", "cleared": 3}
ITERATION = {"type": "brand_new", "input_tokens": 9, "output_tokens": 9}


def test_types_beside_the_stop_reason_may_be_unknown() -> None:
    """Edits and iterations of unknown types are kept and not billed; the reason and the figures are read (V24, V25)."""
    found = decoded(
        reason="max_tokens",
        usage={"output_tokens": 7, "iterations": [ITERATION, {**ITERATION, "type": "message"}]},
        context_management={"applied_edits": [EDIT]},
    )

    finish = found.parts[-1]
    own = finish["providerMetadata"]["anthropic"]
    assert finish["finishReason"] == {"unified": "length", "raw": "max_tokens"}
    assert (finish["usage"]["inputTokens"]["total"], finish["usage"]["outputTokens"]["total"]) == (9, 9)
    assert own["contextManagement"] == {"appliedEdits": [EDIT]}
    assert [one["type"] for one in own["iterations"]] == ["brand_new", "message"]
    assert found.codes == ["unknown_detail", "unknown_detail"]


@pytest.mark.parametrize(
    "misfit",
    [
        {"context_management": {"applied_edits": None}},
        {"usage": {"output_tokens": 7, "iterations": [{"type": "message"}]}},
        {"context_management": 3, "input_transformations": "x"},
    ],
)
def test_a_detail_that_does_not_fit_costs_itself_alone(misfit: Json) -> None:
    """The reason why the model stopped is not lost for what stands beside it; under policy strict it is an error."""
    body = sse(message_start(), message_delta("tool_use", **misfit), MESSAGE_STOP)
    found = decode_every_way(body, DIALECT)

    assert found.parts[-1]["finishReason"] == {"unified": "tool-calls", "raw": "tool_use"}
    assert found.parts[-1]["usage"]["outputTokens"]["total"] == 7
    assert found.codes == ["unreadable_detail", "finish_without_calls"]
    strict = Decoder(DIALECT, policy="strict")
    assert [part.as_json()["type"] for part in strict.feed(body) + strict.close()][-1] == "error"


def test_usage_that_does_not_fit_costs_itself_alone() -> None:
    """At the beginning and at the end."""
    begin = message_start(usage={"input_tokens": "5"})
    found = decode_every_way(sse(begin, message_delta("end_turn", usage={"output_tokens": []}), MESSAGE_STOP), DIALECT)

    assert [part["type"] for part in found.parts] == ["stream-start", "response-metadata", "finish"]
    assert found.parts[-1]["finishReason"]["raw"] == "end_turn"
    assert found.codes == ["unreadable_detail", "unreadable_detail"]
