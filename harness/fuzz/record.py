"""What a run of one target comes to, and the reproducers it leaves behind."""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from harness.fuzz.targets import Finding, look

MOST_FINDINGS = 20
"""Of one target: by then something is thoroughly broken, and the rest would say no more."""


@dataclass
class Record:
    """One target, one run. Findings of one kind at one place count as one."""

    target: str
    engine: str
    out: Path
    inputs: int = 0
    findings: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    begun: float = field(default_factory=perf_counter)

    def look(self, body: bytes) -> None:
        """One input; a finding is written down, and the run goes on."""
        self.inputs += 1
        try:
            look(self.target, body)
        except Finding as finding:
            self.keep(finding, body)

    def keep(self, finding: Finding, body: bytes) -> None:
        """A reproducer for the first body that shows a finding, replaced by any that is shorter."""
        key = (finding.kind, finding.where)
        held = self.findings.get(key)
        if held is not None and len(body) >= Path(held["file"]).stat().st_size:
            return
        self.out.mkdir(parents=True, exist_ok=True)
        path = self.out / f"{self.target}-{finding.kind}-{sha256(repr(key).encode()).hexdigest()[:10]}"
        path.write_bytes(body)
        command = f"python -m harness.fuzz replay {self.target} {path}"
        self.findings[key] = {"finding": str(finding), "file": str(path), "command": command}

    @property
    def full(self) -> bool:
        """It has findings enough."""
        return len(self.findings) >= MOST_FINDINGS

    def as_json(self) -> dict[str, Any]:
        """Figures: seconds by the clock and of the processor, and the most memory that the process ever had, in MiB."""
        return {
            "target": self.target,
            "engine": self.engine,
            "inputs": self.inputs,
            "seconds": round(perf_counter() - self.begun, 1),
            "cpu_seconds": round(process_time(), 1),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "findings": list(self.findings.values()),
        }

    def write(self) -> None:
        """One line of JSON on stdout."""
        sys.stdout.write(json.dumps(self.as_json()) + "\n")
        sys.stdout.flush()
