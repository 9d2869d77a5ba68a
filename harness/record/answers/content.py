"""What the whole answers share: a text that a scenario gives in pieces, and the refusal of what they cannot say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.record.wire import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Mapping

LATER = 2
"""Seconds from the stream's time to its twin's."""


def joined(value: str | list[str]) -> str:
    """The text of which a scenario gives the pieces, or all."""
    return value if isinstance(value, str) else "".join(value)


def cannot_say(item: Mapping[str, Any]) -> ScenarioError:
    """What to raise for a thing that only a stream can say."""
    return ScenarioError(f"says: {sorted(item)} is nothing that a whole answer says")
