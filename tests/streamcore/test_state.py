"""The values that decoder state is made of."""

from __future__ import annotations

import pytest

from streamcore.state import EMPTY_LOG, Frozen, Log, State, capture, reinstate

# -- Log ------------------------------------------------------------------------------------------------------------


def test_a_log_is_the_text_of_its_fragments() -> None:
    log = EMPTY_LOG.append("ab").append("").append("\ud83d").append("\ude00")
    assert log.text() == "ab\ud83d\ude00"
    assert log.length == 4
    assert EMPTY_LOG.text() == ""
    assert EMPTY_LOG.length == 0
    assert Log(None, "xy").text() == "xy"
    assert Log(None, "xy").length == 2
    assert repr(log) == "Log(length=4)"


def test_a_log_is_persistent() -> None:
    trunk = Log().append("a")
    left, right = trunk.append("b"), trunk.append("c")
    assert (trunk.text(), left.text(), right.text()) == ("a", "ab", "ac")


def test_logs_are_equal_when_they_grew_alike() -> None:
    one, other = Log(), Log()
    for fragment in ("a", "bc", ""):
        one, other = one.append(fragment), other.append(fragment)
    assert one == one
    assert one == other
    assert hash(one) == hash(other)
    assert one != other.append("")
    assert one != Log().append("a").append("bd").append("")
    assert one != Log().append("a").append("b").append("")
    assert one != "abc"


def test_a_long_log_is_read_and_freed_without_recursion() -> None:
    log = EMPTY_LOG
    for _ in range(200_000):
        log = log.append("x")
    assert log.text() == "x" * 200_000
    del log


# -- Frozen ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": 1}, {"a": 1.0}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 0.0}, {"a": -0.0}, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        (None, None, True),
    ],
)
def test_frozen_values(one: object, other: object, same: bool) -> None:
    """Equality and hash go together, and what would be written differently is different."""
    assert (Frozen(one) == Frozen(other)) is same
    assert (hash(Frozen(one)) == hash(Frozen(other))) is same
    frozen = Frozen(one)
    assert frozen == frozen
    assert hash(frozen) == hash(frozen)
    assert frozen != one


def test_frozen_repr() -> None:
    assert repr(Frozen({"a": 1})) == "Frozen({'a': 1})"


# -- State ----------------------------------------------------------------------------------------------------------


class Base(State):
    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 1


class Single(Base):
    __slots__ = "name"

    def __init__(self) -> None:
        super().__init__()
        self.name = "n"


class Tree(Base):
    __slots__ = ("blob", "by_name", "children", "log", "nothing", "pair", "seen", "value")

    def __init__(self) -> None:
        super().__init__()
        self.children: list[Single] = [Single(), Single()]
        self.by_name: dict[object, object] = {"x": Single(), 2: [1, [2]], (3, "k"): {"y": None}}
        self.seen = {"a", "b"}
        self.pair = (1, "two", (3.5,))
        self.log = Log().append("a")
        self.value = Frozen({"k": [1]})
        self.blob = b"\0"
        self.nothing = None


def test_fields_are_those_of_all_classes() -> None:
    assert Base.fields == ("number",)
    assert Single.fields == ("number", "name")
    assert Tree.fields[:2] == ("number", "blob")


def test_capture_is_hashable_and_compares_by_content() -> None:
    one, other = Tree(), Tree()
    assert capture(one) == capture(other)
    assert hash(capture(one)) == hash(capture(other))
    other.children[1].name = "m"
    assert capture(one) != capture(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.children.append(Single()),
        lambda tree: tree.by_name.update(z=1),
        lambda tree: tree.by_name.__setitem__("x", tree.by_name.pop("x")),
        lambda tree: tree.seen.add("c"),
        lambda tree: setattr(tree, "log", tree.log.append("")),
        lambda tree: setattr(tree, "value", Frozen({"k": [2]})),
        lambda tree: setattr(tree, "nothing", 0),
        lambda tree: tree.by_name[2][1].append(3),
    ],
)
def test_every_change_shows(change: object) -> None:
    """Also of order: it says what was seen first."""
    tree = Tree()
    before = capture(tree)
    change(tree)
    assert capture(tree) != before


def test_reinstate_is_the_inverse_and_shares_nothing_mutable() -> None:
    tree = Tree()
    image = capture(tree)
    again = reinstate(image)
    assert isinstance(again, Tree)
    assert capture(again) == image
    again.children[0].name = "changed"
    again.by_name["x"].number = 9
    again.seen.add("c")
    assert capture(tree) == image
    assert capture(reinstate(image)) == image
    assert again.log is tree.log
    assert again.value is tree.value


@pytest.mark.parametrize("value", [None, 1, "x", b"x", 1.5, (), (1, 2), ("a", (list,)), [], {}, set(), [[], {}]])
def test_plain_values(value: object) -> None:
    again = reinstate(capture(value))
    assert again == value
    assert type(again) is type(value)


class Lonely(State):
    """One field; its getter must give a tuple nevertheless."""

    __slots__ = ("only",)


class Nested(Lonely):
    """What a state may hold, an inherited field first."""

    __slots__ = ("inner", "kept", "names", "pair")


@pytest.mark.parametrize("only", [None, "text", [], {}, set(), [1, [2]], {"a": {"b": [3]}}, ("a", "b")])
def test_every_shape_of_state_comes_back(only: object) -> None:
    lonely, nested = Lonely(), Nested()
    lonely.only = nested.only = only
    nested.inner, nested.kept = lonely, [lonely, {"x": lonely}]
    nested.names, nested.pair = {"b", "a"}, (1, "x")

    image = capture(nested)
    again = reinstate(image)

    assert hash(image) == hash(capture(again))
    assert capture(again) == image
    assert (again.only, again.names, again.pair) == (only, {"a", "b"}, (1, "x"))
    assert again.inner is not lonely
    assert again.inner.only == only
    assert again.kept[1]["x"].only == only
    if isinstance(only, list):
        only.append("later")
        assert capture(again) == image
