"""What any dialect must bear: its bodies cut at every byte, and with bytes changed, lost or doubled."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from harness.rules import cut_is_legal, violations
from streamcore import DIALECTS

from .wire import Json, decode, read

_TRIES = 300
_BYTES = (b"", b'"', b"{", b"}", b"[", b"\\", b"\n", b":", b",", b"0", b"\xff", b"\xe2", b"null", b"true")


def check_cuts(body: bytes, dialect: str) -> None:
    """Every beginning of ``body`` gives a beginning of its parts and says that it is one (V13, V18)."""
    whole = decode(body, dialect).parts
    for at in range(len(body)):
        complaint = cut_is_legal(decode(body[:at], dialect).parts, whole)
        assert complaint is None, f"cut at {at}: {complaint}"


def mutations(body: bytes) -> Iterator[bytes]:
    """``body`` with a few bytes replaced, left out or doubled, the same every time."""
    chance = random.Random(len(body))
    for _ in range(_TRIES):
        mutant = body
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(mutant))
            length = chance.choice((0, 1, 1, 1, 8, 40))
            filler = chance.choice((*_BYTES, mutant[at : at + length] * 2))
            mutant = mutant[:at] + filler + mutant[at + length :]
        yield mutant


def check_mutations(body: bytes, dialect: str) -> None:
    """Nothing raises, and the quick and the general path, whole and in pieces, give the same parts in legal order."""
    for mutant in mutations(body):
        expected = decode(mutant, dialect)
        if hasattr(DIALECTS[dialect], "frame_in_full"):
            assert decode(mutant, dialect, general=True) == expected, mutant
        items, decoder = read((mutant[at : at + 5] for at in range(0, len(mutant), 5)), dialect, "lenient", None)
        assert items == expected.items, mutant
        assert decoder.warnings == expected.warnings, mutant
        assert violations(_without_surrogates(expected.parts), dialect=dialect) == [], mutant
        read([mutant], dialect, "strict", None)


def _without_surrogates(parts: list[Json]) -> list[Json]:
    """A mutant may spell half a surrogate pair; that is its own doing."""

    def mended(value: Any) -> Any:
        return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value

    return [{key: mended(value) for key, value in part.items()} for part in parts]
