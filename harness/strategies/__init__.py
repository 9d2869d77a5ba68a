"""Hypothesis strategies for provider streams: what a model said, written in a provider's own grammar, cut, and damaged.

For tests of one's own streaming code. What a stream says is known by construction, so nothing else is needed to check it::

    from hypothesis import given, strategies as st
    from harness.strategies import chunkings, streams

    @given(st.data())
    def test_my_parser(data):
        body, expected = data.draw(streams("anthropic-messages"))
        parser = MyParser()
        for chunk in data.draw(chunkings(body)):
            parser.feed(chunk)
        parser.close()
        assert parser.text == expected.text
        assert [(call.name, call.arguments) for call in parser.calls] == [(c.name, c.arguments) for c in expected.calls]

===================  ==================================================================================================
:func:`streams`      a body of valid grammar in a dialect of :data:`GRAMMARS`, and its :class:`Expectation`
:func:`chunkings`    a body in chunks, cut most often where decoders break
:func:`mutated`      a body after some damage (:mod:`harness.faults.damage`): nothing is expected of it but that rules hold
:func:`sse_lines`    server-sent events in every form that the standard allows, below any dialect
===================  ==================================================================================================

Needs hypothesis: ``pip install 'streamparity[fuzz]'``.
"""

from __future__ import annotations

try:
    import hypothesis  # noqa: F401 - here for the message alone
except ImportError as error:
    raise ImportError(
        "harness.strategies makes Hypothesis strategies, and hypothesis is not installed: pip install 'streamparity[fuzz]'"
    ) from error

from harness.strategies.grammars import GRAMMARS, Grammar
from harness.strategies.saying import Call, Expectation, Item, Said
from harness.strategies.sse import SseEvent, sse_lines
from harness.strategies.streams import chunkings, mutated, sayings, streams

__all__ = [
    "GRAMMARS",
    "Call",
    "Expectation",
    "Grammar",
    "Item",
    "Said",
    "SseEvent",
    "chunkings",
    "mutated",
    "sayings",
    "sse_lines",
    "streams",
]
