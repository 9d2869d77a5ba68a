"""How numbers of bytes are told to people."""

from __future__ import annotations


def human_size(count: int) -> str:
    """``count`` bytes with the unit that suits them: ``812 B``, ``14.2 kB``, ``3.10 MB``."""
    if count < 1000:
        return f"{count} B"
    value, unit = (count / 1000, "kB") if count < 999_950 else (count / 1_000_000, "MB")
    return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
