"""Matching and playing: the right recording for each request, each once, and a miss that says why and gives nothing away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.chunking import Chunking, PlanError
from harness.replay.matching import asked, differences, nearest, same
from harness.replay.player import NoRecordingError, Player, UnplayedError, VirtualClock, playback

from .replayed import BODY, CHUNKS, cassette, interaction

URL = "https://api.test/v1/chat?version=1"
KEY = "sk-proj-" + "Ab1_" * 10

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


# --- which request is the same ---


@given(json_values)
def test_json_is_compared_by_value_whoever_wrote_it(value: Any) -> None:
    plain = asked("POST", URL, json.dumps(value).encode())
    spaced = asked("post", URL, json.dumps(value, indent=3, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if isinstance(value, dict):
        turned = asked("POST", URL, json.dumps(dict(reversed(value.items()))).encode())
        assert same(plain, turned)
    assert plain.json is not None
    assert same(plain, spaced) or spaced.json is None
    assert differences(plain, plain) == []


@given(json_values, json_values)
def test_a_difference_is_told_exactly_where_requests_are_not_the_same(one: Any, other: Any) -> None:
    recorded, wanted = (asked("POST", URL, json.dumps(value).encode()) for value in (one, other))
    assert bool(differences(recorded, wanted)) == (not same(recorded, wanted))


@pytest.mark.parametrize(
    ("method", "url", "body", "fits"),
    [
        ("POST", URL, b'{"a":1.0,"b":[true]}', True),
        ("POST", URL, b'{"b":[true],"a":1}', True),
        ("POST", "http://127.0.0.1:9/v1/chat?version=1", b'{"b":[true],"a":1}', True),
        ("POST", URL + "&key=AIzaWhatever&api_key=x", b'{"b":[true],"a":1}', True),
        ("POST", URL, b'{"b":[1],"a":1}', False),
        ("POST", URL, b'{"b":[true],"a":1,"c":null}', False),
        ("PUT", URL, b'{"b":[true],"a":1}', False),
        ("POST", "https://api.test/v1/chat?version=2", b'{"b":[true],"a":1}', False),
        ("POST", "https://api.test/v1/chat/?version=1", b'{"b":[true],"a":1}', False),
        ("POST", URL, b"", False),
        ("POST", URL, b"--x\r\n{}", False),
    ],
)
def test_what_counts_is_method_path_query_and_body(method: str, url: str, body: bytes, fits: bool) -> None:
    recorded = asked("POST", URL, b'{"a":1,"b":[true]}')
    wanted = asked(method, url, body)
    assert same(recorded, wanted) == fits
    assert bool(differences(recorded, wanted)) != fits


def test_other_bodies_are_compared_byte_by_byte() -> None:
    recorded = asked("POST", URL, b"--x\r\n\xff 1\r\n--x--")
    assert same(recorded, asked("POST", URL, b"--x\r\n\xff 1\r\n--x--"))
    [line] = differences(recorded, asked("POST", URL, b"--x\r\n\xff 2\r\n--x--"))
    assert line.startswith("body: differs from byte 7 on: recorded b'--x\\r\\n\\xff 1")
    assert same(asked("GET", URL, None), asked("GET", URL, b""))


def test_a_redacted_recording_answers_the_request_it_was_made_of() -> None:
    sent = json.dumps({"user": "ann.lee@corp.io", "note": KEY}).encode()
    kept = sent.replace(KEY[8:].encode(), (b"REDACTED" * 5)[:40]).replace(b"ann.lee@corp.io", b"xxx.xxx@xxxx.xx")
    assert same(asked("POST", URL, kept), asked("POST", URL, sent))


def test_long_differences_are_cut_and_counted() -> None:
    recorded = asked("POST", URL, json.dumps({f"k{n}": n for n in range(50)}).encode())
    lines = differences(recorded, asked("POST", URL, json.dumps({"k": "x" * 5000}).encode()))
    assert len(lines) == 13
    assert lines[-1] == "... and 39 more"
    assert all(len(line) < 280 for line in lines)


def test_the_nearest_is_that_of_the_same_path_and_most_in_common() -> None:
    messages = [{"role": "user", "content": "hi"}]
    recorded = [
        asked("POST", "https://a/v1/other", json.dumps({"model": "m", "messages": messages}).encode()),
        asked("POST", URL, b'{"model":"other"}'),
        asked("POST", URL, json.dumps({"model": "m", "messages": messages, "n": 2}).encode()),
    ]
    assert nearest(asked("POST", URL, json.dumps({"model": "m", "messages": messages}).encode()), recorded) == 2


# --- each once, in order ---


def bodies(player: Player, *asks: bytes) -> list[bytes]:
    return [player.take("POST", URL, (), ask).interaction.body for ask in asks]


def test_recordings_of_one_request_are_played_in_order_and_once() -> None:
    player = Player(
        cassette(
            *(interaction(body, (1,), asks={"q": 1}) for body in (b"1", b"2")), interaction(b"3", (1,), asks={"q": 2})
        )
    )
    assert bodies(player, b'{"q":2}', b'{"q":1}') == [b"3", b"1"]
    with pytest.raises(UnplayedError, match=r"1 of 3 recordings.*\n  openai-chat/made-2: POST /v1/chat\?version=1"):
        player.assert_all_played()
    assert bodies(player, b'{"q":1}') == [b"2"]
    player.assert_all_played()
    with pytest.raises(NoRecordingError, match=r"once more than the 2 times.*allow_repeats"):
        player.take("POST", URL, (), b'{"q":1}')
    with pytest.raises(NoRecordingError, match="once more"):
        player.assert_all_played()


def test_repeats_if_allowed_are_of_the_last() -> None:
    player = Player(cassette(*(interaction(body, (1,)) for body in (b"1", b"2"))), allow_repeats=True)
    assert bodies(player, b"", b"", b"", b"") == [b"1", b"2", b"2", b"2"]
    assert player.plays == (("openai-chat/made", 1), ("openai-chat/made-2", 3))
    player.assert_all_played()


def test_the_context_judges_unless_something_else_went_wrong() -> None:
    with pytest.raises(UnplayedError), Player(cassette(interaction())):
        pass
    with pytest.raises(ZeroDivisionError), Player(cassette(interaction())):
        1 / 0  # noqa: B018 - raises
    with Player(cassette(interaction()), allow_unplayed=True):
        pass
    with pytest.raises(NoRecordingError, match="there are no recordings"), Player():  # noqa: PT012 - all of the block may raise it
        with pytest.raises(NoRecordingError):
            Player().take("POST", URL)
        player = Player()
        with pytest.raises(NoRecordingError):
            player.take("POST", URL)
        player.assert_all_played()


def test_a_miss_shows_the_nearest_and_the_difference_but_no_key() -> None:
    player = Player(cassette(interaction(asks={"model": "gpt-5", "input": "hello"})))
    secret = "a-key-of-no-known-kind"
    headers = (("Authorization", f"Bearer {secret}"),)
    sent = json.dumps({"model": "gpt-4", "input": f"my key is {secret} or {KEY}"}).encode()
    with pytest.raises(NoRecordingError) as caught:
        player.take("POST", f"{URL}&key=another-secret&path={secret}", headers, sent)
    said = str(caught.value)
    assert "POST /v1/chat?version=1&path=REDACTED" in said
    assert "the nearest is openai-chat/made (POST /v1/chat?version=1)" in said
    assert """Value of root['model'] changed from "gpt-5" to "gpt-4".""" in said
    for hidden in (secret, KEY[8:], "another-secret"):
        assert hidden not in said


def test_files_and_folders_are_played(tmp_path: Path) -> None:
    from harness.cassette import save

    for name in ("b", "a"):
        save(cassette(interaction(name.encode(), (1,))), tmp_path / "x" / f"{name}.yaml")
    assert bodies(Player(tmp_path), b"", b"") == [b"a", b"b"]
    assert bodies(Player(str(tmp_path / "x" / "b.yaml"), tmp_path / "x" / "a.yaml"), b"", b"") == [b"b", b"a"]


# --- how it is cut ---


@pytest.mark.parametrize(
    ("plan", "lengths", "end"),
    [
        ("recorded", CHUNKS, "reset"),
        ("whole", (len(BODY),), "reset"),
        ("bytes", (1,) * len(BODY), "reset"),
        ("cuts@16,17", (16, 1, len(BODY) - 17), "reset"),
        ("split@9999", (len(BODY),), "reset"),
        ("cut@5", (5,), "cut"),
        ("cut@0", (), "cut"),
        (Chunking("mine", (2, 4), 8), (2, 2, 4), "cut"),
    ],
)
def test_a_body_comes_in_exactly_the_planned_chunks(plan: Any, lengths: tuple[int, ...], end: str) -> None:
    played = playback(interaction(end="reset"), plan)
    assert tuple(map(len, played.chunks)) == lengths
    assert b"".join(played.chunks) == BODY[: sum(lengths)]
    assert (played.end, len(played.at_ms)) == (end, len(lengths))


def test_a_chunk_is_due_when_the_recording_had_its_last_byte() -> None:
    one = interaction(b"abcdef", (1, 2, 3), at_ms=(5.0, 7.5, 100.0))
    assert playback(one, "bytes").at_ms == (5.0, 7.5, 7.5, 100.0, 100.0, 100.0)
    assert playback(one, "every:2").at_ms == (7.5, 100.0, 100.0)
    assert playback(one, "whole").at_ms == (100.0,)
    assert playback(interaction(b"abc", (), at_ms=()), "recorded").at_ms == (0.0,)


@pytest.mark.parametrize(
    "plan", ["every-split", "structural", "certificate", "faults:gzip", "cut-at-every-byte", "nope"]
)
def test_a_plan_that_is_no_one_way_is_refused_at_once(plan: str) -> None:
    with pytest.raises(PlanError, match=r"a replay sends it once|no plan is called"):
        Player(cassette(interaction()), plan=plan)


def test_virtual_time_passes_without_waiting() -> None:
    clock = VirtualClock()
    clock.sleep(3_600_000.0)
    assert clock.now() == 3_600_000.0
