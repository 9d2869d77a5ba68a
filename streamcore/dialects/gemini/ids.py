"""The ids of a stream's calls and sources, each given out once."""

from __future__ import annotations

from streamcore.dialects.callids import CallIds
from streamcore.errors import ErrorKind
from streamcore.parts import Part
from streamcore.toolcalls import Reporter


class Ids(CallIds):
    """Those that are taken. Most of Gemini's calls come without one, which is no oddity."""

    __slots__ = ()
    prefix = "gen_"

    def take(self, wanted: str | None, report: Reporter, out: list[Part]) -> str:
        """The id of a new call or source: the wire's, or one made up if it gives none or gives it twice."""
        if wanted and wanted not in self.taken:
            self.taken[wanted] = ""
            return wanted
        if wanted:
            detail = f"two calls with the id {wanted!r}; the second gets another"
            report.lenient("duplicate_id", detail, out, ErrorKind.TOOL_CALL_PROTOCOL)
        return self.make_up()
