"""What Anthropic's server tools and MCP servers give back (API docs, "Tool use": the page of each server tool; "MCP
connector"): the shapes of their result blocks, and the ``tool-result`` parts these become.

A result comes whole in one ``content_block_start``; it has no deltas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streamcore.dialects.schema import (
    Schema,
    array,
    boolean,
    literal,
    nullable,
    nullish,
    number,
    open_tagged,
    optional,
    shape,
    string,
    union,
)
from streamcore.parts import Metadata, Source, ToolResult

CALLER: Final = union(
    shape({"type": literal("code_execution_20250825", "code_execution_20260120"), "tool_id": string}),
    shape({"type": literal("direct")}),
    shape({"type": string, "tool_id": nullish(string)}),
)
"""Who made a call: the model itself, code that it wrote, or whoever may be able to in the future."""

_FAILURE: Final = shape({"error_code": string})


def _items(kind: str, schema: Schema) -> Schema:
    """A list of such objects, and of objects of types that are not known, which are kept as they are."""
    return array(open_tagged("type", {kind: schema}))


def _result(content: Schema) -> Schema:
    return shape({"tool_use_id": string, "content": content})


def _result_with_caller(content: Schema) -> Schema:
    return shape({"tool_use_id": string, "caller": nullish(CALLER), "content": content})


def _files(kind: str) -> Schema:
    return _items(kind, shape({"file_id": string}))


RESULTS: Final[dict[str, Schema]] = {
    "mcp_tool_result": shape(
        {
            "tool_use_id": string,
            "is_error": boolean,
            "content": union(string, array(union(string, open_tagged("type", {"text": shape({"text": string})})))),
        }
    ),
    "web_fetch_tool_result": _result_with_caller(
        open_tagged(
            "type",
            {
                "web_fetch_result": shape(
                    {
                        "url": string,
                        "retrieved_at": nullish(string),
                        "content": shape(
                            {
                                "type": literal("document"),
                                "title": nullable(string),
                                "citations": nullish(shape({"enabled": boolean})),
                                "source": open_tagged(
                                    "type",
                                    {
                                        "base64": shape({"media_type": string, "data": string}),
                                        "text": shape({"media_type": string, "data": string}),
                                    },
                                ),
                            }
                        ),
                    }
                ),
                "web_fetch_tool_result_error": _FAILURE,
            },
        )
    ),
    "web_search_tool_result": _result_with_caller(
        union(
            _items(
                "web_search_result",
                shape({"url": string, "title": string, "encrypted_content": string, "page_age": nullish(string)}),
            ),
            open_tagged("type", {"web_search_tool_result_error": _FAILURE}),
        )
    ),
    "code_execution_tool_result": _result(
        open_tagged(
            "type",
            {
                "code_execution_result": shape(
                    {
                        "stdout": string,
                        "stderr": string,
                        "return_code": number,
                        "content": optional(_files("code_execution_output")),
                    }
                ),
                "encrypted_code_execution_result": shape(
                    {
                        "encrypted_stdout": string,
                        "stderr": string,
                        "return_code": number,
                        "content": optional(_files("code_execution_output")),
                    }
                ),
                "code_execution_tool_result_error": _FAILURE,
            },
        )
    ),
    "bash_code_execution_tool_result": _result(
        open_tagged(
            "type",
            {
                "bash_code_execution_result": shape(
                    {
                        "content": _files("bash_code_execution_output"),
                        "stdout": string,
                        "stderr": string,
                        "return_code": number,
                    }
                ),
                "bash_code_execution_tool_result_error": _FAILURE,
            },
        )
    ),
    "text_editor_code_execution_tool_result": _result(
        open_tagged(
            "type",
            {
                "text_editor_code_execution_tool_result_error": _FAILURE,
                "text_editor_code_execution_view_result": shape(
                    {
                        "content": string,
                        "file_type": string,
                        "num_lines": nullable(number),
                        "start_line": nullable(number),
                        "total_lines": nullable(number),
                    }
                ),
                "text_editor_code_execution_create_result": shape({"is_file_update": boolean}),
                "text_editor_code_execution_str_replace_result": shape(
                    {
                        "lines": nullable(array(string)),
                        "new_lines": nullable(number),
                        "new_start": nullable(number),
                        "old_lines": nullable(number),
                        "old_start": nullable(number),
                    }
                ),
            },
        )
    ),
    "tool_search_tool_result": _result(
        open_tagged(
            "type",
            {
                "tool_search_tool_search_result": shape(
                    {"tool_references": _items("tool_reference", shape({"tool_name": string}))}
                ),
                "tool_search_tool_result_error": _FAILURE,
            },
        )
    ),
    "advisor_tool_result": _result(
        open_tagged(
            "type",
            {
                "advisor_result": shape({"text": string}),
                "advisor_redacted_result": shape({"encrypted_content": string}),
                "advisor_tool_result_error": _FAILURE,
            },
        )
    ),
}
"""Content block types that are results."""

CallNames = Mapping[str, tuple[str, str]]
"""Tool call id -> the tool's name on the wire, and the MCP server it is on (empty for other tools)."""


def caller_of(block: Mapping[str, Any]) -> dict[str, Any] | None:
    """The caller of a call or of its result, in the AI SDK's spelling."""
    caller = block.get("caller")
    if caller is None:
        return None
    return {"type": caller["type"], "toolId": caller["tool_id"]} if "tool_id" in caller else {"type": caller["type"]}


def mcp_metadata(server: str) -> Metadata:
    """``providerMetadata`` of an MCP call and of its result."""
    return {"anthropic": {"type": "mcp-tool-use", "serverName": server}}


def tool_result(block: Mapping[str, Any], calls: CallNames) -> ToolResult:
    """The part for a result block that has passed its schema.

    The result of an MCP call that was never made (its id is not in ``calls``) has an empty tool name.
    """
    call_id = block["tool_use_id"]
    content = block["content"]
    kind = block["type"]
    if kind == "mcp_tool_result":
        name, server = calls.get(call_id, ("", ""))
        return ToolResult(call_id, name, content, block["is_error"], True, mcp_metadata(server))
    if kind == "tool_search_tool_result":
        name = calls.get(call_id, ("", ""))[0]
        name = name if name in TOOL_SEARCHES else TOOL_SEARCHES[0]
    else:
        name = _TOOL_NAMES[kind]
    caller = caller_of(block)
    metadata: Metadata | None = {"anthropic": {"caller": caller}} if caller else None
    if kind in _VERBATIM or unknown_content(block) is not None:
        return ToolResult(call_id, name, content, metadata=metadata)
    if type(content) is dict and "error_code" in content:
        error = {"type": f"{kind}_error", "errorCode": content["error_code"]}
        return ToolResult(call_id, name, error, True, metadata=metadata)
    return ToolResult(call_id, name, _RESULT_OF[kind](content), metadata=metadata)


def unknown_content(block: Mapping[str, Any]) -> str | None:
    """The type of what a result holds, if it is not known: then it is handed on as it is. None if it is known."""
    content = block["content"]
    if type(content) is dict and "error_code" not in content and content.get("type") not in _CONTENTS[block["type"]]:
        return str(content.get("type"))
    return None


def fetched_document(block: Mapping[str, Any]) -> tuple[str, str] | None:
    """Title and media type of the document that a ``web_fetch_tool_result`` brought, for citations of it."""
    content = block["content"]
    if block["type"] != "web_fetch_tool_result" or content["type"] != "web_fetch_result":
        return None
    document = content["content"]
    title = document["title"]
    return (content["url"] if title is None else title), str(document["source"].get("media_type", ""))


def found_sources(block: Mapping[str, Any]) -> list[Source]:
    """What a ``web_search_tool_result`` found; the ids are for the caller to set."""
    content = block["content"]
    if block["type"] != "web_search_tool_result" or type(content) is not list:
        return []
    return [
        Source("url", "", found["url"], found["title"], metadata={"anthropic": {"pageAge": found.get("page_age")}})
        for found in content
        if found["type"] == "web_search_result"
    ]


def cited_source(citation: Mapping[str, Any], documents: Sequence[tuple[str, str]]) -> Source | None:
    """What a citation points at, the id left for the caller to set. None for a document of the request: those are not
    known here; ``documents`` are the fetched ones.
    """
    fields = {"citedText": citation["cited_text"]}
    if citation["type"] == "web_search_result_location":
        fields["encryptedIndex"] = citation["encrypted_index"]
        return Source("url", "", citation["url"], citation.get("title"), metadata={"anthropic": fields})
    index = citation["document_index"]
    if type(index) is not int or not 0 <= index < len(documents):
        return None
    title, media_type = documents[index]
    if citation["document_title"] is not None:
        title = citation["document_title"]
    for edge in ("start", "end"):
        if citation["type"] == "page_location":
            fields[f"{edge}PageNumber"] = citation[f"{edge}_page_number"]
        else:
            fields[f"{edge}CharIndex"] = citation[f"{edge}_char_index"]
    return Source("document", "", None, title, media_type, metadata={"anthropic": fields})


TOOL_SEARCHES: Final = ("tool_search_tool_regex", "tool_search_tool_bm25")
"""The two tool searches; the first stands in where a result does not say whose it is."""

_TOOL_NAMES: Final = {
    "web_fetch_tool_result": "web_fetch",
    "web_search_tool_result": "web_search",
    "code_execution_tool_result": "code_execution",
    "bash_code_execution_tool_result": "code_execution",
    "text_editor_code_execution_tool_result": "code_execution",
    "advisor_tool_result": "advisor",
}
_VERBATIM: Final = ("bash_code_execution_tool_result", "text_editor_code_execution_tool_result")
_CONTENTS: Final[dict[str, tuple[str, ...]]] = {
    "web_fetch_tool_result": ("web_fetch_result",),
    "web_search_tool_result": (),
    "code_execution_tool_result": ("code_execution_result", "encrypted_code_execution_result"),
    "bash_code_execution_tool_result": ("bash_code_execution_result",),
    "text_editor_code_execution_tool_result": (
        "text_editor_code_execution_view_result",
        "text_editor_code_execution_create_result",
        "text_editor_code_execution_str_replace_result",
    ),
    "tool_search_tool_result": ("tool_search_tool_search_result",),
    "advisor_tool_result": ("advisor_result", "advisor_redacted_result"),
}
"""Types of the objects that the results hold; their errors have a code."""


def _web_fetch(content: Any) -> Any:
    document = content["content"]
    source = document["source"]
    result = {
        "type": document["type"],
        "title": document["title"],
        "source": {"type": source["type"], "mediaType": source["media_type"], "data": source["data"]}
        if source["type"] in ("base64", "text")
        else source,
    }
    if "citations" in document:
        result["citations"] = document["citations"]
    return {
        "type": content["type"],
        "url": content["url"],
        "retrievedAt": content.get("retrieved_at"),
        "content": result,
    }


def _web_search(content: Any) -> Any:
    return [
        {
            "url": found["url"],
            "title": found["title"],
            "pageAge": found.get("page_age"),
            "encryptedContent": found["encrypted_content"],
            "type": found["type"],
        }
        if found["type"] == "web_search_result"
        else found
        for found in content
    ]


def _code_execution(content: Any) -> Any:
    return {"content": [], **content}


def _tool_search(content: Any) -> Any:
    return [
        {"type": found["type"], "toolName": found["tool_name"]} if found["type"] == "tool_reference" else found
        for found in content["tool_references"]
    ]


def _advisor(content: Any) -> Any:
    if content["type"] == "advisor_result":
        return {"type": content["type"], "text": content["text"]}
    return {"type": content["type"], "encryptedContent": content["encrypted_content"]}


_RESULT_OF: Final = {
    "web_fetch_tool_result": _web_fetch,
    "web_search_tool_result": _web_search,
    "code_execution_tool_result": _code_execution,
    "tool_search_tool_result": _tool_search,
    "advisor_tool_result": _advisor,
}
