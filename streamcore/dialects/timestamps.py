"""When a response was made, as the unified parts say it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST: Final = 8_640_000_000_000
"""Seconds on either side of 1970 that ECMAScript knows (ECMA-262, "Time Values and Time Range")."""
_ERA: Final = timedelta(days=146_097)
"""400 years of the Gregorian calendar, after which it begins anew."""


def iso_timestamp(seconds: float | None) -> str | None:
    """ISO 8601 in UTC with milliseconds (ECMA-262 Date.prototype.toISOString) of a Unix time; None if it has none.

    A year that four digits cannot spell has a sign and six digits: a server that counts in milliseconds where seconds
    are due sends such times.
    """
    if seconds is None or abs(seconds) > _FARTHEST:
        return None
    eras, rest = divmod(timedelta(milliseconds=int(seconds * 1000)), _ERA)
    moment = _EPOCH + rest
    year = moment.year + 400 * eras
    spelled = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
    return f"{spelled}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
