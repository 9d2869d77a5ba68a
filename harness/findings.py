"""What proofs, searches and accounts found, as results and reports carry it: data alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CutPlace:
    """One boundary between two chunks, or the end of what was fed, and what stands around it."""

    offset: int
    """Bytes of the body before it."""
    event: int | None
    """0-based index of the frame that holds the byte after it; None behind the last frame."""
    position: str
    """Where in the wire format it lies; one of :class:`harness.minimal.places.Position`."""
    character: str
    """``U+1F600 GRINNING FACE``, if the boundary lies inside that character; else empty."""
    before: str
    """The bytes just before it, as hex: ``22 F0``."""
    after: str
    """The bytes just after it, as hex."""
    text_before: str
    """The bytes just before it as text, with all that cannot be seen spelt out."""
    text_after: str
    """The bytes just after it as text, likewise."""


@dataclass(frozen=True)
class MinimalCut:
    """The least that has to be done to a body for it to fail."""

    plan: str
    """The chunking that reproduces it: ``whole``, ``split@N``, ``cuts@A,B``, ``chunk@A-B``, ``cut@N``."""
    cuts: tuple[CutPlace, ...]
    """The boundaries that it needs; none when the uncut body fails."""
    chunk: tuple[int, int] | None
    """First byte and end of the smallest chunk that fails, where everything else comes byte by byte; or of the chunk
    between the two cuts. None when size plays no part."""
    statement: str
    """When it fails, in one line for people."""
    exact: bool
    """Whether the statement is an "if and only if" that every single cut of the body was tried for."""
    runs: int
    """Ways of cutting that were run to find it."""
    singles_tried: int
    """Bodies in two chunks among them."""
    singles_failed: int
    bounded: bool
    """True when the search was ended by its bound: then there may be a smaller one."""
    reproduce: str = ""
    """One shell command."""
    failing: tuple[tuple[int, int], ...] = ()
    """Ranges of offsets, first and end, at which the body fails when it is cut there and nowhere else."""
    tried: tuple[tuple[int, int], ...] = ()
    """Ranges of offsets that were tried so."""
    cause: str = ""
    """What it is about the chunks, in words for people, as far as the cuts that were tried tell; empty if it is not they."""


@dataclass(frozen=True)
class Certificate:
    """What was proven of one body, in numbers: which chunks, fed to the state that they begin in, led to the right one.

    Every chunking all of whose chunks are among them gives the same parts (:mod:`harness.windows`).
    """

    body_bytes: int
    widest: int = 0
    """Every chunk of up to so many bytes held."""
    windows: int = 0
    """How many those are."""
    prefixes: int = 0
    """First chunks, of ``body_bytes`` that there are: the whole body is one of them."""
    suffixes: int = 0
    """Last chunks that are not the first, of ``body_bytes - 1`` that there are."""
    structural: int = 0
    """Chunks between two structural cuts, beyond those of up to ``widest`` bytes."""
    structural_cuts: int = 0
    """Structural cuts between which all were run."""
    structural_cuts_found: int = 0
    """Structural cuts of the body."""
    remembered: int = 0
    """Of all these chunks, how many ran with frames decoded from memory; the others were run as they are."""
    sampled: bool = False
    """The subject has no snapshots: chunkings were run, and nothing is proven of the others."""

    @property
    def chunks(self) -> int:
        """Chunks that were run and held."""
        return self.windows + self.prefixes + self.suffixes + self.structural

    @property
    def proven_all(self) -> bool:
        """Whether every chunking of the body is proven."""
        return not self.sampled and self.widest >= self.body_bytes

    @property
    def every_split(self) -> bool:
        """Whether every chunking into two is proven."""
        return self.proven_all or min(self.prefixes - 1, self.suffixes) >= self.body_bytes - 1 > 0

    @property
    def statement(self) -> str:
        """What it proves, for people."""
        if self.sampled:
            return "sampled: the subject has no snapshots, so that only the chunkings that were run are known"
        memory = f"; {self.remembered:,} of these chunks with the decoding of frames remembered" if self.remembered else ""
        if self.proven_all:
            return f"all 2^{max(self.body_bytes - 1, 0):,} chunkings ({self.windows:,} windows{memory})"
        told = f"all chunkings with chunks <= {self.widest} bytes ({self.windows:,} windows)"
        if self.prefixes or self.suffixes:
            of = "every two-way split" if self.every_split else f"some of {self.body_bytes - 1:,} two-way splits"
            some = f" of {self.structural_cuts_found:,}" if self.structural_cuts < self.structural_cuts_found else ""
            told += f", {of} ({self.prefixes:,} prefixes, {self.suffixes:,} suffixes), {self.structural:,} windows between "
            told += f"{self.structural_cuts:,}{some} structural cuts{memory}"
        return told


@dataclass(frozen=True)
class Fragment:
    """One piece of a call's arguments, and where it came from."""

    text: str
    """The piece, or its beginning."""
    length: int
    """Characters of the whole piece."""
    first: int
    """Characters of the call's arguments before it."""
    ordinal: int
    """0-based index among all fragments of its call."""
    frame: int | None
    """0-based index of the frame; None: the one that the end of input left unterminated."""
    start: int
    end: int
    """The bytes of the body."""
    chunk: int | None
    """0-based index of the recorded chunk that completed it; None where the chunks were not recorded."""
    how: str
    """``string``, ``object`` or ``base64``: it has bytes of its own. ``frame``: only its frame is known."""
    snapshot: str = ""
    """The value that the arguments up to here come to, as JSON, or its beginning; empty if they come to none."""


@dataclass(frozen=True)
class Lane:
    """One tool call of a case, as the report draws it."""

    call: str
    tool: str
    choice: int
    characters: int
    """Characters of its arguments."""
    located: int
    """Those of them that have bytes of their own."""
    count: int
    """Fragments in all."""
    fragments: tuple[Fragment, ...]
    """Those that are drawn, in order of arrival."""
    check: int | None = None
    """Which of the case's ``calls`` it is; None if it never became one."""
    broken: int | None = None
    """``ordinal`` of the fragment at which its account breaks."""


@dataclass(frozen=True)
class WirePiece:
    """Neighbouring bytes of the body that belong to the same fragments, or to none."""

    frame: int | None
    start: int
    end: int
    text: str
    """The bytes as UTF-8; one that is not is U+DC80 to U+DCFF (PEP 383)."""


@dataclass(frozen=True)
class CallLanes:
    """What the ledger of a case says, as far as the report draws it."""

    lanes: tuple[Lane, ...]
    more: int
    """Calls that have no lane here."""
    wire: tuple[WirePiece, ...]
    """The bytes of the fragments and some around them, in order."""
    fault: str = ""
    """What the account is not exact about; empty if it is exact."""


@dataclass(frozen=True)
class WireFinding:
    """One place at which a recording leaves its dialect's grammar. It tells of who sent it, and not of the subject."""

    event: int | None
    """0-based index of the frame; None for the end."""
    message: str


@dataclass(frozen=True)
class PairResult:
    """What came of a stream and its twin, the whole answer to the same request (:mod:`harness.pairs`)."""

    level: str
    """``equal``: value by value, as of a simulator. ``shape``: of a model that answers differently each time."""
    values: int
    """How many values were compared."""
    unlike: int
    """How many of them the stream tells otherwise; each is a difference of the rule V28."""
    allowed: tuple[str, ...]
    """The entries of the allow-list that were needed."""


@dataclass(frozen=True)
class Origin:
    """Where a recording came from, as its cassette says."""

    at: str
    """RFC 3339, in UTC."""
    by: str
    """The recorder."""
    provider: str
    model: str
    redactions: tuple[str, ...]
    """What was removed or masked, where, and how often."""


@dataclass(frozen=True)
class Written:
    """A string that the subject put out, and the bytes of the body that its characters came from."""

    part: int
    """0-based index of the part."""
    kind: str
    """Type of the part: ``text-delta``."""
    text: str
    """The string, or its beginning."""
    more: int
    """Characters that are left out."""
    start: int
    """The first byte."""
    spans: str
    """From there on, with blanks between: ``5*1`` are five characters of a byte each, ``2!3`` two that share three bytes."""
    exact: bool
    """Whether the bytes spell just this string; if not, what differs is charged to those from which it should have come."""


@dataclass(frozen=True)
class Strip:
    """A stretch of a body as the report draws it: its bytes, its frames, and what the subject wrote from them."""

    start: int
    """Bytes of the body before it."""
    bytes: str
    """Base64 (RFC 4648). It begins and ends with whole characters of UTF-8."""
    frame: int
    """0-based index of the frame that the first byte belongs to."""
    frames: tuple[int, ...]
    """Where that frame and those after it end, in bytes of the body."""
    written: tuple[Written, ...]
    """What came out of these frames, byte by byte, in order."""
    more: int
    """Strings that are left out."""
