"""What mutants of payloads are made of: fields that nobody looks at, events that nobody hears, changes to a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.mutants.overriding import GONE, Values, overriding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.mutants.base import Opener
    from streamcore.dialects.base import Policy
    from streamcore.limits import Limits


def unread(keys: set[str], *dialects: str) -> dict[str, Opener]:
    """Sessions that do not look at ``keys``, wherever in a payload they stand."""

    class Unread(Values):
        def value(self, value: dict[str, Any], name: str) -> Any:  # noqa: ARG002 - the signature is not ours to choose
            return _without(value, keys) if any(key in keys for key in _keys(value)) else None

    return overriding(Unread, *dialects)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from _keys(item)


def _without(value: Any, keys: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, keys) for key, item in value.items() if key not in keys}
    return [_without(item, keys) for item in value] if isinstance(value, list) else value


def unheard(kinds: set[str], *dialects: str) -> dict[str, Opener]:
    """Sessions that pass over events of those types."""

    class Unheard(Values):
        def value(self, value: dict[str, Any], name: str) -> Any:  # noqa: ARG002 - the signature is not ours to choose
            return GONE if value.get("type") in kinds else None

    return overriding(Unheard, *dialects)


Change = Callable[[dict[str, Any]], Any]
"""What becomes of a payload: another one, ``GONE``, or None for no change."""


def changing(change: Change, *dialects: str) -> dict[str, Opener]:
    """Sessions whose payloads go through ``change``."""
    return changing_each(lambda: change, *dialects)


def changing_each(make: Callable[[], Change], *dialects: str) -> dict[str, Opener]:
    """The same for what keeps something from payload to payload: a new one for each stream."""

    class Changed(Values):
        def __init__(self, policy: Policy, limits: Limits) -> None:
            super().__init__(policy, limits)
            self._change = make()

        def value(self, value: dict[str, Any], name: str) -> Any:  # noqa: ARG002 - the signature is not ours to choose
            return self._change(value)

    return overriding(Changed, *dialects)
