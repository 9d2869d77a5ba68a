"""A copy of the oracle with SDKs of other versions in it. The oracle that is committed is read, and never touched."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.exits import unknown

INSTALL = ("install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact")
TIME_LIMIT_S = 600.0
"""For npm, downloads included; it gives up on a dead network by itself, after about two minutes."""
_SOURCES = ("*.mjs", "references/*.mjs", "package.json", "package-lock.json")
_VERSION = re.compile(r"[\^~]?[A-Za-z0-9][A-Za-z0-9.+-]*")
"""An exact version, a range of npm's short kind, or a tag: nothing that npm could take for an option, a path or an address."""
_EXACT = re.compile(r"\d[\w.+-]*")
_NPM_SAYS = re.compile(r"^npm (?:error|ERR!) ?(.*)$", re.MULTILINE)
_TOLD = 3


class SdkError(ValueError):
    """A word of the user's that names no SDK of the oracle's, or no version."""


class NpmError(Exception):
    """The versions that were asked for could not be installed; one line."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One package of the oracle, and the version it is to have: exact, ``^6``, or a tag such as ``latest``."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"{self.package}@{self.version}"


def parse_sdk(word: str, oracle: Path) -> Wanted:
    """What ``NAME=VERSION`` asks for; ``NAME`` alone is its latest version.

    Raises:
        SdkError: no package of the oracle's, or no version.
    """
    name, _, version = word.partition("=")
    known = _dependencies(oracle)
    if name not in known:
        raise SdkError(unknown("SDK", name, known))
    if not _VERSION.fullmatch(version or "latest"):
        raise SdkError(f"--sdk {word}: {version!r} is no version; write {name}=latest or {name}={known[name]}")
    return Wanted(name, version or "latest")


def copy_with(oracle: Path, wanted: list[Wanted], target: Path) -> list[tuple[str, str, str]]:
    """Copies the oracle to ``target`` and installs what is wanted there.

    Returns:
        (package, version before, version now) of every package of the lock file that moved, the wanted ones first;
        ``none`` for one that is not there before or now.

    Raises:
        NpmError: there is no npm, or it failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise NpmError("there is no `npm` in PATH: install Node 20 or newer with it")
    for path in (path for pattern in _SOURCES for path in oracle.glob(pattern)):
        copy = target / path.relative_to(oracle)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    if (oracle / "node_modules").is_dir():  # what does not change need not be fetched again
        shutil.copytree(oracle / "node_modules", target / "node_modules", symlinks=True)
    before = _versions(target)
    _run(npm, [*INSTALL, *map(str, wanted)], target)
    now = _versions(target)
    asked = [one.package for one in wanted]
    return [
        (name, before.get(name, "none"), now.get(name, "none"))
        for name in sorted({*before, *now}, key=lambda name: (name not in asked, name))
        if before.get(name) != now.get(name)
    ]


def overridden(folder: Path, wanted: list[Wanted]) -> list[Wanted]:
    """What the packages that were installed in ``folder`` want of other packages of the oracle's, and do not get.

    The oracle gives all AI SDK providers one copy of what they share (README.md there), which may be too old for one.
    """
    packages = _read(folder / "package-lock.json").get("packages", {})
    pinned = _dependencies(folder)
    wants = {
        name: version
        for one in wanted
        for name, version in packages.get(f"node_modules/{one.package}", {}).get("dependencies", {}).items()
        if name in pinned and _EXACT.fullmatch(version) and version != pinned[name]
    }
    return [Wanted(name, version) for name, version in wants.items()]


def _run(npm: str, words: list[str], folder: Path) -> None:
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    try:
        done = subprocess.run(
            [npm, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=TIME_LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NpmError(f"npm did not end in {TIME_LIMIT_S:g} s") from None
    except OSError as error:
        raise NpmError(f"{npm}: cannot be run ({error.strerror})") from None
    if done.returncode:
        said = [line.strip() for line in _NPM_SAYS.findall(done.stderr) if line.strip()]
        told = "; ".join(said[:_TOLD]) or " ".join(done.stderr.split())[-200:] or "nothing"
        raise NpmError(f"npm {' '.join(words)}: ended with code {done.returncode} and said: {told}")


def _dependencies(folder: Path) -> dict[str, str]:
    known: dict[str, str] = _read(folder / "package.json")["dependencies"]
    return known


def _versions(folder: Path) -> dict[str, str]:
    """Package -> version, by the lock file; a package that lies within another has the path of that before its name."""
    packages = _read(folder / "package-lock.json").get("packages", {})
    return {
        path.removeprefix("node_modules/").replace("/node_modules/", " > "): str(about.get("version", "none"))
        for path, about in packages.items()
        if path
    }


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
