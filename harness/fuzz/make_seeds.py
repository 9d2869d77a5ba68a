"""Makes the seed corpus: of each dialect the smallest recordings that together show all that its recordings show.

Of a dialect without recordings the seeds are what its grammar (:mod:`harness.strategies`) writes; where that is long there
are none, and a target starts from the seeds of the dialect whose code it shares.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING

from harness.cassette import iter_cases
from harness.fuzz.seeds import ROOT, SEEDS
from harness.strategies import GRAMMARS, Item, Said
from streamcore import DIALECTS, Decoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CASSETTES = ROOT / "cassettes"
MOST_BYTES = 3072
"""Of one seed: a fuzzer's work goes by the size of its inputs."""
MOST_SEEDS = 8
"""Of one target."""


def make(folder: Path = SEEDS, cassettes: Path = CASSETTES) -> dict[str, list[Path]]:
    """Writes the seeds of every target, and removes those that are none any more. Returns the files by target."""
    bodies: dict[str, list[bytes]] = defaultdict(list)
    for case in iter_cases(cassettes):
        bodies[case.dialect].append(case.body)
    for dialect in DIALECTS:
        bodies[dialect] = bodies[dialect] or [b"".join(GRAMMARS[dialect].write(said)) for said in _sayings(dialect)]
    chosen = {dialect: choose(found, dialect) for dialect, found in sorted(bodies.items())}
    written: dict[str, list[Path]] = {}
    for dialect, seeds in chosen.items():
        home = folder / dialect
        home.mkdir(parents=True, exist_ok=True)
        written[dialect] = [home / sha256(seed).hexdigest()[:16] for seed in seeds]
        for path, seed in zip(written[dialect], seeds, strict=True):
            path.write_bytes(seed)
        for stale in {*home.iterdir()} - {*written[dialect]}:
            stale.unlink()
    return written


def _sayings(dialect: str) -> Iterator[Said]:
    """What a dialect can say: text, reasoning before it, two calls, and too much of it."""
    grammar = GRAMMARS[dialect]
    text, thought = Item("text", "H\u00e9llo, world", (5,)), Item("reasoning", "Two words", (4,))
    calls = Item("call", '{"city":"Paris"}', (6,), "get_weather"), Item("call", "{}", (9,), "now")
    yield Said((text,), "stop", grammar.finishes["stop"][0], 500, 3, 0)
    yield Said((text, text), "length", grammar.finishes["length"][0], 500, 9, 0)
    if grammar.reasoning:
        yield Said((thought, text), "stop", grammar.finishes["stop"][0], 500, 9, 0)
    if grammar.calls:
        yield Said((text, *calls), "tool-calls", grammar.finishes["tool-calls"][0], 500, 30, 0)


def choose(bodies: Iterable[bytes], dialect: str) -> list[bytes]:
    """The smallest bodies, each of which shows something that no smaller one does."""
    seen: set[str] = set()
    chosen: list[bytes] = []
    for body in sorted({*bodies}, key=lambda body: (len(body), body)):
        shown = features(body, dialect)
        if len(body) <= MOST_BYTES and len(chosen) < MOST_SEEDS and not shown <= seen:
            seen |= shown
            chosen.append(body)
    return chosen


def features(body: bytes, dialect: str) -> set[str]:
    """What a stream shows: kinds of parts, of errors, of warnings, of ends."""
    decoder = Decoder(dialect)
    parts = [part.as_json() for part in (*decoder.feed(body), *decoder.close())]
    errors = {f"error {part['kind']} {part['stage']}" for part in parts if part["type"] == "error"}
    finish = decoder.message.finish
    return {part["type"] for part in parts} | errors | {w.code for w in decoder.warnings} | {f"finish {finish}"}
