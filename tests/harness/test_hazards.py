"""The catalogue of wire hazards, layers "JSON" and "Tool calls": each is a case, and each case has its outcome, however cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.cassette import load
from harness.divergence import Divergences
from harness.golden import GoldenStore
from harness.runner import Check, check_case, plans_from
from harness.subjects.load import load_subject
from harness.verdict import GREEN
from streamcore import Decoder

ROOT = Path(__file__).resolve().parents[2]
STRIDE = 29
"""Between the offsets at which a body is cut in two to see the message and the warnings; the parts are compared at all."""
DIVERGENCES = Divergences.load(ROOT / "golden" / "divergences.yaml")
CHECK = Check("streamcore", plans_from(["whole", "bytes", "every-split"]), DIVERGENCES)
GOLDENS = GoldenStore(ROOT / "golden")


@dataclass
class Outcome:
    """What a hazard must give."""

    case: str
    calls: list[tuple[str, str, str, bool]] = field(default_factory=list)
    """(id, name, arguments, executable)"""
    error: str | None = None
    warnings: list[str] = field(default_factory=list)
    text: str = ""


def one(arguments: str, executable: bool = True, name: str = "f", call_id: str = "call_a1") -> Any:
    """One call."""
    return [(call_id, name, arguments, executable)]


NUMBERS = (
    '{"id":9007199254740993,"huge":12345678901234567890,"min":-9223372036854775808,"f":1.0,"e":1e21,"t":1E-7,"z":-0,'
    '"n":{"a":[1,[2,[3,{"b":null,"c":[]}]]],"d":{}}}'
)
TWO = [("call_a1", "f", '{"x":1}', True), ("call_b2", "g", "{}", True)]
WEATHER_AND_TIME = [("call_a1", "get_weather", '{"city":"%s"}', True), ("call_b2", "get_time", '{"zone":"Europe/%s"}', True)]


def both(city: str) -> Any:
    """The two calls about a city."""
    return [(key, name, arguments % city, ok) for key, name, arguments, ok in WEATHER_AND_TIME]


HAZARDS = {
    # -- JSON ----------------------------------------------------------------------------------------------------------
    "WH-029": Outcome("openai-chat/wh-029-two-documents", error="malformed_json", text="Hi there"),
    "WH-030": Outcome("gemini-generateContent-json-array/text", text="Hello! I can translate."),
    "WH-031": Outcome(
        "gemini-generateContent/error-tail",
        one('{"city":"Hilo"}', name="get_weather", call_id="gen_0"),
        "provider",
        text="Hi, hi",
    ),
    "WH-032": Outcome("openai-chat/escaped-unicode", text="日本 café \U0001f680 \U0001f680!"),
    "WH-033": Outcome("openai-chat/wh-033-escape-cut", one('{"k":"str\\n\\u00e9"}')),
    "WH-034": Outcome("openai-chat/wh-034-number-goes-on", one('{"n":12,"b":true}')),
    "WH-035": Outcome("openai-chat/wh-035-not-finite", error="malformed_json", text="Hi."),
    "WH-036": Outcome(
        "openai-chat/numbers", one(NUMBERS, name="save_note", call_id="call_l51ccsQdWgmjpe6skEuA0Za2")
    ),
    "WH-037": Outcome("openai-chat/wh-037-key-twice", one('{"a":1,"a":2}'), warnings=["duplicate_key"]),
    "WH-038": Outcome(
        "openai-chat/wh-038-deep",
        one('{"a":' + "[" * 600 + "]" * 600 + "}", executable=False),
        warnings=["invalid_arguments"],
    ),
    "WH-039": Outcome("openai-chat/wh-039-proto-key", one('{"__proto__":{"x":1}}')),
    "WH-040": Outcome(
        "openai-chat/wh-040-one-character-pieces",
        one('{"a":1,"b":"two"}'),
    ),
    # -- tool calls ----------------------------------------------------------------------------------------------------
    "WH-085": Outcome("openai-chat/wh-085-index-missing", TWO, warnings=["index_missing"] * 3),
    "WH-086": Outcome("openai-chat/index-reused", both("Oslo"), warnings=["index_collision"]),
    "WH-087": Outcome("openai-chat/wh-087-index-from-one", TWO, warnings=["index_origin", "index_skipped"]),
    "WH-088": Outcome("openai-chat/wh-088-index-twice-in-a-chunk", one('{"city":1}')),
    "WH-089": Outcome(
        "openai-chat/wh-089-id-missing", one('{"x":1}', call_id="call_gen_0_0"), warnings=["id_synthesised"]
    ),
    "WH-090": Outcome("openai-chat/wh-090-id-empty-later", one('{"x":1}')),
    "WH-091": Outcome("openai-chat/wh-091-id-repeated", one('{"x":1}'), warnings=["id_repeated"]),
    "WH-092": Outcome(
        "openai-chat/name-repeated", one('{"city":"Bern"}', name="get_weather"), warnings=["name_repeated"] * 2
    ),
    "WH-093": Outcome(
        "openai-chat/wh-093-name-in-pieces", one("{}", name="get_weather"), warnings=["name_fragment"]
    ),
    "WH-094": Outcome(
        "openai-chat/wh-094-name-never",
        one("{}", name="g", call_id="call_b2"),
        "nameless_call",
        ["arguments_before_name"],
    ),
    "WH-095": Outcome(
        "openai-chat/wh-095-arguments-null",
        [("call_a1", "f", "{}", True), ("call_b2", "g", "{}", True)],
        warnings=["empty_args"] * 2,
    ),
    "WH-096": Outcome("openai-chat/wh-096-arguments-object", one('{"x":1}'), warnings=["args_not_string"]),
    "WH-097": Outcome(
        "openai-chat/wh-097-arguments-encoded-twice",
        one('"{\\"a\\":1}"', executable=False),
        warnings=["double_encoded"],
    ),
    "WH-098": Outcome("openai-chat/wh-098-whole-call", one('{"c":1}')),
    "WH-099": Outcome("openai-chat/wh-099-arguments-replayed", one('{"a":1}'), warnings=["args_replayed"]),
    "WH-100": Outcome("openai-chat/interleaved-tools", both("Rome"), warnings=["index_decreased"]),
    "WH-101": Outcome("openai-chat/wh-101-early-whole", one("{} \n")),
    "WH-102": Outcome(
        "openai-chat/cut-mid-arguments",
        one('{"city":"Reykjavík","unit":"celsi', False, "get_weather", "call_j6iFTsppDyvvVYTefwcbWps0"),
        "incomplete_stream",
    ),
    "WH-103": Outcome(
        "openai-chat/wh-103-tail-missing", one('{"a":1', executable=False), warnings=["invalid_arguments"]
    ),
    "WH-104": Outcome(
        "openai-chat/wh-104-text-after-tool", one('{"x":1}'), text="Let me see. Nearly... done."
    ),
    "WH-105": Outcome(
        "anthropic-messages/tool",
        one('{"city": "Paris", "unit": "celsius"}', True, "get_weather", "toolu_01hKSfY6sUxPREXprCGFvDwR"),
    ),
    "WH-106": Outcome("openai-chat/wh-106-retraction", one('{"x":[1,', executable=False), "provider"),
    "WH-107": Outcome(
        "gemini-generateContent/wh-107-a-call-a-chunk",
        [("gen_0", "f", '{"x":1}', True), ("gen_1", "g", '{"y":2}', True)],
    ),
    "WH-108": Outcome(
        "gemini-generateContent/wh-108-no-ids",
        [("gen_0", "f", '{"x":1}', True), ("gen_1", "f", '{"x":1}', True)],
    ),
}


def outcome(case: str, pieces: list[bytes]) -> Outcome:
    """What the decoder makes of a body in pieces."""
    decoder = Decoder(case.split("/", 1)[0])
    for piece in pieces:
        decoder.feed(piece)
    decoder.close()
    message = decoder.message
    return Outcome(
        case,
        [(call.id, call.name, call.arguments, call.executable) for call in message.tool_calls],
        message.error and message.error.kind.value,
        [warning.code for warning in decoder.warnings],
        message.text,
    )


def test_every_hazard_of_the_two_layers_has_a_case() -> None:
    assert list(HAZARDS) == [f"WH-{number:03}" for number in [*range(29, 41), *range(85, 109)]]


@pytest.mark.parametrize("hazard", HAZARDS)
def test_outcome(hazard: str) -> None:
    expected = HAZARDS[hazard]
    [case] = load(ROOT / "cassettes" / f"{expected.case}.yaml").cases()
    body = case.body

    assert (case.hazard, case.id) == (hazard, expected.case)
    assert outcome(case.id, [body]) == expected
    assert outcome(case.id, [body[at : at + 1] for at in range(len(body))]) == expected
    for at in range(1, len(body), STRIDE):
        assert outcome(case.id, [body[:at], body[at:]]) == expected, at


@pytest.mark.parametrize("hazard", HAZARDS)
def test_a_hazard_is_checked_against_its_golden_under_every_split_and_keeps_its_id(hazard: str) -> None:
    """What differs from the reference is a divergence with a name, and its reason names the hazard or what it breaks."""
    [case] = load(ROOT / "cassettes" / f"{HAZARDS[hazard].case}.yaml").cases()
    result = check_case(case, load_subject("streamcore"), CHECK, GOLDENS)

    assert result.hazard == hazard
    assert result.verdict in GREEN, result.differences
    assert any(reference.lines for reference in result.references)
    assert sum(plan.splits for plan in result.plans) >= 2 * (len(case.body) - 1)
    reasons = {entry.name: entry.reason for entry in DIVERGENCES.entries}
    used = [reasons[name] for reference in result.references for name in reference.divergences]
    assert all(hazard in reason for reason in used if "WH-" in reason)
