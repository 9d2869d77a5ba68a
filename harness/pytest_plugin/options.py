"""Options and ini keys. Imported by every run of pytest, so it imports nothing of ours.

Three options are shared with pytest-recording, which had them first: where it is loaded they are its own, and mean the same
here. They are added late, when all plugins have had their say.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

RECORD_MODES = ("none", "once", "new_episodes", "all", "rewrite")
"""pytest-recording's names (its README, "Usage")."""
UPDATES = ("new", "changed", "all")
CASSETTE_MARKER = "stream_cassette"

_GROUP = ("streamparity", "replay recorded provider streams, cut at every byte")


def add_options(parser: pytest.Parser) -> None:
    """All that are ours alone."""
    add = parser.getgroup(*_GROUP).addoption
    add("--parity", action="store_true", help="Collect every case x plan as a test.")
    add("--parity-plan", metavar="P", help="smoke, standard, exhaustive, or a list such as bytes,every:7,split@12.")
    add(
        "--parity-subject",
        action="append",
        metavar="S",
        help="streamcore, mutant:NAME, or package.module:attribute; repeatable.",
    )
    add("--parity-cassettes", metavar="DIR", help="Folder of cassettes. Default: cassettes/ in the root folder.")
    add("--parity-golden", metavar="DIR", help="Folder of goldens. Default: golden/ in the root folder.")
    add(
        "--parity-corpus",
        action="append",
        metavar="DIR",
        help="Folder of <dialect>/<slug>.body recordings; goldens are made on the fly (needs Node 20); repeatable.",
    )
    add("--parity-case", action="append", metavar="GLOB", help="Only cases whose id matches; repeatable.")
    add("--parity-shard", metavar="K/N", help="Only the K-th of N shares of the cases; the reports are merged later.")
    add("--parity-report", metavar="PATH", help="Write the report for people (HTML).")
    add("--parity-json", metavar="PATH", help="Write the report for programs (JSON).")
    add("--parity-seed", type=int, default=0, metavar="N", help="Added to the seeds of the random plans.")
    add("--parity-no-mutants", action="store_true", help="Leave out the proof that the checks can fail.")
    add("--known-divergences", metavar="FILE", help="Named divergences. Default: divergences.yaml beside the goldens.")
    add(
        "--update-golden",
        choices=UPDATES,
        metavar="new|changed|all",
        help="Make goldens of the chosen cases with the TypeScript SDKs (needs Node 20) before they are compared: those that "
        "are missing, those that changed, or both. Wants --update-golden-reason; refused in CI and under pytest-xdist.",
    )
    add("--update-golden-reason", metavar="TEXT", help="Why; kept in updates.ndjson beside the goldens.")
    add("--allow-recording-in-ci", action="store_true", help="Let --record-mode be other than none where CI is set.")
    parser.addini("parity_subject", "as --parity-subject; several are separated by spaces", default="")
    parser.addini("parity_plan", "as --parity-plan", default="")
    parser.addini("parity_cassettes", "as --parity-cassettes, relative to the root folder", default="")
    parser.addini("parity_golden", "as --parity-golden, relative to the root folder", default="")
    parser.addini("parity_corpus", "as --parity-corpus; several are separated by spaces", default="")
    parser.addini("parity_known_divergences", "as --known-divergences, relative to the root folder", default="")


def add_shared_options(parser: pytest.Parser, known: Any) -> None:
    """Those of pytest-recording that ``known``, the namespace of options so far, does not have."""
    add = parser.getgroup(*_GROUP).addoption
    if not hasattr(known, "record_mode"):
        add(
            "--record-mode",
            choices=RECORD_MODES,
            help="What the fixture stream_recording does: replay alone (none, the default), record what has no cassette yet "
            "(once) or no recording in it (new_episodes), or record anew and keep what was not asked for (all) or not (rewrite).",
        )
    if not hasattr(known, "block_network"):
        said = "Let no test connect anywhere but to this machine, unless it records."
        add("--block-network", action="store_true", help=said)
    if not hasattr(known, "allowed_hosts"):
        add("--allowed-hosts", metavar="REGEX,...", help="Hosts to which tests may connect all the same.")


def record_mode(config: pytest.Config) -> str:
    """What is asked for, or ``none``."""
    return getattr(config.option, "record_mode", None) or "none"


def in_ci() -> bool:
    """Whether the environment says so, as GitHub, GitLab and most others do: CI is set, and not to a word for no."""
    return os.environ.get("CI", "").strip().lower() not in ("", "0", "false", "no", "off")


def refuse_recording_in_ci(config: pytest.Config) -> None:
    """Passes unless recording was asked for in CI, and not allowed.

    Raises:
        pytest.UsageError: it was.
    """
    mode = record_mode(config)
    if mode != "none" and in_ci() and not config.option.allow_recording_in_ci:
        raise pytest.UsageError(
            f"--record-mode={mode} in CI (CI={os.environ['CI']}): a run that records proves nothing about what is recorded; "
            "leave it out, or add --allow-recording-in-ci"
        )


def refuse_without_parity(config: pytest.Config) -> None:
    """Passes unless a report or a shard was asked for of a run without ``--parity``, which has none.

    What stands in ``addopts`` is meant for the runs that have one.

    Raises:
        pytest.UsageError: it was, where the run was started.
    """
    for asked in config.invocation_params.args:
        name = str(asked).partition("=")[0]
        if name in ("--parity-report", "--parity-json", "--parity-shard") and not config.option.help:
            raise pytest.UsageError(f"{asked}: nothing is replayed without --parity; add it, or leave {name} out")


def allowed_hosts(config: pytest.Config) -> tuple[str, ...]:
    """Regular expressions for hosts."""
    given: str = getattr(config.option, "allowed_hosts", None) or ""
    return tuple(host for host in given.split(",") if host)


def cassettes_folder(config: pytest.Config) -> Path:
    """Where cassettes are, if nothing but a folder of cassettes is asked for."""
    named: str | None = config.option.parity_cassettes
    if named:
        return config.invocation_params.dir / named
    return config.rootpath / (config.getini("parity_cassettes") or "cassettes")
