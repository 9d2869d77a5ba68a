"""Sources out of Gemini's grounding metadata ("GroundingChunk": ``web``, ``image``, ``retrievedContext``, ``maps``).

As ``@ai-sdk/google`` streams them: addresses only, each once. A document without an address of its own (a file of a
search store) is no source part there; it stands in the ``groundingMetadata`` of the ``finish`` part.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_ADDRESSES = ("http://", "https://")


def addresses(grounding: dict[str, Any] | None) -> Iterator[tuple[str, str | None]]:
    """(address, title) of every grounding chunk that has an address, in order."""
    for chunk in (grounding or {}).get("groundingChunks") or ():
        if chunk.get("web") is not None:
            if chunk["web"].get("uri") is not None:
                yield chunk["web"]["uri"], chunk["web"].get("title")
        elif chunk.get("image") is not None:
            # Google wants the page to be named, and not the image on it.
            if chunk["image"].get("sourceUri") is not None:
                yield chunk["image"]["sourceUri"], chunk["image"].get("title")
        elif chunk.get("retrievedContext") is not None:
            found = chunk["retrievedContext"]
            if (found.get("uri") or "").startswith(_ADDRESSES):
                yield found["uri"], found.get("title")
        elif chunk.get("maps") is not None and chunk["maps"].get("uri"):
            yield chunk["maps"]["uri"], chunk["maps"].get("title")
