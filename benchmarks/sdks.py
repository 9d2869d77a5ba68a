"""The provider SDKs for Python, over a transport that answers from memory.

Raw iteration (``create(stream=True)``) is the least an SDK does with a stream: one model object per event, nothing
accumulated. Client and transport are made once, outside the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx2

    Iterate = Callable[[list[bytes]], int]

_HEADERS = {"content-type": "text/event-stream"}


class _Body:
    """What the transport answers with: set before each request."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    def client(self) -> httpx2.Client:
        import httpx2

        def answer(_request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, headers=_HEADERS, content=iter(self.chunks))

        return httpx2.Client(transport=httpx2.MockTransport(answer))


def openai_raw() -> Iterate | None:
    """Counts the chunks that openai-python gives for a body; None if it is not installed."""
    try:
        import openai
    except ImportError:
        return None
    body = _Body()
    client = openai.OpenAI(api_key="unused", http_client=body.client(), max_retries=0)

    def run(chunks: list[bytes]) -> int:
        body.chunks = chunks
        messages: Any = [{"role": "user", "content": "x"}]
        return sum(1 for _ in client.chat.completions.create(model="a-model", messages=messages, stream=True))

    return run


def anthropic_raw() -> Iterate | None:
    """Counts the events that anthropic-python gives for a body; None if it is not installed."""
    try:
        import anthropic
    except ImportError:
        return None
    body = _Body()
    client = anthropic.Anthropic(api_key="unused", http_client=body.client(), max_retries=0)

    def run(chunks: list[bytes]) -> int:
        body.chunks = chunks
        messages: Any = [{"role": "user", "content": "x"}]
        stream = client.messages.create(model="a-model", max_tokens=16, messages=messages, stream=True)
        return sum(1 for _ in stream)

    return run


def over_transport(work: Callable[[Iterator[bytes]], int]) -> Iterate | None:
    """``work`` on the bytes as the SDKs' HTTP client hands them over; None if that client is not installed."""
    try:
        import httpx2  # noqa: F401 - only to see whether it is there
    except ImportError:
        return None
    body = _Body()
    client = body.client()

    def run(chunks: list[bytes]) -> int:
        body.chunks = chunks
        with client.stream("POST", "http://localhost/", json={}) as response:
            return work(response.iter_bytes())

    return run
