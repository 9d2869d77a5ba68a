"""Plans: ways of cutting a body. Pure functions of the bytes, each chunking with a name that reproduces it.

======================  =============================================================================================
``whole``               one chunk
``bytes``               one chunk a byte
``recorded``            the chunks in which the body was recorded (nothing where they are unknown)
``every:K``             chunks of K bytes
``random:SEED``         chunks of 1 to 64 bytes, short ones more often
``structural``          two chunks, cut beside each byte that means something: line ends, quotes, backslashes, braces,
                        the bytes of a multi-byte character
``every-split``         two chunks, cut at every offset
``cut-at-every-byte``   the first N bytes only, for every N: what a broken connection leaves
``windows:W``           from every state along the body, every chunk of up to W bytes: proves all chunkings whose
                        chunks are no longer than W
``pairs``               from every state, every chunk whatsoever: proves all chunkings (quadratic; bodies up to 1 KiB)
======================  =============================================================================================

The last four prove more than they cost when the subject has snapshots; see :mod:`harness.proof`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.case import Case

PAIRS_UP_TO = 1024
"""Bytes of the longest body for which ``pairs`` is run."""

PLAN_SETS: dict[str, tuple[str, ...]] = {
    "smoke": ("whole", "bytes", "recorded", "structural", *(f"random:{seed}" for seed in range(64))),
    "standard": (
        "whole",
        "bytes",
        "recorded",
        "every:7",
        *(f"random:{seed}" for seed in range(8)),
        "every-split",
        "cut-at-every-byte",
    ),
    "exhaustive": (
        "whole",
        "bytes",
        "recorded",
        "every:2",
        "every:3",
        "every:7",
        *(f"random:{seed}" for seed in range(64)),
        "every-split",
        "cut-at-every-byte",
        "windows:64",
        "pairs",
    ),
}

_SIMPLE = ("whole", "bytes", "recorded", "structural", "every-split", "cut-at-every-byte", "pairs")
_WITH_NUMBER = re.compile(r"(every|windows|random|split|cut):(\d+)|(split|cut)@(\d+)")
_STRUCTURAL = re.compile(rb"[\r\n\"\\{}\[\]:\x80-\xff]")


class PlanError(ValueError):
    """No plan has that name; the message lists those that exist."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """One way of cutting a body: feed ``body[:end]`` in pieces that end at ``cuts`` and at ``end``."""

    name: str
    cuts: tuple[int, ...]
    """Offsets, strictly increasing, all inside the body."""
    end: int
    """Bytes that are fed; less than the body for a cut stream."""

    def chunks(self, body: bytes) -> Iterator[bytes]:
        """The pieces, none of them empty."""
        start = 0
        for cut in (*self.cuts, self.end):
            if cut > start:
                yield body[start:cut]
                start = cut


@dataclass(frozen=True, slots=True)
class Plan:
    """A set of chunkings, by name. ``kind`` and ``number`` are the two halves of the name (``every`` and 7)."""

    name: str
    kind: str
    number: int = 0

    def chunkings(self, case: Case) -> Iterator[Chunking]:
        """Every chunking of the plan for ``case``'s body. Not for ``windows`` and ``pairs``, which are proofs."""
        size = len(case.body)
        match self.kind:
            case "whole":
                yield Chunking("whole", (), size)
            case "bytes":
                yield Chunking("bytes", tuple(range(1, size)), size)
            case "recorded":
                if len(case.chunks) > 1:
                    yield Chunking("recorded", _cuts_of(case.chunks, size), size)
            case "every":
                yield Chunking(self.name, tuple(range(self.number, size, self.number)), size)
            case "random":
                yield Chunking(self.name, random_cuts(size, self.number), size)
            case "structural":
                for cut in structural_cuts(case.body):
                    yield Chunking(f"split@{cut}", (cut,), size)
            case "every-split":
                for cut in range(1, size):
                    yield Chunking(f"split@{cut}", (cut,), size)
            case "split":
                if 0 < self.number < size:
                    yield Chunking(self.name, (self.number,), size)
            case "cut-at-every-byte":
                for end in range(size):
                    yield Chunking(f"cut@{end}", (), end)
            case "cut":
                if self.number < size:
                    yield Chunking(self.name, (), self.number)
            case _:
                raise PlanError(f"plan {self.name} is a proof and has no list of chunkings")


def parse_plan(name: str) -> Plan:
    """The plan called ``name``.

    Raises:
        PlanError: there is none.
    """
    if name in _SIMPLE:
        return Plan(name, name)
    found = _WITH_NUMBER.fullmatch(name)
    if found is not None:
        kind, digits = (found[1], found[2]) if found[1] else (found[3], found[4])
        number = int(digits)
        if kind in ("split", "cut"):
            return Plan(f"{kind}@{number}", kind, number)
        if number > 0 or kind == "random":
            return Plan(name, kind, number)
    known = ", ".join((*_SIMPLE, "every:K", "random:SEED", "windows:W", "split@N", "cut@N", *PLAN_SETS))
    raise PlanError(f"no plan is called {name!r}; there are {known}")


def parse_plans(names: str) -> tuple[Plan, ...]:
    """The plans of a comma-separated list of plan and plan-set names, each once, in order.

    Raises:
        PlanError: one of them does not exist.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if not wanted:
        raise PlanError("an empty list of plans")
    expanded = [member for name in wanted for member in PLAN_SETS.get(name, (name,))]
    return tuple(parse_plan(name) for name in dict.fromkeys(expanded))


def random_cuts(size: int, seed: int) -> tuple[int, ...]:
    """Cuts that depend on ``size`` and ``seed`` alone."""
    source = random.Random(f"{seed}/{size}")  # noqa: S311 - reproducible, not secret
    cuts: list[int] = []
    at = 0
    while True:
        at += 1 + int(64 * source.random() * source.random())
        if at >= size:
            return tuple(cuts)
        cuts.append(at)


def structural_cuts(body: bytes) -> list[int]:
    """Offsets just before and just after each byte that a framer, a JSON parser or a UTF-8 decoder acts on."""
    cuts = {at for found in _STRUCTURAL.finditer(body) for at in (found.start(), found.end())}
    return sorted(cut for cut in cuts if 0 < cut < len(body))


def _cuts_of(lengths: tuple[int, ...], size: int) -> tuple[int, ...]:
    cuts: list[int] = []
    at = 0
    for length in lengths[:-1]:
        at += length
        if 0 < at < size and (not cuts or at > cuts[-1]):
            cuts.append(at)
    return tuple(cuts)
