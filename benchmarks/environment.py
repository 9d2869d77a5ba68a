"""What a figure depends on: machine, Python, versions of everything that ran."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("openai", "anthropic", "httpx-sse", "httpx2", "jiter")


def describe() -> dict[str, str]:
    """Name -> value, for people."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {_cpu()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}",
        "load before the run": _load(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "msgspec (used by streamcore)": version_of("msgspec"),
        **{name: version_of(name) for name in PEERS},
    }


def version_of(distribution: str) -> str:
    """The installed version, or that there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"


def resident_bytes() -> int | None:
    """Resident memory of this process in bytes; None where there is no /proc."""
    try:
        fields = Path("/proc/self/statm").read_text(encoding="ascii").split()
    except OSError:
        return None
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown CPU"


def _load() -> str:
    try:
        return f"{os.getloadavg()[0]:.2f} (1 minute)"
    except OSError:
        return "unknown"
