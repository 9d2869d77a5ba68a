"""``python -m harness.fuzz``: fuzz streamcore, one process a target. See ``--help``."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.exits import DIFFERENCE, HARNESS, INPUT, INTERRUPTED, PARITY, USAGE, unknown
from harness.fuzz.seeds import SEEDS
from harness.fuzz.targets import TARGETS, Finding, look

if TYPE_CHECKING:
    from collections.abc import Sequence

ENGINES = {"atheris": "harness.fuzz.atheris_engine", "random": "harness.fuzz.random_engine"}
OUT = Path(".streamparity/fuzz")
GRACE_SECONDS = 120
"""Beyond its time, for a process to start and to end; then it counts as hung."""

_ABOUT = """\
Fuzz streamcore: every framing and every dialect is a target, and runs in a process of its own.

  python -m harness.fuzz --seconds 120                      all targets, two minutes of processor time between them
  python -m harness.fuzz --target sse --target groq --runs 100000
  python -m harness.fuzz --engine random --runs 1000000     without atheris; the same inputs for the same --seed
  python -m harness.fuzz replay TARGET FILE...              look at single inputs again
  python -m harness.fuzz seeds                              make harness/fuzz/seeds/ anew from cassettes/

Exit codes: 0 nothing found, 1 findings (each with its reproducer), 2 usage, 3 a target's process broke or hung, 4 no seeds.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["replay"]:
        return _replay(words[1:])
    if words[:1] == ["seeds"]:
        return _seeds(words[1:])
    parser = argparse.ArgumentParser(
        prog="python -m harness.fuzz", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--target", action="append", metavar="NAME", help="a framing or a dialect (default: all of them)"
    )
    bound = parser.add_mutually_exclusive_group(required=True)
    bound.add_argument("--seconds", type=float, help="budget of all targets together, divided among them")
    bound.add_argument("--runs", type=int, help="inputs of all targets together, divided among them")
    parser.add_argument("--engine", choices=ENGINES, help="default: atheris where it is installed, else random")
    parser.add_argument("--jobs", type=int, default=1, help="targets at the same time (default 1)")
    parser.add_argument("--seed", type=int, default=1, help="another number, other inputs (default 1)")
    parser.add_argument("--corpus", type=Path, help="folder with a folder of more seeds a target; atheris adds to it")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where reproducers go (default {OUT})")
    parser.add_argument("--json", type=Path, help="write the figures here")
    asked = parser.parse_args(words)
    for name in asked.target or ():
        if name not in TARGETS:
            parser.error(unknown("target", name, TARGETS))
    if (asked.seconds if asked.runs is None else asked.runs) <= 0 or asked.jobs < 1:
        parser.error("--seconds, --runs and --jobs must be positive")
    engine = asked.engine or ("atheris" if find_spec("atheris") else "random")
    if engine == "atheris" and not find_spec("atheris"):
        parser.error("--engine atheris: not installed; `pip install 'streamparity[fuzz]'`, or use --engine random")
    return _run(asked, engine, asked.target or list(TARGETS))


def _run(asked: argparse.Namespace, engine: str, targets: Sequence[str]) -> int:
    bounds = _shares(asked, targets)
    common = ["--out", str(asked.out), "--seed", str(asked.seed)]

    def one(target: str) -> dict[str, Any]:
        command = [sys.executable, "-m", ENGINES[engine], "--target", target, *bounds[target], *common]
        if asked.corpus is not None:
            command += ["--corpus", str(asked.corpus / target)]
        limit = None if asked.seconds is None else float(bounds[target][1]) + GRACE_SECONDS
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return {"target": target, "broke": f"hung; {' '.join(command)}"}
        lines = done.stdout.splitlines()
        if done.returncode != 0 or not lines:
            last = (done.stderr.strip() or "no output").splitlines()[-1]
            return {"target": target, "broke": f"exit code {done.returncode}: {last}; {' '.join(command)}"}
        record: dict[str, Any] = json.loads(lines[-1])
        return record

    records = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        for record in pool.map(one, targets):
            records.append(record)
            _say(record)
    return _sum_up(records, engine, asked.json)


def _shares(asked: argparse.Namespace, targets: Sequence[str]) -> dict[str, list[str]]:
    """Each target's part of the budget; what does not divide goes to the first ones."""
    if asked.runs is None:
        return {target: ["--seconds", f"{asked.seconds * asked.jobs / len(targets):.3f}"] for target in targets}
    each, over = divmod(asked.runs, len(targets))
    return {target: ["--runs", str(max(each + (at < over), 1))] for at, target in enumerate(targets)}


def _say(record: dict[str, Any]) -> None:
    if "broke" in record:
        sys.stderr.write(f"{record['target']}: {record['broke']}\n")
        return
    found = record["findings"]
    figures = f"{record['inputs']:>8} inputs {record['seconds']:>7.1f} s {record['peak_mib']:>5} MiB"
    sys.stderr.write(f"{record['target']:<38}{figures}{f'  {len(found)} findings' if found else ''}\n")
    for finding in found:
        sys.stderr.write(f"  {finding['finding']}\n    {finding['command']}\n")


def _sum_up(records: list[dict[str, Any]], engine: str, path: Path | None) -> int:
    ran = [record for record in records if "broke" not in record]
    total = {
        "engine": engine,
        "targets": len(ran),
        "inputs": sum(record["inputs"] for record in ran),
        "cpu_seconds": round(sum(record["cpu_seconds"] for record in ran), 1),
        "peak_mib": max((record["peak_mib"] for record in ran), default=0),
        "findings": sum(len(record["findings"]) for record in ran),
        "broke": len(records) - len(ran),
    }
    if path is not None:
        path.write_text(json.dumps({"total": total, "targets": records}, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(total) + "\n")
    if total["broke"] or not total["inputs"]:
        return HARNESS
    return DIFFERENCE if total["findings"] else PARITY


def _replay(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m harness.fuzz replay", description="Look at single inputs again.")
    parser.add_argument("target")
    parser.add_argument("file", type=Path, nargs="+")
    asked = parser.parse_args(words)
    if asked.target not in TARGETS:
        parser.error(unknown("target", asked.target, TARGETS))
    found = 0
    for path in asked.file:
        try:
            look(asked.target, path.read_bytes())
            sys.stdout.write(f"{path}: nothing found\n")
        except Finding as finding:
            found += 1
            sys.stdout.write(f"{path}: {finding}\n")
        except OSError as error:
            sys.stderr.write(f"{path}: {error.strerror}\n")
            return INPUT
    return DIFFERENCE if found else PARITY


def _seeds(words: Sequence[str]) -> int:
    from harness.fuzz import make_seeds  # needs hypothesis, which fuzzing itself does not

    parser = argparse.ArgumentParser(prog="python -m harness.fuzz seeds", description="Make the seeds anew from the cassettes.")
    parser.add_argument("--out", type=Path, default=SEEDS, help="where to (default: where they are committed)")
    parser.add_argument("--cassettes", type=Path, default=make_seeds.CASSETTES, help="where from")
    asked = parser.parse_args(words)
    made = make_seeds.make(asked.out, asked.cassettes)
    files = [path for paths in made.values() for path in paths]
    if not files:
        sys.stderr.write(f"{asked.cassettes}: no cassettes; make them with `streamparity record`\n")
        return INPUT
    sys.stdout.write(f"{len(files)} seeds of {len(made)} targets, {sum(path.stat().st_size for path in files)} bytes\n")
    return PARITY


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except FileNotFoundError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(INPUT if "seeds" in str(error) else USAGE)
