"""Redaction: secrets and personal data go, lengths stay, and what was done is listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.record import eventstream
from harness.record.recorder import exchange, to_cassette
from harness.record.redaction import redact, redact_bytes
from harness.record.simulator import Answer, Simulator
from harness.record.transport import Recording

KEY = "sk-proj-" + "Ab1_" * 10


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"key {KEY} end", "api-key"),
        ("sk-ant-api03-" + "x" * 40, "api-key"),
        ("AIza" + "B" * 35, "api-key"),
        ("gsk_" + "c" * 30, "api-key"),
        ("AKIA" + "D" * 16, "access-key-id"),
        ("Bearer " + "e" * 20, "bearer-token"),
        ("org-" + "F1" * 12, "organization-id"),
        ("proj_" + "g2" * 12, "project-id"),
        ("user-" + "h3" * 12, "user-id"),
        ("write to jane.doe@acme.co.uk now", "email"),
    ],
)
def test_kinds_of_secret_are_masked_at_the_same_length(text: str, kind: str) -> None:
    data = f'{{"é":"{text}"}}'.encode()
    masked, found = redact_bytes(data)
    assert dict(found) == {kind: 1}
    assert len(masked) == len(data)
    assert text.split()[-1].encode() not in masked or " " in text
    assert redact_bytes(masked)[0] == masked, "masking again changes nothing"


@pytest.mark.parametrize(
    "text",
    ["a@example.com", "x@mail.example.org", "sk-short", "risk-management-department-x", "user-friendly", "org-chart"],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact_bytes(text.encode()) == (text.encode(), {})


@given(st.binary(max_size=200))
def test_redaction_never_changes_a_length(data: bytes) -> None:
    assert len(redact_bytes(data, (b"12345678",))[0]) == len(data)


def test_headers_are_kept_by_an_allow_list_and_the_rest_is_named() -> None:
    def answer(path: str, request: Any) -> Answer:
        headers = (("content-type", "text/event-stream"), ("Openai-Organization", "acme"), ("Set-Cookie", "a=b"))
        return Answer((f'data: {{"echo":"{request["model"]}"}}\n\n'.encode(),), headers=headers)

    secret = "-".join(["not", "of", "a", "known", "kind"])
    with Simulator(answer) as simulator:
        url = f"{simulator.address}/v1/chat/completions?key=abcdefgh&v=1"
        recording = exchange(url, {"authorization": f"Bearer {secret}"}, {"model": secret}, 5)
    assert secret in str(recording), "else this test shows nothing"
    cassette = to_cassette(recording, "openai-chat", "x", "m", "live", secrets=(secret,))
    assert secret not in str(cassette)
    (interaction,) = cassette.interactions
    assert len(interaction.body) == len(recording.body)
    assert interaction.uri == "http://live.invalid/v1/chat/completions?key=REDACTED&v=1"
    assert {name for name, _ in interaction.response_headers} == {"content-type", "transfer-encoding"}
    assert {(item.where, item.what, item.count) for item in cassette.recorded.redactions} == {
        ("request.uri", "loopback address named live.invalid", 1),
        ("request.uri", "secret-in-query, same length", 1),
        ("request.headers", "authorization dropped", 1),
        ("request.body", "secret-in-use, same length", 1),
        ("response.headers", "openai-organization dropped", 1),
        ("response.headers", "set-cookie dropped", 1),
        ("response.body", "secret-in-use, same length", 1),
    }


def test_redacting_twice_finds_nothing_more() -> None:
    with Simulator(lambda _path, _request: Answer((b"data: mail bob@acme.io\n\n",))) as simulator:
        once, done = redact(exchange(simulator.address, {"authorization": "Bearer x"}, {}, 5))
    assert [item.where for item in done] == ["request.headers", "response.body"]
    assert redact(once) == (once, ())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"organization": "acme-corp"}', "organization-id"),
        ('{"orgId":"acme \\" corp"}', "organization-id"),
        ('{"project_id":"p-1"}', "project-id"),
        ('{"account_id": 123456789, "n": 1}', "account-id"),
        ('{"user":"é 你"}', "user-id"),
        ('{"safety_identifier" : "u1"}', "user-id"),
        ('{"email":"not an address"}', "email"),
        ('{"arn":"arn:aws:bedrock:eu-west-1:210987654321:model/x"}', "account-id"),
        ('{"url":"https://acme.openai.azure.com/x"}', "organization-id"),
        ('{"name":"projects/acme-prod/locations/eu"}', "project-id"),
        ('{"id":"/subscriptions/01234567-89ab-cdef-0123-456789abcdef/x"}', "account-id"),
    ],
)
def test_what_says_who_asked_is_masked_and_json_stays_json(text: str, kind: str) -> None:
    data = text.encode()
    masked, found = redact_bytes(data)
    assert dict(found) == {kind: 1}
    assert (len(masked), masked == data) == (len(data), False)
    assert json.loads(masked).keys() == json.loads(data).keys()
    assert redact_bytes(masked) == (masked, {}), "masking again changes nothing"


@pytest.mark.parametrize(
    "text",
    [
        '{"user":null,"organization":{"x":1},"email":"jane@example.com","account_id":{"type":"string"},"user_id":7}',
        '{"arguments":"{\\"user_id\\":\\"u-1\\"}"}',
        '{"role":"user","type":"user"}',
    ],
)
def test_names_without_a_value_of_anyones_stay(text: str) -> None:
    assert redact_bytes(text.encode()) == (text.encode(), {})


def test_messages_of_an_event_stream_keep_true_checksums_and_false_ones() -> None:
    payload = b'{"user_id":"somebody","delta":{"text":"hi"}}'
    sound = eventstream.event("contentBlockDelta", payload)
    broken = sound[:-1] + bytes([sound[-1] ^ 1])
    headers = (("content-type", "application/vnd.amazon.eventstream"),)
    for tail in (b"", sound[:20]):
        recording = Recording(
            "POST", "https://b.test/", (), b"", 200, "OK", headers, sound + broken + tail, (), (), "cut", False,
            datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip
        body = redact(recording)[0].body
        expected = eventstream.event("contentBlockDelta", payload.replace(b"somebody", b"REDACTED"))
        assert body[: len(sound)] == expected
        assert body[len(sound) :] == expected[:-4] + broken[-4:] + tail
