"""Named divergences: they excuse what they name, and not one character more."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cassette import load
from harness.divergence import Divergence, DivergenceError, Divergences, Ignored
from harness.init.shipped import excused_here

if TYPE_CHECKING:
    from collections.abc import Callable

END = '{"end":"ok"}'
GOLDEN = ['["text-delta",{"delta":"a","id":"0"}]', '["finish",{"finishReason":{"raw":"x","unified":"stop"}}]', END]
OURS = ['["text-delta",{"delta":"a","id":"0"}]', '["finish",{"finishReason":{"raw":"x","unified":"other"}}]', END]
REASON = "the reference maps this reason to another one"


def entry(*ignore: Ignored, name: str = "one", cases: tuple[str, ...] = ("d/c",), expires: str = "") -> Divergence:
    return Divergence(name, "ai.openai.chat", cases, ignore, REASON, "2026-11-21", expires)


UNIFIED = entry(Ignored("finish", ("finishReason", "unified")))


def test_an_entry_excuses_the_value_that_it_names() -> None:
    excused = Divergences((UNIFIED,)).excuse("d/c", "ai.openai.chat", GOLDEN, OURS)

    assert excused.names == ("one",)
    assert excused.expected == excused.actual == [GOLDEN[0], '["finish",{"finishReason":{"raw":"x"}}]', END]


@pytest.mark.parametrize(
    "ours",
    [
        [OURS[0].replace('"a"', '"b"'), *OURS[1:]],
        [OURS[0], OURS[1].replace('"x"', '"y"'), END],
        [*OURS[:-1], OURS[1], END],
        OURS[1:],
        [*OURS[:-1], '{"end":"error"}'],
    ],
    ids=["another part", "same part", "one more part", "one part less", "another end"],
)
def test_a_second_difference_is_not_excused(ours: list[str]) -> None:
    excused = Divergences((UNIFIED,)).excuse("d/c", "ai.openai.chat", GOLDEN, ours)

    assert (excused.names, excused.expected, excused.actual) == ((), GOLDEN, ours)


@pytest.mark.parametrize(("case", "reference"), [("d/other", "ai.openai.chat"), ("d/c", "openai.chat")])
def test_an_entry_is_about_its_cases_and_its_reference_alone(case: str, reference: str) -> None:
    assert Divergences((UNIFIED,)).excuse(case, reference, GOLDEN, OURS).names == ()


def test_a_side_narrows_which_trace_may_have_the_line() -> None:
    extra = '["error",{"kind":"invalid_payload"}]'
    only_golden = Divergences((entry(Ignored("error", side="golden")),))

    assert only_golden.excuse("d/c", "ai.openai.chat", [extra, END], [END]).names == ("one",)
    assert only_golden.excuse("d/c", "ai.openai.chat", [END], [extra, END]).names == ()
    assert only_golden.excuse("d/c", "ai.openai.chat", [extra, END], [extra, END]).names == ()


@pytest.mark.parametrize(
    ("path", "golden", "ours"),
    [
        (("a", "*", "x"), '{"a":[{"x":1,"y":2},{"x":3}]}', '{"a":[{"x":9,"y":2},{"x":8}]}'),
        (("a", "1"), '{"a":[1,2]}', '{"a":[1,3]}'),
        (("a", "*"), '{"a":{"k":1}}', '{"a":{"l":1}}'),
        (("a",), '{"a":1}', "{}"),
        (("a", "b"), '{"a":{"b":{}},"c":1}', '{"a":{},"c":1}'),
    ],
)
def test_paths_reach_into_lists_and_objects(path: tuple[str, ...], golden: str, ours: str) -> None:
    entries = Divergences((entry(Ignored("raw", path)),))

    assert entries.excuse("d/c", "ai.openai.chat", [f'["raw",{golden}]'], [f'["raw",{ours}]']).names == ("one",)


def test_a_list_does_not_close_up_where_an_item_is_left_out() -> None:
    entries = Divergences((entry(Ignored("raw", ("a", "0"))),))

    assert entries.excuse("d/c", "ai.openai.chat", ['["raw",{"a":[1,2]}]'], ['["raw",{"a":[2]}]']).names == ()


@pytest.mark.parametrize(("part", "golden", "ours"), [("end", END, '{"end":"no"}'), ("final", '{"x":1}', '{"x":2}')])
def test_end_lines_and_final_messages_have_paths_too(part: str, golden: str, ours: str) -> None:
    path = ("end",) if part == "end" else ("x",)
    entries = Divergences((entry(Ignored(part, path)),))

    assert entries.excuse("d/c", "ai.openai.chat", [golden], [ours]).names == ("one",)


def test_only_entries_that_were_needed_are_named() -> None:
    text = entry(Ignored("text-delta", ("delta",)), name="text")
    idle = entry(Ignored("source"), name="idle")
    both = [OURS[0].replace('"a"', '"b"'), *OURS[1:]]

    entries = Divergences((idle, UNIFIED, text))

    assert entries.excuse("d/c", "ai.openai.chat", GOLDEN, OURS).names == ("one",)
    assert entries.excuse("d/c", "ai.openai.chat", GOLDEN, both).names == ("one", "text")


def test_an_entry_that_was_not_needed_is_stale_once_all_its_cases_were_run() -> None:
    by_id = entry(Ignored("finish"), name="by-id", cases=("d/a", "d/b"))
    by_glob = entry(Ignored("finish"), name="by-glob", cases=("d/*",))
    entries = Divergences((by_id, by_glob))

    assert entries.unused(set(), {"d/a", "d/b"}) == ["by-id", "by-glob"]
    assert entries.unused({"by-id"}, {"d/a", "d/b"}) == ["by-glob"]
    assert entries.unused(set(), {"d/a"}, known={"d/a", "d/b"}) == []
    assert entries.unused(set(), {"e/x"}) == []


def test_an_expired_entry_is_stale_although_it_is_still_needed() -> None:
    entries = Divergences((entry(Ignored("finish"), expires="2027-01-01"),))

    assert entries.unused({"one"}, {"d/c"}, today=dt.date(2026, 12, 31)) == []
    assert entries.unused({"one"}, {"d/c"}, today=dt.date(2027, 1, 1)) == ["one"]
    assert entries.unused({"one"}, {"d/other"}, today=dt.date(2027, 1, 1)) == []


VALID = f"""\
# why
- name: one
  reference: ai.openai.chat
  cases: [d/c, "d/x*"]
  ignore:
    - {{part: finish, path: finishReason.unified}}
    - {{part: error, side: golden}}
  reason: {REASON}
  since: 2026-11-21
  expires: 2027-01-01
  issue: "https://example.org/1"
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def to_file(text: str) -> Path:
        path = tmp_path / "divergences.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def test_a_file_is_read(write: Callable[[str], Path]) -> None:
    entries = Divergences.load(write(VALID))

    assert entries.entries == (
        Divergence(
            "one",
            "ai.openai.chat",
            ("d/c", "d/x*"),
            (Ignored("finish", ("finishReason", "unified")), Ignored("error", side="golden")),
            REASON,
            "2026-11-21",
            "2027-01-01",
        ),
    )
    assert entries.reason("one") == f"{REASON} (since 2026-11-21)"
    assert entries.reason("two") == ""


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n"])
def test_a_file_without_entries_is_fine(write: Callable[[str], Path], text: str) -> None:
    assert Divergences.load(write(text)).entries == ()


def test_no_file_is_no_entries(tmp_path: Path) -> None:
    assert Divergences.load(tmp_path / "none.yaml").entries == ()


def test_the_projects_own_file_is_valid() -> None:
    path = Path(__file__).parents[2] / "golden" / "divergences.yaml"

    assert path.is_file()
    assert all(entry.reason for entry in Divergences.load(path).entries)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("- name", "name", r":\d+: not YAML: "),
        ("# why", "a: 1\n---", ":1: not YAML: |: not YAML"),
        ("name: one", "name: One Two", r":2: name: 'One Two' does not match"),
        ("reference: ai.openai.chat", "reference: ai.nobody", r":3: reference: 'ai.nobody' is none of ai\.anthropic, "),
        ("cases: [d/c,", "cases: [c,", r":4: cases\.0: 'c' does not match"),
        ("path: finishReason", "pfad: finishReason", r":6: ignore\.0: .*'pfad' was unexpected"),
        ("side: golden", "side: theirs", r":7: ignore\.1\.side: 'theirs' is not one of \['golden', 'ours'\]"),
        ("error, side", "error, path: x, side", r":7: ignore\.1: a path and a side exclude each other"),
        (REASON, "short", r":8: reason: 'short' is too short"),
        ("since: 2026-11-21", "since: lately", r":9: since: 'lately' does not match"),
        ("  since: 2026-11-21\n", "", r":2: entry: 'since' is a required property"),
        ("issue:", "isue:", r":2: entry: .*'isue' was unexpected"),
        ("# why\n- name", "# why\nx:\n- name", r":2: the file: .* is not of type 'array'"),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place(
    write: Callable[[str], Path], old: str, new: str, complaint: str
) -> None:
    assert old in VALID
    path = write(VALID.replace(old, new, 1))

    with pytest.raises(DivergenceError, match=complaint) as caught:
        Divergences.load(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_name_stands_once(write: Callable[[str], Path]) -> None:
    with pytest.raises(DivergenceError, match=r":13: name: 'one' stands twice; names are unique"):
        Divergences.load(write(VALID + VALID))


def test_recordings_of_the_local_model_are_excused_by_what_is_known_of_it_and_others_are_not() -> None:
    """Everybody's local model leaves out the same; a live recording of the same name is no such thing."""
    folder = Path(__file__).parents[2] / "cassettes" / "openai-responses"
    cases = [case for path in sorted(folder.glob("local-*.yaml")) for case in load(path).cases(str(path))]
    assert len(cases) > 1
    borrowed = excused_here(Divergences(), cases)
    assert {case.id for case in cases} == {name for entry in borrowed.entries for name in entry.cases}
    live = [replace(case, provenance="live") for case in cases]
    assert excused_here(Divergences(), live) == Divergences()
    own = Divergences.load(Path(__file__).parents[2] / "golden" / "divergences.yaml")
    assert excused_here(own, cases) == own, "what a project says itself is not said twice"
