"""``perplexity``: citations, images, cost; and what every chunk repeats is read once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamcore import Decoder

from .chat_wire import counts, done, source
from .wire import (
    DONE,
    HEAD,
    Decoded,
    Json,
    choice,
    decode,
    decode_every_way,
    err,
    event,
    quick_only,
    size,
    t_delta,
    t_end,
    t_start,
)

NAME = "perplexity"
FOUND: Json = {
    "citations": ["https://a", "https://b"],
    "search_results": [{"title": "A: a", "url": "https://a", "snippet": "x [1]"}],
}
METADATA: Json = {"usage": {"citationTokens": None, "numSearchQueries": None}, "cost": None, "images": None}
SOURCES = [source(0, "https://a"), source(1, "https://b")]


def chunk(*choices: Json, found: Json = FOUND, **extra: Any) -> Json:
    """A chunk with its members in the order of the wire."""
    head = {"id": "c", "model": "m", "created": 1, "usage": {"prompt_tokens": 8, "completion_tokens": 1}}
    return {**head, **found, "object": "chat.completion.chunk", "choices": list(choices), **extra}


def said(piece: str, finish: str | None = None, so_far: str = "", **extra: Any) -> bytes:
    """The event of a chunk with a piece of text."""
    wire = {**choice({"role": "assistant", "content": piece}, finish), "message": {"content": so_far + piece}}
    return event(chunk(wire, **extra), eol="\r\n")


def decoded(*frames: bytes, policy: str = "lenient") -> Decoded:
    return decode_every_way(b"".join(frames), NAME, policy=policy)


def usage(raw: Json, reasoning: int = 0) -> Json:
    given, made = raw["prompt_tokens"], raw["completion_tokens"]
    return counts(
        {"total": given, "noCache": given}, {"total": made + reasoning, "text": made, "reasoning": reasoning}, raw
    )


SMALL = {"prompt_tokens": 8, "completion_tokens": 1}
FIN = done("stop", "stop", usage(SMALL), {"perplexity": METADATA})


@pytest.mark.parametrize("last", [b"", DONE], ids=["as recorded", "with [DONE]"])
def test_sources_come_once(last: bytes) -> None:
    found = decoded(said("1"), said(" 2", so_far="1"), said("", "stop", "1 2"), last, policy="strict")

    text = [t_start(), t_delta("1"), t_delta(" 2"), t_delta(""), t_end()]
    assert found.parts == [*HEAD, *SOURCES, *text, FIN]
    assert found.codes == []


def test_what_the_finish_tells() -> None:
    cost = {"input_tokens_cost": 1e-05, "output_tokens_cost": 0, "total_cost": 0.005, "search_queries_cost": 0}
    last = {**SMALL, "reasoning_tokens": 4, "citation_tokens": 5, "num_search_queries": 2, "cost": cost}
    image = {"image_url": "i", "origin_url": "o", "height": 1, "width": 2, "title": "t"}
    found = decoded(said("x"), said("", "length", images=[image], usage=last))

    metadata = {
        "usage": {"citationTokens": 5, "numSearchQueries": 2},
        "cost": {"inputTokensCost": 1e-05, "outputTokensCost": 0, "requestCost": None, "totalCost": 0.005},
        "images": [{"imageUrl": "i", "originUrl": "o", "height": 1, "width": 2}],
    }
    assert found.parts[-1] == done("length", "length", usage(last, 4), {"perplexity": metadata})


def test_a_stream_without_usage() -> None:
    found = decoded(said("x", "banana", usage=None, found={}))

    assert found.parts[-1] == done("other", "banana", counts(), {"perplexity": METADATA})
    assert found.codes == ["unknown_finish_reason"]


def test_a_stream_that_is_cut() -> None:
    """V18."""
    frames = [said("x"), said("y")]
    assert decoded(*frames).parts[-1] == err("incomplete_stream", "close", size(*frames))


def test_an_error() -> None:
    """V19."""
    error = {"code": 500, "message": "m"}
    frames = [said("x"), event({"error": error})]
    found = decoded(*frames)

    ending = [t_end(), done("error", None, usage(SMALL), {"perplexity": METADATA})]
    assert found.parts[-3:] == [err("provider", "stream", size(*frames), error), *ending]


# -- what every chunk repeats -----------------------------------------------------------------------------------------


def written(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def variants() -> list[bytes]:
    """Chunks that are read without what they repeat, and those that must be read as a whole."""
    one = choice({"content": "y"})
    plain = written(chunk(one))
    of_found = plain[plain.index(b',"citations"') : plain.index(b',"object"')]
    changes: list[Json] = [{"usage": value} for value in (None, 1, {}, {"prompt_tokens": "x"})]
    changes += [{"error": "x"}, {"error": None}, {"type": "error", "message": "m"}, {"type": "x"}, {"id": 1}, {"x": [{}]}]
    changes += [{"citations": value} for value in ([], ["https://a"], None, 1)]
    changes += [{"choices": value} for value in ([], None, [one, one], [{}], [{**one, "index": 1}], [1])]
    changes += [{"images": [{"image_url": "i"}]}, {"images": []}]
    found = [plain, *(written({**chunk(one), **change}) for change in changes)]
    found += [written(chunk(choice(delta))) for delta in ({}, {"content": ""}, {"content": ":["}, {"content": 1})]
    return [
        *found,
        plain.replace(of_found, b""),
        plain.replace(of_found, of_found * 2),
        plain.replace(b',"object"', b',"id":"d","object"'),
        plain.replace(of_found, b"").replace(b'"index":0', b'"index":0' + of_found),
        plain.replace(of_found, b"").replace(b'"y"', b'"y' + of_found + b'"'),
        plain.replace(b'"y"', rb'"\u003a"'),
        plain.replace(b'"y"', b'"\xff"'),
        plain.replace(b'"y"', b"NaN"),
        plain[:-1],
        plain + b"x",
        plain[1:],
    ]


OPENINGS = [
    said("x"),
    said("x", found={}),
    said("x", found={"citations": 1}),
    said("x", found={"citations": ["https://a"], "error": None}),
    said("x", found={**FOUND, "x": {"citations": []}}),
    event(written(chunk(choice({"content": "x"}))).replace(b'"title"', b'"title":"","title"')),
    event(written({**chunk(choice({"content": "x"})), "citations": []}).replace(b',"object"', b',"model":"n","object"')),
    event(b'{"id":"c","created":1,"choices":[],"citations":[]}'),
]


@pytest.mark.parametrize("policy", ["lenient", "strict"])
@pytest.mark.parametrize("opening", range(len(OPENINGS)))
def test_the_shorter_reading_gives_the_same(policy: str, opening: int) -> None:
    for variant in variants():
        for before in ([OPENINGS[opening]], [OPENINGS[opening], said("1", so_far="x"), said("2", so_far="x1")]):
            body = b"".join([*before, event(variant), said("z"), said("", "stop")])
            assert decode(body, NAME, policy=policy) == decode(body, NAME, policy=policy, general=True), variant


def test_the_shorter_reading_is_taken() -> None:
    """After three chunks: the first begins the text, and what differs in the next two may differ from then on."""
    decoder = Decoder(NAME)
    uses = [{"prompt_tokens": 8, "completion_tokens": count} for count in range(9)]
    for at in range(3):
        decoder.feed(said(str(at), so_far="012"[:at], usage=uses[at]))
    with quick_only(decoder):
        parts = [*decoder.feed(said("y", so_far="012", usage=uses[3])), *decoder.feed(said("z", so_far="012y", usage=uses[8]))]
    finish = decoder.feed(said("", "stop", "012yz", usage=None) + DONE)[-1]

    assert [part.as_json() for part in parts] == [t_delta("y"), t_delta("z")]
    assert finish.as_json() == done("stop", "stop", usage(uses[8]), {"perplexity": METADATA})
