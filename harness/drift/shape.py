"""The shape of a dialect, learnt from recordings: what was ever seen, and what was never missing.

A kind of frame has objects at places: ``$.choices[*].delta``, all elements of an array being one place. An object with a
``type`` of its own is another place for each of them, ``$.delta<text_delta>``. Of each object is kept which members it
ever had, of which JSON types, and how often, so that one that was there every time is known to be required; and of
members that hold a word out of a list (finish reasons, roles, statuses) all the words.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from harness.drift.wire import is_failure, is_token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.drift.wire import Recording, Sight

START, END = "(start)", "(end)"
KEEP_ALIVE = frozenset(("ping", "keepalive", ":heartbeat"))
"""They come when the provider has nothing to say, between any two others."""
DEEPEST = 32
"""Levels of JSON that are looked at; no provider's payload nests half as deep."""
_OF_A_LIST = re.compile(r"(?:^|_)(?:type|object|role|status|reason|modality)$|(?:Reason|Type|Role|Status|Modality)$")
_AN_ID = re.compile(r"(?=(?:\D*\d){2})[a-z0-9-]{10,}")
"""A name that is one, such as that of a guardrail, is a key of the caller's, and one is as good as another."""
_THE_USERS = frozenset(
    (
        "args",
        "arguments",
        "input",
        "parameters",
        "input_schema",
        "inputSchema",
        "schema",
        "metadata",
        "json_schema",
        "tools",
    )
)
"""Members whose objects are the caller's or the model's: their keys say nothing about the provider."""


@dataclass(slots=True)
class Member:
    """A member of an object, or the elements of one that is an array."""

    seen: int = 0
    types: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Object:
    """The objects at one place."""

    seen: int = 0
    recordings: set[int] = field(default_factory=set)
    members: dict[str, Member] = field(default_factory=dict)

    @property
    def required(self) -> set[str]:
        """The members that none of them lacked."""
        return {name for name, member in self.members.items() if member.seen == self.seen}


@dataclass(slots=True)
class Kind:
    """The frames of one kind."""

    objects: dict[str, Object] = field(default_factory=dict)
    fields: set[str] = field(default_factory=set)
    recordings: set[int] = field(default_factory=set)


@dataclass(slots=True)
class Headers:
    """The response headers of the recordings of one provenance."""

    recordings: int = 0
    known: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)

    def learn(self, names: frozenset[str]) -> None:
        """One more recording, with these."""
        self.required = self.required & names if self.recordings else set(names)
        self.known |= names
        self.recordings += 1


class Shape:
    """What is known of one dialect."""

    def __init__(self, recordings: Iterable[Recording]) -> None:
        self.kinds: dict[str, Kind] = {}
        self.steps: set[tuple[str, str]] = set()
        self.media_types: set[str] = set()
        self.headers: dict[str, Headers] = {}
        """By provenance: a simulator and a loopback server send other headers than what stands before a live API."""
        self.provenance: Counter[str] = Counter()
        self.required: set[str] = set()
        """Kinds that no recording lacked that ended well."""
        self.ended_well = 0
        for number, recording in enumerate(recordings):
            self._learn(number, recording)

    @property
    def recordings(self) -> int:
        """How many streams it was learnt from."""
        return self.provenance.total()

    def _learn(self, number: int, recording: Recording) -> None:
        if recording.streamed:
            self._learn_stream(recording)
        for sight in recording.sights:
            kind = self.kinds.setdefault(sight.kind, Kind())
            kind.recordings.add(number)
            kind.fields |= sight.fields
            for place, value in objects(sight.value):
                self._learn_object(kind.objects.setdefault(place, Object()), number, value)

    def _learn_stream(self, recording: Recording) -> None:
        self.provenance[recording.provenance] += 1
        if recording.media_type:
            self.media_types.add(recording.media_type)
        if recording.headers:
            self.headers.setdefault(recording.provenance, Headers()).learn(recording.headers)
        self.steps.update((before, after) for before, after, _ in steps(recording))
        if recording.ended_well:
            kinds = {sight.kind for sight in recording.sights}
            self.required = self.required & kinds if self.ended_well else kinds
            self.ended_well += 1

    @staticmethod
    def _learn_object(known: Object, number: int, value: dict[str, Any]) -> None:
        known.seen += 1
        known.recordings.add(number)
        for name, inner in members(value):
            member = known.members.setdefault(name, Member())
            member.seen += 1
            member.types.update(types_of(inner))
            member.words.update(words_of(name, inner))


def objects(value: Any, place: str = "$", depth: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """All objects in a JSON value with their places, outer ones first; of an array of arrays nothing."""
    if not isinstance(value, dict) or depth > DEEPEST:
        return
    yield place, value
    for name, inner in members(value):
        for below, child in children(name, inner, place):
            yield from objects(child, below, depth + 1)


def members(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The members of an object; names that are ids are one name, ``*``, which comes once at most."""
    keys = [name for name in value if _AN_ID.fullmatch(name)]
    for name, inner in value.items():
        if name not in keys:
            yield name, inner
    if keys:
        yield "*", value[keys[0]]


def children(name: str, inner: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects that a member is or holds, with their places."""
    if name in _THE_USERS:
        return
    if isinstance(inner, dict):
        yield _typed(member_path(place, name), inner), inner
    elif isinstance(inner, list):
        for one in inner:
            if isinstance(one, dict):
                yield _typed(f"{member_path(place, name)}[*]", one), one


def _typed(place: str, value: dict[str, Any]) -> str:
    own = value.get("type")
    return f"{place}<{own}>" if is_token(own) else place


def member_path(place: str, name: str) -> str:
    """The path of a member of the object at ``place``."""
    if name == "*":
        return f"{place}[*]"
    return f"{place}.{name}" if name.isascii() and name.isidentifier() else f"{place}[{json.dumps(name)}]"


def types_of(value: Any) -> Iterator[str]:
    """The JSON type of a value; of an array also ``array of T`` for each type T in it."""
    yield _type(value)
    if isinstance(value, list):
        yield from {f"array of {_type(one)}" for one in value}


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, dict) else "array" if isinstance(value, list) else "null"


def words_of(name: str, value: Any) -> Iterator[str]:
    """The words out of a list that a member of that name holds."""
    if _OF_A_LIST.search(name) and is_token(value):
        yield value


def steps(recording: Recording) -> Iterator[tuple[str, str, Sight | None]]:
    """Which kind follows which, keep-alives left out, and the frame that follows (None: the end, of a whole stream)."""
    told = [sight for sight in recording.sights if sight.kind not in KEEP_ALIVE]
    kinds = [START, *(sight.kind for sight in told)]
    for (before, after), sight in zip(pairwise(kinds), told, strict=True):
        yield before, after, sight
    if recording.complete and not (told and is_failure(told[-1].kind)):
        yield kinds[-1], END, None
