"""Every bound this package enforces, by name, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Limits:
    """Bounds on what a stream may make us hold. All sizes are bytes unless said otherwise."""

    max_frame_bytes: int = 64 * 1024 * 1024
    """Payload of one open frame. Generated images come base64-encoded in a single event of several MiB; 16 MiB is the
    least a consumer must accept, and 64 MiB leaves room for four of those."""

    max_stray_bytes: int = 16 * 1024
    """Text outside any frame that is kept to explain a failure (a bare JSON error body, an HTML page)."""

    max_json_depth: int = 256
    """Levels of nesting of one payload. Deeper than any recorded payload (below 20); well inside the default recursion
    limit (1000), so that the limit and not the caller's stack decides."""

    max_arguments_chars: int = 64 * 1024 * 1024
    """Characters of the arguments of one tool call."""

    max_open_calls: int = 4096
    """Tool calls of one message that are open at the same time."""
