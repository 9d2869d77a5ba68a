"""A stream and its twin: every provider's whole answers are read, what differs is found, and what may differ is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.against.twin import stale_allowances
from harness.case import Case
from harness.cassette import load
from harness.chunking import parse_plans
from harness.divergence import Divergences
from harness.exits import InputError
from harness.golden import GoldenStore
from harness.mutants import MUTANTS
from harness.pairs import READERS, AnswerError, compare, read
from harness.pairs.allowance import Allowance, allowances, stale
from harness.pairs.streamed import of_parts
from harness.record.scenarios import DIALECTS, scenarios
from harness.report.console import summarise
from harness.report.document import from_document, to_document
from harness.runner import Check, check_case
from harness.subjects import PartJson, Subject
from harness.subjects.core import CoreSubject
from harness.verdict import CaseResult, RunResult, Verdict

from .checkout import REPOSITORY

PAIRED = [f"{dialect}/{name}" for dialect in DIALECTS for name, one in scenarios(dialect).items() if one.twin]


@cache
def case_of(name: str) -> Case:
    (case,) = load(REPOSITORY / "cassettes" / f"{name}.yaml").cases()
    return case


def parts_of(case: Case, size: int | None = None) -> list[PartJson]:
    session = CoreSubject().open(case)
    step = size or len(case.body)
    parts = [part for at in range(0, len(case.body), step) for part in session.feed(case.body[at : at + step])]
    return parts + session.close()


def checked(case: Case, subject: Subject | None = None) -> CaseResult:
    check = Check(
        "streamcore", parse_plans("whole,bytes"), Divergences.load(REPOSITORY / "golden" / "divergences.yaml")
    )
    return check_case(case, subject or CoreSubject(), check, GoldenStore(REPOSITORY / "golden"))


def test_every_recorded_pair_agrees_value_by_value_and_needs_each_entry_of_the_allow_list() -> None:
    used: set[str] = set()
    for name in PAIRED:
        case = case_of(name)
        for size in (None, 7):
            found = compare(case, parts_of(case, size))
            assert found is not None
            assert (found.level, found.unlike) == ("equal", ()), name
            assert found.values >= 7
            used |= {*found.allowed}
    assert len(PAIRED) >= 35
    assert stale(map(case_of, PAIRED), {*PAIRED}, used) == []
    assert used == {entry.name for entry in allowances() if not entry.provenance}  # the others are for models


CREATED = 1_767_225_600
CHAT = {"object": "chat.completion", "created": CREATED}
THOUGHT, FACTORS = "Try 13: 13 × 17.", "No: 221 = 13 × 17."
WHOLE: dict[str, dict[str, Any]] = {
    # By hand, in the form that each API documents: what the stream of that recording says.
    "mistral/reasoning": {
        **CHAT,
        "id": "f045b5ffcc0209f42e67d9460f91d6ce",
        "model": "magistral-medium-latest",
        "usage": {"prompt_tokens": 22, "completion_tokens": 24, "total_tokens": 46},
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]},
                        {"type": "text", "text": FACTORS},
                    ],
                },
            }
        ],
    },
    "deepseek/reasoning": {
        **CHAT,
        "id": "95366e98-af83-9e03-3a58-c429ecf9f2eb",
        "model": "deepseek-reasoner",
        "usage": {
            "prompt_tokens": 11,
            "completion_tokens": 83,
            "completion_tokens_details": {"reasoning_tokens": 64},
        },
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"content": FACTORS, "reasoning_content": "Try 13: 13 × 17 = 221."},
            }
        ],
    },
    "openai-chat/choices": {
        **CHAT,
        "id": "chatcmpl-NFfcogxCsRd65xIAPnuku5kPNKWbo",
        "model": "gpt-4o-mini-2024-07-18",
        "usage": {"prompt_tokens": 12, "completion_tokens": 26},
        "choices": [
            {
                "index": 1,
                "finish_reason": "tool_calls",
                "message": {
                    "content": "Let me see.",
                    "tool_calls": [
                        {
                            "id": "call_3wWf7DZcgOMMhIefhwtHNMum",
                            "function": {"name": "get_weather", "arguments": '{"city": "Nice"}'},
                        }
                    ],
                },
            },
            {"index": 0, "finish_reason": "stop", "message": {"content": "Heads, I say."}},
        ],
    },
    "openai-completions-legacy/text": {
        "id": "cmpl-Rt1IrLniLWGRFWZkov5BjMNKd5mJl",
        "created": CREATED,
        "model": "gpt-3.5-turbo-instruct",
        "choices": [{"text": " forty-two, said the mouse.", "index": 0, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 6, "completion_tokens": 7, "total_tokens": 13},
    },
    "xai-responses/tool": {
        "id": "9d67beeb-38f0-13c7-fd54-fbb15ecc9401",
        "created_at": CREATED,
        "model": "grok-4-1-fast-reasoning",
        "status": "completed",
        "output": [
            {
                "type": "function_call",
                "call_id": f"call-9d67beeb-38f0-13c7-fd54-fbb15ecc9401-{at}",
                "name": name,
                "arguments": arguments,
            }
            for at, (name, arguments) in enumerate([("get_weather", '{"city":"Oslo"}'), ("now", "{}")])
        ],
        "usage": {"input_tokens": 340, "output_tokens": 41},
    },
    "bedrock-invoke-with-response-stream/text": {
        "id": "msg_bdrk_01BAc5KSblCfFuHIBH7BGm2j",
        "model": "claude-sonnet-4-5-20250929",
        "content": [{"type": "text", "text": "Hello! I can write tests."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 17, "output_tokens": 12},
    },
    "vertex-gemini/text": {
        "responseId": "U-q6b3orFZJOLEFuUKBf_r",
        "modelVersion": "gemini-2.5-flash",
        "candidates": [
            {"finishReason": "STOP", "content": {"parts": [{"text": "Hello! I can "}, {"text": "plan a trip."}]}}
        ],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 9},
    },
    "cohere-v2/tool": {
        "id": "df9e57f0-30c6-4f93-0be5-21a58ba48e67",
        "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "tool_calls": [
                {"id": "now_zmzkrymonyfm", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                {
                    "id": "get_weather_m2w9lomgs1pm",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city":"Lima"}'},
                },
            ],
        },
        "usage": {"tokens": {"input_tokens": 564, "output_tokens": 20}},
    },
    "ollama-ndjson/thinking": {
        "model": "gpt-oss:20b",
        "created_at": "2026-01-01T00:00:00.020123Z",
        "message": {"role": "assistant", "content": FACTORS, "thinking": THOUGHT},
        "done_reason": "stop",
        "done": True,
        "prompt_eval_count": 74,
        "eval_count": 33,
    },
}


@pytest.mark.parametrize("name", WHOLE)
def test_whole_answers_of_each_family_are_read_as_their_streams_are(name: str) -> None:
    case = replace(case_of(name), twin=json.dumps(WHOLE[name]).encode())
    for size in (None, 5):
        found = compare(case, parts_of(case, size), [entry for entry in allowances() if entry.path == "model"])
        assert found is not None
        assert found.unlike == ()


def test_what_is_no_whole_answer_says_so() -> None:
    assert {"cohere-v2", "ollama-ndjson", "vertex-anthropic", "openrouter", "groq"} <= READERS.keys()
    for dialect, body in (("openai-chat", b'{"choices": 5}'), ("anthropic-messages", b"<html>"), ("cohere-v1", b"{}")):
        with pytest.raises(AnswerError, match=dialect):
            read(dialect, body)


def test_halves_of_a_character_are_joined_and_what_is_no_part_of_an_answer_is_passed_over() -> None:
    def text(delta: str) -> PartJson:
        return {"type": "text-delta", "id": "0", "delta": delta}

    def call(kind: str, ident: str, **more: Any) -> PartJson:
        return {"type": kind, "toolName": "f", **more, ("toolCallId" if kind == "tool-call" else "id"): ident}

    parts = [
        {"type": "text-start", "id": "0", "providerMetadata": None},
        *map(text, ("a\ud83d", "\ude00", "\ud83d")),
        call("tool-call", "made-up", input="{}", providerExecuted=True),
        {"type": "tool-result", "toolCallId": "made-up", "toolName": "f", "result": 1},
        call("tool-call", "known", input='{"x":'),
        call("tool-input-start", "made-up-too"),
        {"type": "tool-input-delta", "id": "made-up-too", "delta": '{"y":1}'},
        call("tool-call", "not-a-text", input={"z": 2}),
        {"type": "finish", "finishReason": None, "usage": 5},
        {"type": "error", "error": {}},
    ]
    assert of_parts(parts, b"known")["choices"] == [
        {
            "blocks": [
                {"type": "text", "text": "a\U0001f600\ufffd"},
                {"type": "tool", "id": "known", "name": "f", "arguments": '{"x":'},
                {"type": "tool", "id": None, "name": "f", "arguments": {"y": 1}},
                {"type": "tool", "id": None, "name": "f", "arguments": {"z": 2}},
            ],
            "finish": None,
        }
    ]


@pytest.mark.parametrize(
    ("mutant", "name", "path", "whole", "streamed"),
    [
        ("reasoning-tokens-lost", "openai-chat/reasoning", "usage.reasoning", "64", None),
        ("reasoning-tokens-lost", "gemini-generateContent/thinking", "usage.reasoning", "88", None),
        (
            "calls-run-together",
            "openai-chat/parallel-tools",
            "choices[0].blocks[1].arguments.city",
            None,
            '"Oslo"',
        ),
    ],
)
def test_a_planted_defect_turns_the_pair_red(
    mutant: str, name: str, path: str, whole: str | None, streamed: str | None
) -> None:
    case = case_of(name)
    right, wrong = checked(case), checked(case, MUTANTS[mutant])
    found = {one.path: one for one in wrong.differences if one.against == "V28"}

    assert right.verdict is Verdict.PASS
    assert right.pair is not None
    assert (right.pair.level, right.pair.unlike) == ("equal", 0)
    assert wrong.verdict is Verdict.FAIL
    assert wrong.pair is not None
    assert wrong.pair.unlike == len(found) > 0
    assert (found[path].expected, found[path].actual) == (whole, streamed)
    assert "--case" in found[path].reproduce
    run = RunResult("streamcore", "whole", (replace(wrong, differences=(found[path],)),), ())
    assert from_document(to_document(run)).totals["pairs"] == 1
    assert f"{path}, line 0" in summarise(run, colour=False)
    assert "1 pair of stream and whole answer" in summarise(run, colour=False)


def _with(case: Case, change: Callable[[dict[str, Any]], None]) -> Case:
    data = json.loads(case.twin or b"")
    change(data)
    return replace(case, twin=json.dumps(data).encode(), provenance="live")


def test_a_live_pair_may_say_something_else_of_the_same_shape() -> None:
    case = case_of("anthropic-messages/thinking-then-tool")

    def otherwise(data: dict[str, Any]) -> None:
        data["content"][0] |= {"thinking": "Hm.", "signature": "abc"}
        data["content"][1]["text"] = "Something else."
        data["content"][2] |= {"id": "toolu_2", "input": {"city": "Molde"}}
        data["usage"] = {"input_tokens": 4, "output_tokens": 5}

    def unlike(change: Callable[[dict[str, Any]], None]) -> list[tuple[str, str | None, str | None]]:
        found = [compare(one, parts_of(one, size)) for one in [_with(case, change)] for size in (None, 3)]
        assert found[0] == found[1]
        assert found[0] is not None
        assert found[0].level == "shape"
        return [(one.path, one.whole, one.streamed) for one in found[0].unlike]

    assert unlike(otherwise) == []
    assert unlike(lambda data: data.update(stop_reason="max_tokens")) == [
        ("choices[0].finish", '"max_tokens"', '"tool_use"')
    ]
    assert unlike(lambda data: data["content"][2].update(name="now"))[-1] == (
        "choices[0].blocks[2].name",
        '"now"',
        '"get_weather"',
    )
    assert [path for path, *_ in unlike(lambda data: data["content"].pop(0))] != []
    assert unlike(lambda data: data["content"][0].pop("signature")) == [
        ("choices[0].blocks[0].signature", None, '"a text"')
    ]
    strict = {"type": "object", "required": ["city"]}
    body = {**(case.request or {})["body"], "tools": [{"name": "get_weather", "input_schema": strict}]}
    case = replace(case, request={"body": body})
    assert unlike(lambda data: data["content"][2].update(input={})) == [
        ("choices[0].blocks[2].arguments", '"not-the-schema"', '"valid"')
    ]


def test_an_entry_covers_its_path_alone_and_one_that_nobody_needs_is_stale() -> None:
    case = case_of("openai-chat/text")
    of_usage = Allowance(("openai-*",), "usage", "r", "stream_options.include_usage")
    everywhere = Allowance(("openai-chat",), "choices[*].blocks[*].text", "r")

    assert everywhere.covers("choices[0].blocks[12].text")
    assert everywhere.covers("choices[0].blocks[1].text.more")
    assert not everywhere.covers("choices[0].blocks[1].texture")
    assert not everywhere.covers("x.choices[0].blocks[1].text")
    assert not of_usage.applies(case)
    assert of_usage.applies(case_of("openai-chat/unicode"))
    assert not everywhere.applies(case_of("openai-responses/text"))
    of_server = Allowance(("openai-*",), "model", "r", provenance="local-model")
    assert not of_server.applies(case)
    assert of_server.applies(replace(case, provenance="local-model"))

    pairs = [case, case_of("openai-chat/unicode")]
    ids = [one.id for one in pairs]
    entries = [of_usage, everywhere]
    assert stale(pairs, ids, [], entries) == [of_usage.name, everywhere.name]
    assert stale(pairs, ids, [of_usage.name], entries) == [everywhere.name]
    assert stale(pairs, ids[:1], [], entries) == []
    assert stale(pairs[:1], ids[:1], [], entries) == [everywhere.name]
    assert stale([], [], [], entries) == []


def test_a_run_says_which_entries_are_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of("openai-chat/text")
    result = checked(case)
    needless = Allowance(("openai-chat",), "finish", "never needed")
    assert stale_allowances([result], [case]) == []
    monkeypatch.setattr("harness.pairs.allowance.allowances", lambda: (needless,))
    found = tuple(stale_allowances([result], [case]))
    run = RunResult("streamcore", "whole", (result,), (), stale_allowances=found)

    assert found == ("openai-chat: finish",)
    assert run.verdict is Verdict.FAIL
    assert from_document(to_document(run)).stale_allowances == found
    assert "no stream differs from its twin in openai-chat: finish" in summarise(run, colour=False)


def test_a_twin_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    from harness.cassette import save
    from harness.check import find_cases

    cassette = load(REPOSITORY / "cassettes" / "openai-chat" / "text.yaml")
    stream, twin = cassette.interactions
    body = b'{"error": {}}'
    bad = replace(twin, body=body, stream=replace(twin.stream, chunks=(len(body),), at_ms=(0.0,)))
    save(replace(cassette, interactions=(stream, bad)), tmp_path / "openai-chat" / "text.yaml")
    with pytest.raises(InputError, match=r"text\.yaml: the twin of its stream is no whole answer of openai-chat"):
        find_cases(tmp_path, (), ())


def test_a_reader_may_know_the_model_from_the_request_where_the_whole_answer_does_not_say() -> None:
    named = {"type": "response-metadata", "modelId": "amazon.nova-lite-v1:0"}
    for size in (None, 7):
        silent = case_of("bedrock-converse-stream/text")
        compared = compare(silent, [named, *parts_of(silent, size)])
        assert compared is not None
        assert compared.unlike == ()
        telling = case_of("openai-chat/text")
        parts = [part | named if part["type"] == "response-metadata" else part for part in parts_of(telling, size)]
        wrong = compare(telling, parts)
        assert wrong is not None
        assert [one.path for one in wrong.unlike] == ["model"]
