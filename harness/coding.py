"""Content codings (RFC 9110, 8.4.1): an encoded body, chunk by chunk, as a client that decodes while it reads sees it."""

from __future__ import annotations

import zlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MAX_DECODED_BYTES = 64 * 1024 * 1024
"""As large as a cassette may be; a small body can be made to unfold into a huge one."""
_SLICE = 64
"""Bytes decoded between two looks at the limit: no coding unfolds so few into more than memory holds."""


class CodingError(Exception):
    """A body that cannot be decoded: what is wrong. ``offset`` is where in the encoded body the chunk starts that broke it."""

    def __init__(self, what: str, offset: int = 0) -> None:
        super().__init__(what)
        self.offset = offset


class _Decoder(Protocol):
    def feed(self, data: bytes) -> bytes: ...

    def has_ended(self) -> bool: ...


class _Zlib:
    """gzip (several members may follow one another, RFC 1952 2.2), and deflate with or without its header."""

    def __init__(self, *, gzip: bool) -> None:
        self._gzip = gzip
        self._inner = zlib.decompressobj(31 if gzip else 15)
        self._started = False

    def feed(self, data: bytes) -> bytes:
        try:
            out = self._inner.decompress(data)
        except zlib.error:
            if self._gzip or self._started:
                raise
            self._inner = zlib.decompressobj(-15)  # what some servers mean by deflate
            out = self._inner.decompress(data)
        self._started = True
        while self._gzip and self._inner.eof and (rest := self._inner.unused_data):
            self._inner = zlib.decompressobj(31)
            out += self._inner.decompress(rest)
        return out

    def has_ended(self) -> bool:
        return self._inner.eof


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._error: type[Exception] = brotli.error
        self._inner = brotli.Decompressor()

    def feed(self, data: bytes) -> bytes:
        try:
            out: bytes = self._inner.process(data)
        except self._error as error:
            raise ValueError(str(error)) from error
        return out

    def has_ended(self) -> bool:
        return bool(self._inner.is_finished())


class _Zstandard:
    def __init__(self) -> None:
        import zstandard

        self._error: type[Exception] = zstandard.ZstdError
        self._open = zstandard.ZstdDecompressor().decompressobj
        self._inner = self._open()

    def feed(self, data: bytes) -> bytes:
        out = b""
        try:
            while data:
                if self._inner.eof:  # another frame follows (RFC 8878, 3.1)
                    self._inner = self._open()
                out += self._inner.decompress(data)
                data = self._inner.unused_data if self._inner.eof else b""
        except self._error as error:
            raise ValueError(str(error)) from error
        return out

    def has_ended(self) -> bool:
        return bool(self._inner.eof)


_DECODERS: Mapping[str, Callable[[], _Decoder]] = {
    "gzip": lambda: _Zlib(gzip=True),
    "x-gzip": lambda: _Zlib(gzip=True),
    "deflate": lambda: _Zlib(gzip=False),
    "br": _Brotli,
    "zstd": _Zstandard,
}


def codings(headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """The content codings that headers name, in the order in which they were applied; none for ``identity``."""
    named = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    return tuple(coding for part in named.split(",") if (coding := part.strip().lower()) not in ("", "identity"))


def decode_chunks(chunks: Sequence[bytes], applied: Sequence[str]) -> list[bytes]:
    """What each chunk yields when it arrives; nothing (``b""``) if its bytes complete nothing yet.

    A body that ends too early yields what can be had of it.

    Raises:
        CodingError: unknown coding, a library that is not installed, bytes that are not of this coding, or too many.
    """
    decoders = _decoders(applied)
    out: list[bytes] = []
    total = offset = 0
    for chunk in chunks:
        pieces = []
        for start in range(0, len(chunk), _SLICE):
            piece = chunk[start : start + _SLICE]
            for decoder in decoders:
                try:
                    piece = decoder.feed(piece)
                except (zlib.error, ValueError) as error:
                    raise CodingError(f"is not {', '.join(applied)}: {error}", offset) from error
            total += len(piece)
            if total > MAX_DECODED_BYTES:
                raise CodingError(f"decodes to more than {MAX_DECODED_BYTES} bytes", offset)
            pieces.append(piece)
        out.append(b"".join(pieces))
        offset += len(chunk)
    return out


def decoded_stream(
    body: bytes, chunks: Sequence[int], at_ms: Sequence[float], applied: Sequence[str]
) -> tuple[bytes, tuple[int, ...], tuple[float, ...]]:
    """The decoded body, the lengths of what its chunks yielded, and when; a chunk that yielded nothing is left out.

    Without ``chunks`` (none were kept) there are none in the result either. CodingError as in :func:`decode_chunks`.
    """
    if not applied:
        return body, tuple(chunks), tuple(at_ms)
    ends = list(accumulate(chunks, initial=0)) if chunks else [0, len(body)]
    pieces = decode_chunks([body[start:end] for start, end in pairwise(ends)], applied)
    if not chunks:
        return b"".join(pieces), (), ()
    kept = [(len(piece), at) for piece, at in zip(pieces, at_ms, strict=True) if piece]
    return b"".join(pieces), tuple(length for length, _ in kept), tuple(at for _, at in kept)


def is_encoded(body: bytes, applied: Sequence[str]) -> bool:
    """Whether a body is, from its first byte to its last, what its content codings say (CodingError: no library for them)."""
    decoders = _decoders(applied)
    data = body
    try:
        for decoder in decoders:
            data = decoder.feed(data)
    except (zlib.error, ValueError):
        return False
    return all(decoder.has_ended() for decoder in decoders)


def _decoders(applied: Sequence[str]) -> list[_Decoder]:
    decoders: list[_Decoder] = []
    for coding in reversed(applied):
        if coding not in _DECODERS:
            raise CodingError(f"content coding {coding!r} is none of {', '.join(_DECODERS)}")
        try:
            decoders.append(_DECODERS[coding]())
        except ImportError as error:
            raise CodingError(f"{coding} needs a library: pip install 'streamparity[codings]'") from error
    return decoders
