"""Plans: ways of cutting a body. Pure functions of the bytes, each chunking with a name that reproduces it.

======================  =============================================================================================
``whole``               one chunk
``bytes``               one chunk a byte
``recorded``            the chunks in which the body was recorded (nothing where they are unknown)
``every:K``             chunks of K bytes
``random:SEED``         chunks of 1 to 64 bytes, short ones more often
``cuts@A,B,C``          cut at those offsets and nowhere else
``chunk@A-B``           one chunk from offset A to offset B, and one a byte everywhere else
``faults:NAME``         no chunkings, but damaged bodies; ``faults:NAME@K`` is one of them: see :mod:`harness.faults`
``structural``          two chunks, cut beside each byte that means something: line ends, quotes, backslashes, braces,
                        the bytes of a multi-byte character
``every-split``         two chunks, cut at every offset
``cut-at-every-byte``   the first N bytes only, for every N: what a broken connection leaves
``windows:W``           from every state along the body, every chunk of up to W bytes: proves all chunkings whose
                        chunks are no longer than W
``pairs``               from every state, every chunk whatsoever: proves all chunkings (quadratic; bodies up to 1 KiB)
``certificate:W``       ``windows:W``, and from the states every first and every last chunk, and every chunk between two
                        structural cuts: proves every chunking made of these, and so every two-way split
``certificate``         what ``pairs`` proves for bodies up to 1 KiB, and ``certificate:64`` for longer ones; for each
                        dialect, also a transcript shrunk to 1 KiB (:mod:`harness.transcripts.shrinker`)
======================  =============================================================================================

The last six prove more than they cost when the subject has snapshots; see :mod:`harness.proof`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.case import Case

PAIRS_UP_TO = 1024
"""Bytes of the longest body for which ``pairs`` is run."""
WIDEST = 64
"""The W of ``certificate`` for bodies that are longer."""

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
        "certificate",
    ),
}

FAULTS = (
    "drop-frame", "duplicate-frame", "swap-frames", "corrupt-frame", "flip-bit", "gzip", "keep-alives", "slow-loris", "big-event",
    "two-streams",
)  # fmt: skip
"""Names of the operators of :mod:`harness.faults`."""
PLAN_SETS["faults"] = tuple(f"faults:{name}" for name in FAULTS)

_SIMPLE = ("whole", "bytes", "recorded", "structural", "every-split", "cut-at-every-byte", "pairs", "certificate")
_WITH_NUMBER = re.compile(r"(every|windows|certificate|random|split|cut):(\d+)|(split|cut)@(\d+)")
_FAULT = re.compile(rf"faults:({'|'.join(FAULTS)})(?:@\d+)?")
_CUTS = re.compile(r"cuts@(\d+(?:,\d+)*)")
_BETWEEN_NAMES = re.compile(r",(?!\s*\d)")
"""A comma before a digit belongs to ``cuts@A,B``: no plan's name begins with one."""
_CHUNK = re.compile(r"chunk@(\d+)-(\d+)")
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
    offsets: tuple[int, ...] = ()
    """Of a plan that names several: those of ``cuts@``, strictly increasing, or the two of ``chunk@``."""

    @property
    def is_proof(self) -> bool:
        """Whether it goes from state to state instead of running a list of chunkings."""
        return self.kind in ("windows", "pairs", "certificate", "faults")

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
            case "cuts":
                if self.offsets[-1] < size:
                    yield cuts_chunking(self.offsets, size)
            case "chunk":
                if self.offsets[1] <= size:
                    yield chunk_chunking(self.offsets[0], self.offsets[1], size)
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
    if _FAULT.fullmatch(name):
        return Plan(name, "faults")
    found = _CUTS.fullmatch(name)
    if found is not None:
        offsets = tuple(sorted({int(digits) for digits in found[1].split(",")} - {0}))
        if offsets:
            return Plan(cuts_name(offsets), "cuts", offsets=offsets)
    found = _CHUNK.fullmatch(name)
    if found is not None and int(found[1]) < int(found[2]):
        return Plan(f"chunk@{int(found[1])}-{int(found[2])}", "chunk", offsets=(int(found[1]), int(found[2])))
    found = _WITH_NUMBER.fullmatch(name)
    if found is not None:
        kind, digits = (found[1], found[2]) if found[1] else (found[3], found[4])
        number = int(digits)
        if kind in ("split", "cut"):
            return Plan(f"{kind}@{number}", kind, number)
        if number > 0 or kind == "random":
            return Plan(name, kind, number)
    of_many = ("every:K", "random:SEED", "windows:W", "certificate:W", "split@N", "cuts@A,B", "chunk@A-B", "cut@N", "faults:NAME")
    known = ", ".join((*_SIMPLE, *of_many, *PLAN_SETS))
    raise PlanError(f"no plan is called {name!r}; there are {known}")


def parse_plans(names: str) -> tuple[Plan, ...]:
    """The plans of a comma-separated list of plan and plan-set names, each once, in order.

    Raises:
        PlanError: one of them does not exist.
    """
    wanted = [name.strip() for name in _BETWEEN_NAMES.split(names) if name.strip()]
    if not wanted:
        raise PlanError("an empty list of plans")
    expanded = [member for name in wanted for member in PLAN_SETS.get(name, (name,))]
    return tuple(parse_plan(name) for name in dict.fromkeys(expanded))


def cuts_name(cuts: Sequence[int]) -> str:
    """What the chunking is called that has these cuts; ``whole`` if it has none."""
    if len(cuts) < 2:
        return f"split@{cuts[0]}" if cuts else "whole"
    return f"cuts@{','.join(map(str, cuts))}"


def cuts_chunking(cuts: Sequence[int], size: int) -> Chunking:
    """The whole body in the chunks that ``cuts`` make of it."""
    return Chunking(cuts_name(cuts), tuple(cuts), size)


def chunk_chunking(start: int, end: int, size: int) -> Chunking:
    """One chunk ``body[start:end]``, and one a byte everywhere else."""
    cuts = (*range(1, start + 1), *range(end, size))
    return Chunking(f"chunk@{start}-{end}", cuts, size)


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
