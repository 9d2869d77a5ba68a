"""Values that decoder state is made of, so that a snapshot is cheap, hashable and comparable.

A snapshot must not copy what has grown long. Two kinds of value grow: the argument text of an open tool call, held in a
:class:`Log` (append-only and persistent: an older snapshot keeps pointing at its own prefix), and JSON values kept for
later (usage, citations), held :class:`Frozen`. Everything else in a state is a scalar, a string, or a small container.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar


class Log:
    """A persistent append-only text: ``append`` returns a new log that shares all of the old one.

    Equality and hash use the length and a rolling digest over the fragments, so they cost O(1) at any length.
    """

    __slots__ = ("_digest", "_fragment", "_previous", "length")

    def __init__(self, previous: Log | None = None, fragment: str = "") -> None:
        self._previous = previous
        self._fragment = fragment
        if previous is None:
            self.length = len(fragment)
            self._digest = hash(fragment)
        else:
            self.length = previous.length + len(fragment)
            self._digest = hash((previous._digest, fragment))

    @property
    def tail(self) -> str:
        """The fragment that came last."""
        return self._fragment

    def append(self, fragment: str) -> Log:
        """The log that continues this one with ``fragment``."""
        return Log(self, fragment)

    def text(self) -> str:
        """All fragments joined; O(length)."""
        return self.since(None)

    def since(self, earlier: Log | None) -> str:
        """What came after ``earlier``, which this log continues; O(length of that)."""
        fragments = []
        node: Log | None = self
        while node is not None and node is not earlier:
            fragments.append(node._fragment)
            node = node._previous
        fragments.reverse()
        return "".join(fragments)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Log):
            return NotImplemented
        return self is other or (self.length == other.length and self._digest == other._digest)

    def __hash__(self) -> int:
        return self._digest

    def __repr__(self) -> str:
        return f"Log(length={self.length})"


EMPTY_LOG = Log()


class Frozen:
    """A JSON value that nobody changes any more, with identity-first equality and a lazy hash.

    Equality is stricter than that of the value, as what is emitted later is: 1 is not 1.0, and key order counts.
    """

    __slots__ = ("_hash", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._hash: int | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frozen):
            return NotImplemented
        return self is other or repr(self.value) == repr(other.value)

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(repr(self.value))
        return self._hash

    def __repr__(self) -> str:
        return f"Frozen({self.value!r})"


class State:
    """Base of the mutable records a dialect keeps. Subclasses declare ``__slots__`` and hold only: None, bool, int,
    str, bytes, float, tuples of those, :class:`Log`, :class:`Frozen`, and lists, dicts or sets of those or of other
    States. Dict order is state too: it is the order in which things were first seen.
    """

    __slots__ = ()
    fields: ClassVar[tuple[str, ...]] = ()
    getters: ClassVar[dict[type, Callable[[Any], tuple[Any, ...]]]] = {}
    """For each subclass, what gives the values of its fields."""

    def __init_subclass__(cls) -> None:
        own = cls.__dict__.get("__slots__", ())
        cls.fields = cls.fields + ((own,) if isinstance(own, str) else tuple(own))
        State.getters[cls] = _getter(cls.fields)


def _getter(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    if len(fields) > 1:
        return attrgetter(*fields)
    # Of a single name, attrgetter gives the bare value.
    return lambda state: tuple(getattr(state, name) for name in fields)


_PLAIN = frozenset({type(None), bool, int, str, bytes, float, tuple, Log, Frozen})
"""Types whose values are their own image."""


def capture(value: Any) -> Any:
    """A hashable image of ``value`` that shares every immutable piece with it."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    # A proof captures a state for each frame of each chunk: what needs no look of its own gets none.
    if kind is dict:
        return (dict, *[(key, item if type(item) in _PLAIN else capture(item)) for key, item in value.items()])
    if kind is list:
        return (list, *[item if type(item) in _PLAIN else capture(item) for item in value])
    if kind is set:
        return (set, frozenset(value))
    values = State.getters.get(kind)
    if values is None:
        return value
    image = values(value)
    if _PLAIN.issuperset(map(type, image)):
        return (kind, *image)
    return (kind, *[item if type(item) in _PLAIN else capture(item) for item in image])


def reinstate(image: Any) -> Any:
    """The inverse of :func:`capture`: fresh mutable containers around the shared immutable pieces."""
    if type(image) is not tuple or not image or not isinstance(image[0], type):
        return image
    kind: Any = image[0]
    if kind is dict:
        return {key: reinstate(item) if type(item) is tuple else item for key, item in image[1:]}
    if kind is list:
        return [reinstate(item) if type(item) is tuple else item for item in image[1:]]
    if kind is set:
        return set(image[1])
    state: State = kind.__new__(kind)
    for name, item in zip(kind.fields, image[1:], strict=True):
        setattr(state, name, reinstate(item) if type(item) is tuple else item)
    return state
