"""Whether the reference moved: goldens made again by SDKs of other versions, held against the committed ones."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.difference import first_difference
from harness.drift import REFERENCE, GoldenDrift, Inquiry, Unchecked
from harness.drift.core import unusable
from harness.drift.npm import NpmError, Wanted, copy_with, overridden, parse_sdk
from harness.golden import Change, GoldenStore
from harness.oracle import OracleError, find_node, oracle_folder
from harness.references import references_for

if TYPE_CHECKING:
    from harness.case import Case

HINT = "give --sdk NAME=VERSION, such as --sdk openai=latest (needs Node 20 and npm)"
_FOR_THE_COMMITTED_ONE = re.compile(r"; is `npm ci.*$")
"""Advice about a folder that is gone when it is read."""
_ABOUT_THE_RUN = ("versions", "oracle")


def reference_moved(cases: Sequence[Case], goldens: Path, sdks: Sequence[str]) -> Inquiry:
    """Makes the goldens of ``cases`` with other SDKs, ``NAME=VERSION`` each, in a temporary copy of the oracle.

    Raises:
        SdkError: a word of ``sdks`` names no package of the oracle's, or no version.
    """
    if not sdks:
        return Inquiry(REFERENCE, asked=False, hint=HINT)
    what = ", ".join(sdks)
    try:
        oracle = oracle_folder(goldens)
        wanted = [parse_sdk(word, oracle) for word in sdks]
        _, node = find_node()
    except OracleError as error:
        return Inquiry(REFERENCE, unchecked=(Unchecked(what, str(error)),))
    store = GoldenStore(goldens)
    reasons = {case.id: unusable(store, case) for case in cases}
    unchecked = [Unchecked(case, reason) for case, reason in reasons.items() if reason]
    sound = [case for case in cases if not reasons[case.id]]
    with tempfile.TemporaryDirectory(prefix="streamparity-drift-") as folder:
        temporary = Path(folder) / "golden"
        try:
            versions = copy_with(oracle, wanted, temporary / "oracle")
            _copy_goldens(store, sound, temporary)
            changes = GoldenStore(temporary).check(sound, all_cases=False)
        except NpmError as error:
            return Inquiry(REFERENCE, unchecked=(*unchecked, Unchecked(what, str(error))))
        except OracleError as error:
            told = f"the oracle does not run with it: {_FOR_THE_COMMITTED_ONE.sub('', str(error))}"
            if others := overridden(temporary / "oracle", wanted):
                told += (
                    f"; it wants others with it: add {' '.join(f'--sdk {one.package}={one.version}' for one in others)}"
                )
            return Inquiry(REFERENCE, unchecked=(*unchecked, Unchecked(what, told)))
    by_file = {f"{case.id}.{one.name}.ndjson": (case, one) for case in sound for one in references_for(case)}
    findings: list[GoldenDrift] = []
    failed = 0
    now = {package: after for package, _, after in versions}
    for change in changes:
        if change.what in _ABOUT_THE_RUN:
            continue
        case, reference = by_file[change.path]
        if change.what == "failed":
            failed += 1
            unchecked.append(Unchecked(f"{case.id} ({reference.name})", f"the reference gave nothing: {change.detail}"))
            continue
        package = f"{reference.package} {now.get(reference.package) or store.sdk_versions().get(reference.package, '')}"
        findings.append(_drift(case, reference.name, package.strip(), change))
    return Inquiry(
        REFERENCE,
        checked=len(by_file) - failed,
        facts=(*_told(versions, wanted, store), f"{len(findings)} of {len(by_file) - failed:,} goldens differ"),
        findings=tuple(findings),
        unchecked=tuple(unchecked),
        notes=tuple(_other_node(store, node)),
        versions=tuple(versions),
    )


def _copy_goldens(store: GoldenStore, cases: Sequence[Case], target: Path) -> None:
    shutil.copyfile(store.root / "manifest.json", target / "manifest.json")
    for case in cases:
        for reference in references_for(case):
            path = store.path(case.id, reference.name)
            copy = target / path.relative_to(store.root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _drift(case: Case, reference: str, package: str, change: Change) -> GoldenDrift:
    if not change.remade:
        return GoldenDrift(case.id, reference, package, None, change.detail)
    difference = first_difference(
        change.stored[1:], change.remade[1:], against=reference, plan="whole", case=case, subject=package
    )
    return GoldenDrift(case.id, reference, package, difference, "" if difference else change.detail)


def _told(versions: Sequence[tuple[str, str, str]], wanted: Sequence[Wanted], store: GoldenStore) -> list[str]:
    asked = {one.package for one in wanted}
    told = [f"{name} {before} -> {now}" for name, before, now in versions if name in asked]
    still = sorted(asked - {name for name, _, _ in versions})
    told += [f"{name}: {store.sdk_versions().get(name, 'this')} is the version that made the goldens" for name in still]
    others = [f"{name} {before} -> {now}" for name, before, now in versions if name not in asked]
    if others:
        told.append(f"with it: {', '.join(others)}")
    return told


def _other_node(store: GoldenStore, node: str) -> Iterator[str]:
    made_by = str(store.manifest.get("node", ""))
    if made_by.partition(".")[0] != node.partition(".")[0]:
        yield f"the goldens were made by Node {made_by}, and this is {node}: what differs may be Node's doing"
