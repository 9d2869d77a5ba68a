"""Snapshots to deltas: the vectors for every mode, and what holds for all of them."""

from __future__ import annotations

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcore.errors import CallerError
from streamcore.snapshots import OnDivergence, SnapshotDivergence, SnapshotTracker

from .json_texts import cut

UPDATES = ["Hel", "Hello", "Hello", "xxHello!", "bye", "byebye"]
ERROR = "error"
MODES: list[OnDivergence] = ["error", "replace", "hold"]


def always(*deltas: str) -> dict[OnDivergence, list[str]]:
    """The same in every mode."""
    return {mode: list(deltas) for mode in MODES}


VECTORS: list[tuple[list[str], dict[OnDivergence, list[str]]]] = [
    (
        UPDATES,
        {
            "replace": ["Hel", "lo", "", "!", "bye", "bye"],
            "hold": ["Hel", "lo", "", "!", "", ""],
            "error": ["Hel", "lo", "", ERROR, ERROR, ERROR],
        },
    ),
    (["", "a", "", "ab"], always("", "a", "", "b")),
    (["aa", "aaa"], always("aa", "a")),
    (["ab", "a"], {"replace": ["ab", "a"], "hold": ["ab", ""], "error": ["ab", ERROR]}),
    (["abcd", "cdef"], {"replace": ["abcd", "cdef"], "hold": ["abcd", ""], "error": ["abcd", ERROR]}),
    (["é\U0001f600", "é\U0001f600\U0001f600"], always("é\U0001f600", "\U0001f600")),
]
PLACES = [
    # last, update, what follows the first place, what follows the last one, which is ours
    ("aa", "baaa", "a", ""),
    ("ab", "xabyabz", "yabz", "z"),
    ("ab", "xab", "", ""),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("updates", "deltas"), VECTORS)
def test_vectors(mode: OnDivergence, updates: list[str], deltas: dict[OnDivergence, list[str]]) -> None:
    tracker = SnapshotTracker(mode)
    said = ""
    for update, delta in zip(updates, deltas[mode], strict=True):
        if delta == ERROR:
            with pytest.raises(SnapshotDivergence):
                tracker.add("x", update)
        else:
            assert tracker.add("x", update) == delta
            said += delta
        assert tracker.complete_text("x") == (said or None)


@pytest.mark.parametrize(("last", "update", "after_first", "after_last"), PLACES)
def test_of_several_places_the_last_one_counts(last: str, update: str, after_first: str, after_last: str) -> None:
    assert update.partition(last)[2] == after_first
    for mode in ("replace", "hold"):
        tracker = SnapshotTracker(mode)
        tracker.add("x", last)
        assert tracker.add("x", update) == after_last


@pytest.mark.parametrize(("last", "update", "offset"), [("abc", "abx", 2), ("abc", "ab", 2), ("abc", "xabc", 0)])
def test_a_divergence_says_where_and_changes_nothing(last: str, update: str, offset: int) -> None:
    tracker = SnapshotTracker()
    tracker.add("x", last)
    with pytest.raises(SnapshotDivergence, match=f"of 'x' .* character {offset}") as caught:
        tracker.add("x", update)
    assert (caught.value.snapshot_id, caught.value.offset) == ("x", offset)
    assert tracker.add("x", last + "!") == "!"


@pytest.mark.parametrize("mode", MODES)
@given(text=st.text(max_size=30), cuts=st.lists(st.integers(0, 100), max_size=8), repeats=st.integers(1, 3))
def test_growing_snapshots_give_the_last_one(mode: OnDivergence, text: str, cuts: list[int], repeats: int) -> None:
    tracker = SnapshotTracker(mode)
    deltas: list[str] = []
    so_far = ""
    for piece in cut(text, cuts):
        so_far += piece
        for again in range(repeats):
            delta = tracker.add("x", so_far)
            assert not (again and delta)
            deltas.append(delta)
    assert "".join(deltas) == text == (tracker.complete_text("x") or "")
    assert tracker.differs_from("x", text) is None


@pytest.mark.parametrize("mode", MODES[1:])
@given(updates=st.lists(st.text("ab", max_size=5), max_size=8))
def test_complete_text_is_all_that_was_said(mode: OnDivergence, updates: list[str]) -> None:
    tracker = SnapshotTracker(mode)
    deltas = [tracker.add("x", update) for update in updates]
    assert "".join(deltas) == (tracker.complete_text("x") or "")


def test_ids_are_independent_and_clear_makes_new() -> None:
    tracker = SnapshotTracker()
    assert [tracker.add(name, text) for name, text in (("a", "x"), ("b", "y"), ("a", "xx"), ("b", "yz"))] == ["x", "y", "x", "z"]
    assert len(tracker) == 2
    tracker.clear("a")
    tracker.clear("never there")
    assert (len(tracker), tracker.complete_text("a"), tracker.complete_text("b")) == (1, None, "yz")
    assert tracker.add("a", "fresh") == "fresh"


@pytest.mark.parametrize(
    ("final", "offset"), [("Hello", None), ("Hella", 4), ("Hell", 4), ("Hello!", 5), ("", 0), ("hello", 0)]
)
def test_the_final_text_is_compared_with_what_was_streamed(final: str, offset: int | None) -> None:
    tracker = SnapshotTracker()
    tracker.add("x", "Hel")
    tracker.add("x", "Hello")
    assert tracker.differs_from("x", final) == offset


def test_nothing_streamed_is_the_empty_text() -> None:
    assert SnapshotTracker().differs_from("x", "") is None
    assert SnapshotTracker().differs_from("x", "a") == 0


def test_an_unknown_mode_is_a_callers_error() -> None:
    with pytest.raises(CallerError, match="none of error, replace, hold"):
        SnapshotTracker("ignore")


def test_threads_with_ids_of_their_own() -> None:
    tracker = SnapshotTracker("hold")

    def run(name: str) -> list[str]:
        text = name * 200
        return [tracker.add(name, text[:end]) for end in range(1, len(text) + 1)]

    names = [f"call-{number}" for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(run, names))
    assert results == [list(name * 200) for name in names]
    for name in names:
        tracker.clear(name)
    assert len(tracker) == 0


def test_memory_is_back_at_its_base_after_clear() -> None:
    tracker = SnapshotTracker()

    def turn() -> None:
        for number in range(2000):
            tracker.add(f"call-{number}", "x" * 50)
            tracker.add(f"call-{number}", "x" * 200)
        for number in range(2000):
            tracker.clear(f"call-{number}")

    turn()
    gc.collect()
    tracemalloc.start()
    try:
        turn()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        turn()
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert after - before < 2000
