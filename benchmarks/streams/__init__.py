"""One stream for every dialect that has a trace reference: what that API sends when a model thinks, answers, and calls
tools.

The same :class:`~benchmarks.streams.script.Script` is told in each API's own way, so that dialects differ by their wire
format and by nothing else. Everything is made here, by a seeded generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.streams import anthropic, bedrock, chat, cohere, google, interactions, responses

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.streams.script import Script
    from benchmarks.workloads import Stream

MAKERS: dict[str, Callable[[Script], Stream]] = {
    **chat.MAKERS,
    **responses.MAKERS,
    **anthropic.MAKERS,
    **google.MAKERS,
    **interactions.MAKERS,
    **bedrock.MAKERS,
    **cohere.MAKERS,
}
"""Dialect -> how a script is told in it."""


def tell(dialect: str, script: Script) -> Stream:
    """``script`` in ``dialect``; chat completions if it is not in :data:`MAKERS`, as those of most servers are."""
    return MAKERS[dialect](script) if dialect in MAKERS else chat.stream(dialect, script)
