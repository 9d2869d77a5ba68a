"""``streamparity drift``: what is planted is laid at the right door, and what cannot be checked is not called sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from harness.case import Case
from harness.cassette import Cassette
from harness.drift.cli import drift
from harness.drift.provider import ENOUGH, Comparison, Sighting, known_recordings
from harness.drift.shape import Shape
from harness.drift.wire import Recording, of_case, of_cassette
from harness.exits import DIFFERENCE, HARNESS, INPUT, PARITY, USAGE
from harness.oracle import OracleError

from .checkout import TEXT, replace
from .drifting import UNFIT, Run, drifting, new_one, put_new
from .inspected import CUTS, pieces

ANSWERS = ("provider", "reference", "we")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return drifting(tmp_path, monkeypatch, capsys)


def answers(found: dict[str, Any]) -> list[str]:
    return [found[party]["answer"] for party in ANSWERS]


def whats(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["what"], one["path"] or one["now"]) for one in found["provider"]["findings"]]


def sightings(made: Cassette) -> list[Sighting]:
    """What a new recording has that those of the checkout have not."""
    known, unread = known_recordings(Path("cassettes"), (), "openai-chat")
    assert not unread
    (recording,) = of_cassette(made, "made")
    return list(Comparison(recording, Shape(known), known).sightings())


def test_without_anything_new_the_core_alone_is_compared(run: Run) -> None:
    code, out, found = run()
    assert (code, found["moved"], answers(found)) == (PARITY, [], ["not-asked", "not-asked", "did-not-move"])
    assert "the provider   not checked: give --new DIR" in out
    assert "the reference  not checked: give --sdk NAME=VERSION" in out
    assert found["we"]["checked"] == 9
    assert out.endswith("nobody moved that was checked; nobody asked about the provider and the reference\n")


def test_values_pieces_and_chunks_are_no_drift(run: Run) -> None:
    edits = (("Hello!", "Ahoy, é!"), ('"total_tokens":28', '"total_tokens":1e3'), ("chatcmpl-dN", "chatcmpl-xx"))
    for size in CUTS:
        assert sightings(new_one(*edits, size=size)) == []
    put_new(*edits, size=7)
    code, out, found = run("--new", "new", "--sdk", "openai=6.49.0")
    assert (code, answers(found)) == (PARITY, ["did-not-move"] * 3)
    assert "openai-chat: 1 new recording against 3 known (3 simulator)" in out
    assert "openai: 6.49.0 is the version that made the goldens" in out
    assert out.endswith("nobody moved\n")


def test_each_planted_change_of_the_wire_is_the_providers(run: Run) -> None:
    planted = [
        ('"content":" can"', '"text":" can"', [("new-member", "$.choices[*].delta.text")], '"text":" can"'),
        ('"finish_reason":"stop"', '"finish_reason":"halted"', [("new-value", "$.choices[*].finish_reason")], '"halted"'),
        ('"created":1767225600', '"created":"now"', [("new-type", "$.created")], '"created":"now"'),
        (',"model":"gpt-4o-mini-2024-07-18"', "", [("member-gone", "$.model")], "data: "),
        ("data: [DONE]\n\n", "", [("new-order", "(end) after chat.completion.chunk"), ("event-gone", "[DONE]")], None),
        ("data: [DONE]", 'data: {"type":"bye"}\n\ndata: [DONE]', [("new-event", 'bye with type')], 'data: {"type":"bye"}'),
        ("data: [DONE]", "event: end\nid: 1\ndata: [DONE]", [("new-event", "end [DONE]"), ("event-gone", "[DONE]")], "event: end"),
        ("data: [DONE]", "retry: 1\ndata: [DONE]", [("new-field", "retry")], "retry: 1"),
    ]  # fmt: skip
    for number, (old, new, told, where) in enumerate(planted):
        made = new_one((old, new), size=CUTS[number % len(CUTS)])
        found = sightings(made)
        assert [(what, path or now) for (what, _, path, now), *_ in found] == told, new
        _, place, _, recordings = found[0]
        body = made.interactions[0].body
        assert (place.case, place.source, recordings) == (TEXT, "made", 3)
        at = None if where is None else body.index(where.encode())
        assert (place.byte, place.frame) == (at, None if at is None else body[:at].count(b"\n\n") + 1)
    put_new((old, new))
    code, out, document = run("--new", "new", "--sdk", "openai=6.49.0")
    assert (code, document["moved"], answers(document)) == (DIFFERENCE, ["provider"], ["moved", *["did-not-move"] * 2])
    assert "openai-chat: new field or header retry of [DONE]\n" in out
    assert f"(new/openai-chat/text.yaml), frame {place.frame}, byte {place.byte}\n    never seen in 3 recordings" in out
    assert out.endswith("moved: the provider\n")


def test_headers_are_part_of_the_shape(run: Run) -> None:
    put_new(
        response_headers=(("content-type", "application/x-ndjson"), ("transfer-encoding", "chunked"), ("server", "new"))
    )
    code, _, found = run("--new", "new")
    assert (code, found["moved"]) == (DIFFERENCE, ["provider"])
    assert whats(found) == [
        ("media-type", "application/x-ndjson"),
        ("new-header", "server"),
        ("header-gone", "cache-control"),
    ]


def test_the_same_drift_in_several_recordings_is_told_once(run: Run) -> None:
    for case in (TEXT, "openai-chat/length"):
        put_new(('"object":', '"mood":1,"object":'), case=case)
    code, out, found = run("--new", "new")
    assert (code, whats(found)) == (DIFFERENCE, [("new-member", "$.mood")])
    assert [place["case"] for place in found["provider"]["findings"][0]["places"]] == ["openai-chat/length", TEXT]
    assert "; and in 1 more recording" in out


def test_another_sdk_version_that_gives_something_else_is_the_references(run: Run, tmp_path: Path) -> None:
    oracle = Path("golden/oracle")
    before = {path: path.read_bytes() for path in oracle.rglob("*") if path.is_file()}
    code, out, found = run("--sdk", "openai=latest")
    assert (code, found["moved"], answers(found)[2]) == (DIFFERENCE, ["reference"], "did-not-move")
    assert found["reference"]["versions"] == [{"package": "openai", "from": "6.49.0", "to": "7.0.0"}]
    (finding,) = found["reference"]["findings"]
    assert (finding["case"], finding["reference"], finding["package"]) == (TEXT, "openai.chat", "openai 7.0.0")
    assert (finding["line"], finding["path"]) == (0, "end.final.choices[0].message.content")
    assert "Hello!" in finding["golden"]
    assert "Hallo!" in finding["now"]
    assert "the reference  moved: openai 6.49.0 -> 7.0.0; 1 of 9 goldens differ\n" in out
    assert "golden U+0065 LATIN SMALL LETTER E; now U+0061 LATIN SMALL LETTER A" in out
    assert before == {path: path.read_bytes() for path in oracle.rglob("*") if path.is_file()}


def test_a_wrong_core_is_ours_and_several_may_have_moved(run: Run) -> None:
    code, out, found = run("--subject", "mutant:done-parsed", "--sdk", "openai=6.49.0")
    assert (code, found["moved"], answers(found)[1]) == (DIFFERENCE, ["we"], "did-not-move")
    assert {one["reference"] for one in found["we"]["findings"]} == {"ai.openai.chat"}
    assert out.endswith("moved: we; nobody asked about the provider\n")
    put_new(('"content":" can"', '"text":" can"'))
    code, out, found = run("--subject", "mutant:done-parsed", "--sdk", "@ai-sdk/openai=3.1.0", "--new", "new")
    assert (code, found["moved"]) == (DIFFERENCE, list(ANSWERS))
    assert out.endswith("moved: the provider and the reference and we\n")


def test_what_cannot_be_checked_is_an_answer_of_its_own(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*arguments: str) -> tuple[int, list[str], str]:
        code, out, found = run(*arguments)
        assert "nobody is known to have moved; could not check all of" in out
        return code, answers(found), " ".join(one["reason"] for party in ANSWERS for one in found[party]["unchecked"])

    code, said, why = told("--new", "nowhere")
    assert (code, said) == (INPUT, ["could-not-check", "not-asked", "did-not-move"])
    assert why == "nowhere: not there; name a cassette or a folder of them"

    put_new(status=401)
    code, said, why = told("--new", "new")
    assert (code, said[0]) == (INPUT, "could-not-check")
    assert why.startswith("the provider answered HTTP 401")

    put_new()
    Path("new/openai-chat/broken.yaml").write_text("version: 1\n")
    code, said, why = told("--new", "new")
    assert (code, said[0]) == (INPUT, "could-not-check")
    assert "not a streamparity cassette" in why

    code, said, why = told("--sdk", f"@ai-sdk/openai={UNFIT}")
    assert (code, said[1]) == (INPUT, "could-not-check")
    assert why.endswith("SyntaxError: no such export; it wants others with it: add --sdk openai=8.0.0")

    monkeypatch.setenv("NPM_FAILS", "1")
    code, said, why = told("--sdk", "openai=latest")
    assert (code, said) == (INPUT, ["not-asked", "could-not-check", "did-not-move"])
    assert "said: code ENOTFOUND; network request to the registry failed" in why
    monkeypatch.setattr("harness.drift.reference.find_node", _no_node)
    assert "no `node` in PATH" in told("--sdk", "openai=latest")[2]


def _no_node() -> tuple[str, str]:
    raise OracleError("making goldens needs Node 20 or newer, and there is no `node` in PATH: install it")


def test_goldens_and_cassettes_that_cannot_be_used_say_nothing_about_the_core(run: Run) -> None:
    replace(Path(f"golden/{TEXT}.ai.openai.chat.ndjson"), "Hello!", "Hallo!")
    Path("cassettes/openai-chat/length.yaml").write_text("nothing")
    code, out, found = run()
    assert (code, answers(found)[2], found["we"]["checked"]) == (INPUT, "could-not-check", 3)
    assert {one["what"] for one in found["we"]["unchecked"]} == {TEXT, "openai-chat/length"}
    assert "not the golden that was made" in out
    for path in Path("golden/openai-chat").iterdir():
        path.unlink()
    code, out, found = run("--sdk", "openai=7.0.0", "--new", "nowhere")
    assert (code, answers(found)) == (HARNESS, ["could-not-check"] * 3)
    assert out.endswith("nothing could be checked: this says nothing about who moved\n")


def test_a_divergence_that_no_longer_occurs_is_ours(run: Run) -> None:
    entry = f"""
- name: planted
  reference: ai.openai.chat
  cases: [{TEXT}]
  ignore: [{{part: finish}}]
  reason: Planted here, and nothing that ever occurred anywhere.
  since: 2026-01-01
"""
    path = Path("golden/divergences.yaml")
    path.write_text(path.read_text() + entry)
    code, out, found = run()
    assert (code, found["moved"]) == (DIFFERENCE, ["we"])
    assert [one["case"] for one in found["we"]["findings"]] == ["planted"]
    assert "no longer occurs" in out


def recording(name: str, *events: str, size: int = 0) -> Recording:
    body = "".join(f"data: {event}\n\n" for event in events).encode()
    return of_case(Case(f"openai-chat/{name}", "openai-chat", body, chunks=pieces(body, size)))


def test_what_leaves_the_grammar_of_events_is_drift() -> None:
    says, ends = '{"choices":[{"delta":{"content":"x"}}]}', '{"choices":[{"delta":{},"finish_reason":"stop"}]}'
    known = [recording("1", says, ends, "[DONE]"), recording("2", says, says, ends, "[DONE]")]
    for size in CUTS:
        new = recording("3", says, ends, says, "[DONE]", size=size)
        ((key, place, _, _),) = Comparison(new, Shape(known), known).sightings()
        assert key == ("against-grammar", "(object)", "", "content while choice N is in the state finished")
        assert (place.frame, place.byte) == (3, new.body.rindex(says.encode()) - len("data: "))
        assert not list(Comparison(new, Shape([*known, new]), [*known, new]).sightings())


def test_a_corpus_is_known_too_and_known_recordings_are_not_new(run: Run) -> None:
    put_new(('"object":', '"mood":1,"object":'))
    body = Path("corpus/openai-chat/x.body")
    body.parent.mkdir(parents=True)
    body.write_bytes(b'data: {"object":"chat.completion.chunk","mood":2,"choices":[]}\n\ndata: [DONE]\n\n')
    code, out, found = run("--new", "new", "--corpus", "corpus")
    assert (code, found["provider"]["answer"]) == (PARITY, "did-not-move")
    assert "against 4 known (1 public, 3 simulator)" in out
    for words in (("--new", "cassettes"), ("--corpus", "corpus"), ("--sdk", "opnai=1"), ("--sdk", "openai=--global")):
        assert CliRunner().invoke(drift, words).exit_code == USAGE


def test_what_only_some_recordings_have_is_optional() -> None:
    known = [
        recording("1", '{"a":1,"b":{"type":"x","c":null}}', '{"a":2}'),
        recording("2", '{"a":1,"d":["text"]}', "[DONE]"),
        recording("3", '{"a":1,"d":[]}', "[DONE]"),
    ]
    shape = Shape(known)
    said = {
        '{"a":9}': [],
        '{"a":9,"d":[]}': [],
        '{"a":9,"b":{"type":"x","c":null}}': [],
        '{"d":[]}': [("member-gone", "$.a")],
        '{"a":9,"d":[7]}': [("new-type", "$.d")],
        '{"a":9,"b":{"type":"y","z":1}}': [("new-value", "$.b.type")],
        '{"a":9,"b":{"c":null}}': [("member-gone", "$.b.type")],
        '{"a":9,"b":{"type":"x","c":0}}': [("new-type", "$.b<x>.c")],
        '{"a":9,"e":{"type":"x","c":0}}': [("new-member", "$.e")],
    }
    assert len(known) == ENOUGH
    for number, (event, told) in enumerate(said.items()):
        new = recording("4", event, size=CUTS[number % len(CUTS)])
        assert [(key[0], key[2]) for key, *_ in Comparison(new, shape, known).sightings()] == told, event
