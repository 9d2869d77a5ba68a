"""What two traces and the body between them tell of the cause of their difference.

Nothing is run here. Each step asks for one piece of evidence, the most telling first, and what no step can tell has no
cause: :mod:`harness.minimal.chunks` asks where chunks end, which counts for more wherever cutting plays a part.
"""

from __future__ import annotations

from harness.evidence.kinds import Cause, told
from harness.evidence.why import likely_cause, unheard_error

__all__ = ["Cause", "likely_cause", "told", "unheard_error"]
