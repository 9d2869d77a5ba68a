"""``openai-responses``: messages, reasoning and function calls of well-formed streams, and how they end."""

from __future__ import annotations

import pytest

from streamcore import ReasoningBlock, TextBlock

from .openai_responses_wire import (
    COMPLETED,
    CREATED,
    HEAD,
    IN_PROGRESS,
    about,
    added,
    arguments,
    arguments_done,
    called,
    done,
    ended,
    fin,
    function,
    function_done,
    m_delta,
    m_end,
    m_start,
    message,
    message_done,
    no_delta,
    own,
    payload,
    r_delta,
    r_end,
    r_start,
    raw,
    read,
    read_items,
    reasoning,
    reasoning_done,
    refusal,
    summary,
    text,
    text_done,
)
from .wire import DONE, Json, i_delta, i_end, i_start


def part(kind: str) -> Json:
    """A content part event, which repeats what others say."""
    return about(f"content_part.{kind}", "m0", 0, content_index=0, part={"type": "output_text", "text": ""})


# -- messages ---------------------------------------------------------------------------------------------------------


def test_a_message() -> None:
    """Text in deltas; what says it again as a whole adds nothing."""
    events = [message(), part("added"), text("h\u00e9"), text(":\U0001f600"), text_done("h\u00e9:\U0001f600")]

    decoded = read(CREATED, IN_PROGRESS, *events, part("done"), message_done("h\u00e9:\U0001f600"), COMPLETED)

    assert decoded.parts == [*HEAD, m_start(), m_delta("h\u00e9"), m_delta(":\U0001f600"), m_end(), fin("stop")]
    assert decoded.codes == []
    assert decoded.message.text == "h\u00e9:\U0001f600"
    assert decoded.message.id == "resp_1"


def test_the_response_is_shown_when_it_begins_to_answer() -> None:
    """Before that an error may still make the whole request fail."""
    decoded = read(CREATED, IN_PROGRESS, COMPLETED)

    assert decoded.parts == [*HEAD, fin("stop")]


@pytest.mark.parametrize("late", [None, "final_answer"])
def test_the_phase_of_a_message(late: str | None) -> None:
    """It may come when the message begins, or when it is done."""
    decoded = read_items(message(phase="commentary"), text(), message_done("x", **({"phase": late} if late else {})))

    expected = [m_start(phase="commentary"), m_delta("x"), m_end(phase=late or "commentary")]
    assert payload(decoded) == expected


def test_content_parts_of_one_message_are_one_block() -> None:
    """Each is compared with what was said of it alone."""
    pieces = [text("a"), text_done("a"), text("b", content=1), text("c", content=1), text_done("bc", content=1)]

    decoded = read_items(message(), *pieces, message_done("a", "bc"))

    assert payload(decoded) == [m_start(), m_delta("a"), m_delta("b"), m_delta("c"), m_end()]
    assert decoded.codes == []


def test_content_parts_that_are_numbered_from_one() -> None:
    """Seen from Bedrock: the same text does not come again when the item is done."""
    pieces = [text("ab", content=1), text_done("ab", content=1), text("c", content=2)]

    decoded = read_items(message(), *pieces, message_done("ab", "c"))

    assert payload(decoded) == [m_start(), m_delta("ab"), m_delta("c"), m_end()]
    assert decoded.codes == []


def test_a_refusal_is_text_that_says_so() -> None:
    """The reference drops it."""
    whole = {"type": "refusal", "refusal": "I can't"}
    refused = about("refusal.done", "m0", 0, content_index=0, refusal="I can't")

    decoded = read_items(message(), refusal("I "), refusal("can't"), refused, message_done(content=[whole]))

    parts = [m_start(), no_delta("I "), no_delta("can't"), m_end(), fin("content-filter")]
    assert decoded.parts == [*HEAD, *parts]
    assert decoded.message.content == (TextBlock("I can't", own(itemId="m0", refusal=True)),)


ANNOTATIONS: list[tuple[Json, Json]] = [
    (
        {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "u", "title": "t"},
        {"sourceType": "url", "url": "u", "title": "t"},
    ),
    (
        {"type": "file_citation", "file_id": "f", "filename": "n", "index": 0},
        {
            "sourceType": "document", "title": "n", "mediaType": "text/plain", "filename": "n",
            "providerMetadata": own(type="file_citation", fileId="f", index=0),
        },
    ),
    (
        {
            "type": "container_file_citation", "container_id": "c", "file_id": "f", "filename": "n", "start_index": 0,
            "end_index": 1,
        },
        {
            "sourceType": "document", "title": "n", "mediaType": "text/plain", "filename": "n",
            "providerMetadata": own(type="container_file_citation", fileId="f", containerId="c"),
        },
    ),
    (
        {"type": "file_path", "file_id": "f", "index": 0},
        {
            "sourceType": "document", "title": "f", "mediaType": "application/octet-stream", "filename": "f",
            "providerMetadata": own(type="file_path", fileId="f", index=0),
        },
    ),
]  # fmt: skip


def cited(annotation: Json, item: str | None = "m0", index: int | None = 0) -> Json:
    """An annotation event; one with the item's place has a key of the future."""
    where = {"output_index": index} if index is not None else {}
    annotation = annotation if index is None else {**annotation, "x": 1}
    return {"type": "response.output_text.annotation.added", "item_id": item, **where, "annotation": annotation}


def test_annotations_are_sources() -> None:
    """And the end of the text has them all."""
    events = [cited(annotation) for annotation, _ in ANNOTATIONS]

    decoded = read_items(message(), text(), *events, message_done("x"))

    sources = [{"type": "source", "id": f"source_gen_{at}", **fields} for at, (_, fields) in enumerate(ANNOTATIONS)]
    annotations = [annotation for annotation, _ in ANNOTATIONS]
    assert payload(decoded) == [m_start(), m_delta("x"), *sources, m_end(annotations=annotations)]


def test_annotations_belong_to_their_own_message() -> None:
    """The reference empties the list of the first message when the second begins. Without a place, an annotation is
    one of the message that began last."""
    one, two, *_ = [annotation for annotation, _ in ANNOTATIONS]
    first = [message(), text(), cited(one), message_done("x")]

    decoded = read_items(*first, message(1), text("y", 1), cited(two, None, None), message_done("y", index=1))

    ends = [part for part in decoded.parts if part["type"] == "text-end"]
    assert ends == [m_end(annotations=[one]), m_end(1, annotations=[two])]


# -- reasoning --------------------------------------------------------------------------------------------------------


def test_reasoning_without_a_summary() -> None:
    """An empty block carries the encrypted content; the later one is good."""
    decoded = read_items(reasoning(encrypted_content="e0"), reasoning_done(encrypted_content="e1"))

    assert payload(decoded) == [r_start(encrypted="e0"), r_end(encrypted="e1")]
    metadata = own(itemId="r0", reasoningEncryptedContent="e1")
    assert decoded.message.content == (ReasoningBlock("", metadata),)


def test_parts_of_a_summary() -> None:
    """Each has a block, which ends when the next begins, or with the item."""
    events = []
    for at, whole in enumerate(["ab", "cd"]):
        pieces = [summary("text.delta", at, delta=piece) for piece in whole]
        events += [summary("part.added", at), *pieces, summary("text.done", at, text=whole), summary("part.done", at)]
    texts = [{"type": "summary_text", "text": whole} for whole in ("ab", "cd")]

    decoded = read_items(reasoning(), *events, reasoning_done(summary=texts, encrypted_content="e"))

    assert payload(decoded) == [
        r_start(),
        r_delta("a"),
        r_delta("b"),
        {"type": "reasoning-end", "id": "r0:0", "providerMetadata": own(itemId="r0")},
        r_start("r0:1"),
        r_delta("c", "r0:1"),
        r_delta("d", "r0:1"),
        r_end("r0:1", "e"),
    ]
    assert decoded.codes == []
    assert decoded.message.reasoning == "abcd"


@pytest.mark.parametrize("first", [0, 1])
def test_raw_reasoning(first: int) -> None:
    """Open models show it; the reference drops it."""
    events = [raw("delta", first, delta="a"), raw("delta", first, delta="b"), raw("done", first, text="ab")]
    whole = [{"type": "reasoning_text", "text": "ab"}]

    decoded = read_items(reasoning(), *events, reasoning_done(content=whole))

    block = "r0:0" if first == 0 else "r0:text:1"
    opened = [] if first == 0 else [r_start(block)]
    shown = [r_start(), *opened, r_delta("a", block), r_delta("b", block), r_end()]
    assert payload(decoded) == (shown if first == 0 else [*shown, r_end(block)])
    assert decoded.codes == []


def test_raw_reasoning_and_a_summary_have_blocks_of_their_own() -> None:
    """Whichever comes first has the block that came with the item."""
    events = [raw("delta", delta="a"), summary("text.delta", delta="b"), raw("delta", delta="c")]
    other = [summary("text.delta", 0, 1, delta="b"), raw("delta", 0, 1, delta="a")]

    decoded = read_items(reasoning(), *events, reasoning_done(), reasoning(1), *other, reasoning_done(1))

    deltas = [(part["id"], part["delta"]) for part in decoded.parts if part["type"] == "reasoning-delta"]
    assert deltas == [("r0:0", "a"), ("r0:summary:0", "b"), ("r0:0", "c"), ("r1:0", "b"), ("r1:text:0", "a")]


# -- function calls ---------------------------------------------------------------------------------------------------


def test_a_function_call() -> None:
    """Its public id is ``call_id``; the item's own id is metadata (WH-061)."""
    events = [function(), arguments('{"a"'), arguments(": 1}"), arguments_done('{"a": 1}'), function_done('{"a": 1}')]

    decoded = read_items(*events)

    shown = [i_start("c0"), i_delta('{"a"', "c0"), i_delta(": 1}", "c0"), i_end("c0")]
    assert decoded.parts == [*HEAD, *shown, called("f", "c0", '{"a": 1}', "f0"), fin("tool-calls")]
    assert [call.executable for call in decoded.message.tool_calls] == [True]


def test_calls_side_by_side() -> None:
    """Their deltas may be mixed."""
    events = [function(), function(1, "g"), arguments("{", 0), arguments("{", 1), arguments("}", 0), arguments("}", 1)]

    decoded = read_items(*events, function_done("{}", 1, name="g"), function_done("{}"))

    assert [(call.id, call.name, call.arguments) for call in decoded.message.tool_calls] == [
        ("c0", "f", "{}"),
        ("c1", "g", "{}"),
    ]


@pytest.mark.parametrize("whole", ["", "{}"])
def test_a_call_without_deltas(whole: str) -> None:
    """LM Studio sends the arguments at the end only; an absent text stays absent (WH-060)."""
    decoded = read_items(function(), arguments_done(whole), function_done(whole))

    assert payload(decoded) == [i_start("c0"), i_end("c0"), called("f", "c0", whole, "f0")]
    assert decoded.message.tool_calls[0].input == {}
    assert decoded.codes == []


def test_what_a_call_may_have() -> None:
    """Whether it is asynchronous, and a namespace."""
    events = [function(**{"async": False}), function_done("{}", namespace="n")]
    later = [function(1, **{"async": False}), function_done("{}", 1, **{"async": True})]

    decoded = read_items(*events, *later)

    end = {**i_end("c0"), "providerMetadata": own(namespace="n")}
    call = {**called("f", "c0", "{}"), "providerMetadata": own(**{"itemId": "f0", "async": False, "namespace": "n"})}
    assert payload(decoded)[:3] == [i_start("c0"), end, call]
    assert payload(decoded)[-1]["providerMetadata"] == own(**{"itemId": "f1", "async": True})


def test_a_custom_tool_call() -> None:
    """Its input is free text: as it comes in the deltas, as a JSON string in the call."""
    item = {"id": "x0", "call_id": "c0", "name": "sql"}
    events = [about("custom_tool_call_input.delta", "x0", 0, delta=piece) for piece in ('a"', "\n")]
    whole = about("custom_tool_call_input.done", "x0", 0, input='a"\n')

    decoded = read_items(
        added(0, "custom_tool_call", input="", **item), *events, whole, done(0, "custom_tool_call", input='a"\n', **item)
    )

    shown = [i_start("c0", "sql"), i_delta('a"', "c0"), i_delta("\n", "c0"), i_end("c0")]
    assert decoded.parts == [*HEAD, *shown, called("sql", "c0", '"a\\"\\n"', "x0"), fin("tool-calls")]
    assert decoded.codes == []


# -- ends -------------------------------------------------------------------------------------------------------------

USAGE: Json = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3, "x": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 15,
}


def test_usage_and_metadata() -> None:
    """Cached and reasoning tokens are part of the totals."""
    end = ended(usage=USAGE, service_tier="flex", reasoning={"context": "c", "effort": None}, error=None)

    decoded = read_items(end=end)

    finish = decoded.parts[-1]
    assert finish["providerMetadata"] == own(responseId="resp_1", serviceTier="flex", reasoningContext="c")
    assert finish["usage"] == {
        "inputTokens": {"total": 10, "noCache": 5, "cacheRead": 2, "cacheWrite": 3},
        "outputTokens": {"total": 5, "text": 4, "reasoning": 1},
        "raw": USAGE,
    }


@pytest.mark.parametrize(
    ("reason", "unified", "codes"),
    [
        ("max_output_tokens", "length", []),
        ("content_filter", "content-filter", []),
        ("banana", "other", ["unknown_finish_reason"]),
        (None, "other", ["unknown_finish_reason"]),
    ],
)
def test_incomplete(reason: str | None, unified: str, codes: list[str]) -> None:
    """A response that is incomplete never stops normally (V25)."""
    details = None if reason is None else {"reason": reason}

    decoded = read_items(message(), text(), message_done("x"), end=ended("incomplete", incomplete_details=details))

    assert decoded.parts[-1] == fin(unified, reason)
    assert decoded.codes == codes


def test_incomplete_after_a_call() -> None:
    """Of an unknown reason the calls make the best of it, as in the reference."""
    end = ended("incomplete", incomplete_details={"reason": "banana"})

    assert read_items(function(), function_done("{}"), end=end).parts[-1] == fin("tool-calls", "banana")


def test_the_done_marker_is_harmless() -> None:
    """OpenRouter sends it behind the end; by itself it ends nothing."""
    after = read(CREATED, COMPLETED, DONE)
    alone = read(CREATED, message(), DONE)

    assert (after.parts, after.codes) == ([*HEAD, fin("stop")], [])
    assert alone.parts[-1]["kind"] == "incomplete_stream"
    assert alone.codes == ["done_marker"]


@pytest.mark.parametrize(
    ("dialect", "provider"),
    [
        ("azure-openai-responses", "azure"),
        ("bedrock-mantle-responses", "openai"),
        ("deepseek-responses", "openai"),
        ("gateway-responses", "openai"),
        ("openrouter-responses", "openai"),
    ],
)
def test_servers_of_the_same_api(dialect: str, provider: str) -> None:
    """They differ in the key of the metadata."""
    events = [CREATED, message(), text(), message_done("x"), reasoning(1), reasoning_done(1), COMPLETED]

    decoded = read(*events, dialect=dialect)

    assert [part["type"] for part in decoded.parts[2:]] == [
        "text-start", "text-delta", "text-end", "reasoning-start", "reasoning-end", "finish",
    ]  # fmt: skip
    assert all(set(part["providerMetadata"]) == {provider} for part in decoded.parts if "providerMetadata" in part)
