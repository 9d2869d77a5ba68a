"""What the tests of OpenAI's chat have in common: a text that says hi, the end of a stream, and what the two give."""

from __future__ import annotations

from typing import Any

from .wire import DONE, HEAD, event, fin, finish, t_delta, t_end, t_start

END = [finish("stop"), DONE]
FIN = fin("stop", "stop")
HI = [t_start(), t_delta("hi")]
PLAIN = [*HEAD, *HI, t_end(), FIN]
"""What ``text("hi")`` and ``END`` give."""


def bare(**keys: Any) -> bytes:
    """The event of a payload with just these keys."""
    return event(keys)
