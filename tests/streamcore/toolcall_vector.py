"""A vector of tool-call assembly: a body, and all that it must give under either policy."""

from __future__ import annotations

from dataclasses import dataclass, field

from .wire import (
    DONE,
    HEAD,
    Decoded,
    Json,
    decode_every_way,
    err,
    fin,
    finish,
    size,
)

END = [finish("tool_calls"), DONE]
FIN = fin("tool-calls", "tool_calls")
PROTOCOL = "tool_call_protocol"
ARGUMENTS = "invalid_arguments"


@dataclass
class Vector:
    """A body and all that it must give; ``END`` follows ``frames`` unless ``cut``."""

    name: str
    frames: list[bytes]
    parts: list[Json]
    """Between the head and the finish."""
    calls: list[tuple[str, str, str, bool]]
    """(id, name, arguments, executable) of each call of the message."""
    warnings: list[str] = field(default_factory=list)
    strict: tuple[str, int] | None = None
    """Error kind, and the frame (counted from 1) in which policy strict ends; None where it accepts."""

    @property
    def body(self) -> bytes:
        return b"".join([*self.frames, *END])

    @property
    def all_parts(self) -> list[Json]:
        return [*HEAD, *self.parts, FIN]


def check_lenient(vector: Vector) -> Decoded:
    """What policy lenient gives, its message checked; the parts and the warnings are the test's."""
    decoded = decode_every_way(vector.body)

    found = [(c.id, c.name, c.arguments, c.executable) for c in decoded.message.tool_calls]
    assert found == vector.calls
    assert all(c.complete for c in decoded.message.tool_calls)
    assert decoded.message.complete
    assert decoded.message.finish is not None
    assert (decoded.message.finish.unified, decoded.message.finish.raw) == ("tool-calls", "tool_calls")
    return decoded


def check_strict(vector: Vector) -> Decoded:
    """What policy strict gives, checked: where it gives up, and that nothing follows."""
    decoded = decode_every_way(vector.body, policy="strict")

    oddities = [code for code in vector.warnings if code == "empty_args"]  # nothing is departed from
    assert decoded.codes == ([] if vector.strict else oddities)
    if vector.strict is None:
        assert decoded.parts == vector.all_parts
        return decoded
    kind, frame = vector.strict
    *before, last = decoded.parts
    assert last == err(kind, "stream", size(*[*vector.frames, *END][:frame]))
    assert before == [*HEAD, *vector.parts][: len(before)], "what was emitted before is what lenient emits"
    assert not decoded.message.complete
    assert decoded.message.finish is not None
    assert decoded.message.finish.unified == "error"
    return decoded
