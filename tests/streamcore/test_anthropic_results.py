"""``anthropic-messages``: what the provider's own tools gave back, and the sources an answer cites."""

from __future__ import annotations

import pytest

from .anthropic_wire import cite, outcome, payload, read_message, result, stop, text_start
from .wire import Json, t_end


def failure(kind: str, name: str) -> Json:
    """A ``tool-result`` part for a tool that failed."""
    return outcome({"type": f"{kind}_error", "errorCode": "why"}, name, isError=True)


FETCHED = {
    "type": "web_fetch_result",
    "url": "http://u",
    "retrieved_at": "now",
    "content": {
        "type": "document",
        "title": None,
        "citations": {"enabled": True},
        "source": {"type": "text", "media_type": "text/plain", "data": "d"},
    },
}
SHOWN_FETCHED = {
    "type": "web_fetch_result",
    "url": "http://u",
    "retrievedAt": "now",
    "content": {
        "type": "document",
        "title": None,
        "citations": {"enabled": True},
        "source": {"type": "text", "mediaType": "text/plain", "data": "d"},
    },
}
CODE = {"type": "code_execution_result", "stdout": "o", "stderr": "", "return_code": 0}
SECRET_CODE = {"type": "encrypted_code_execution_result", "encrypted_stdout": "o", "stderr": "", "return_code": 0}
FILE = {"type": "code_execution_output", "file_id": "f"}
VIEW = {
    "type": "text_editor_code_execution_view_result",
    "content": "c",
    "file_type": "text",
    "num_lines": 1,
    "start_line": None,
    "total_lines": 1,
}


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("web_fetch_tool_result", FETCHED, outcome(SHOWN_FETCHED, "web_fetch")),
        ("code_execution_tool_result", CODE, outcome({**CODE, "content": []}, "code_execution")),
        (
            "code_execution_tool_result",
            {**SECRET_CODE, "content": [{**FILE, "new": 1}]},
            outcome({**SECRET_CODE, "content": [FILE]}, "code_execution"),
        ),
        ("text_editor_code_execution_tool_result", {**VIEW, "new": 1}, outcome(VIEW, "code_execution")),
        (
            "bash_code_execution_tool_result",
            {"type": "bash_code_execution_tool_result_error", "error_code": "why"},
            outcome({"type": "bash_code_execution_tool_result_error", "error_code": "why"}, "code_execution"),
        ),
        ("advisor_tool_result", {"type": "advisor_result", "text": "t"}, None),
        (
            "advisor_tool_result",
            {"type": "advisor_redacted_result", "encrypted_content": "t"},
            outcome({"type": "advisor_redacted_result", "encryptedContent": "t"}, "advisor"),
        ),
        *[
            (kind, {"type": f"{kind}_error", "error_code": "why"}, failure(kind, name))
            for kind, name in (
                ("web_fetch_tool_result", "web_fetch"),
                ("web_search_tool_result", "web_search"),
                ("code_execution_tool_result", "code_execution"),
                ("tool_search_tool_result", "tool_search_tool_regex"),
                ("advisor_tool_result", "advisor"),
            )
        ],
    ],
)
def test_results_of_server_tools(kind: str, content: Json, expected: Json | None) -> None:
    """A result is one part; what its documentation does not name is left out."""
    parts = payload(read_message(result(0, kind, content), stop(0)))

    assert parts == [expected or outcome(content, "advisor")]


def test_citations_of_fetched_documents() -> None:
    """A document's own title serves where the citation has none; documents of the request are not known here."""
    pdf = {
        **FETCHED,
        "content": {
            "type": "document",
            "title": "PDF",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "d"},
        },
    }
    parts = payload(
        read_message(
            result(0, "web_fetch_tool_result", FETCHED),
            stop(0),
            result(1, "web_fetch_tool_result", pdf),
            stop(1),
            text_start(2),
            cite(2, "char_location", document_index=0, document_title=None, start_char_index=1, end_char_index=2),
            cite(2, "char_location", document_index=1, document_title=None, start_char_index=1, end_char_index=2),
            cite(2, "page_location", document_index=1, document_title="T", start_page_number=3, end_page_number=4),
            cite(2, "char_location", document_index=2, document_title="T", start_char_index=1, end_char_index=2),
            stop(2),
        )
    )

    shown = [
        (part["id"], part["mediaType"], part["title"], part["providerMetadata"]["anthropic"]) for part in parts[3:-1]
    ]
    characters = {"citedText": "c", "startCharIndex": 1, "endCharIndex": 2}
    assert shown == [
        ("source_gen_0", "text/plain", "http://u", characters),
        ("source_gen_1", "application/pdf", "PDF", characters),
        ("source_gen_2", "application/pdf", "T", {"citedText": "c", "startPageNumber": 3, "endPageNumber": 4}),
    ]
    assert parts[-1] == t_end("2")
