"""The ids of a stream's calls and sources, each given out once."""

from __future__ import annotations

from streamcore.errors import ErrorKind
from streamcore.parts import Part
from streamcore.state import State
from streamcore.toolcalls import Reporter


class Ids(State):
    """Those that are taken."""

    __slots__ = ("generated", "taken")

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self.generated = 0

    def take(self, wanted: str | None, report: Reporter, out: list[Part]) -> str:
        """The id of a new call or source: the wire's, or one made up if it gives none or gives it twice."""
        if wanted and wanted not in self.taken:
            self.taken.add(wanted)
            return wanted
        if wanted:
            detail = f"two calls with the id {wanted!r}; the second gets another"
            report.lenient("duplicate_id", detail, out, ErrorKind.TOOL_CALL_PROTOCOL)
        while True:
            made_up = f"gen_{self.generated}"
            self.generated += 1
            if made_up not in self.taken:
                self.taken.add(made_up)
                return made_up
