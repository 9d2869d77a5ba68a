"""``streamparity mutants``: the table of what caught which mutant, and its exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import exits
from harness.arguments import PATH, outputs
from harness.files import write_atomically
from harness.mutants import LAYERS, MUTANTS

if TYPE_CHECKING:
    from harness.mutants.run import Fate, Survey

_SHORT = {"structural": "struct", "cut-at-every-byte": "cut"}
"""Plans whose names are too long to head a column."""
_STATEMENT = 150
_EPILOG = """\b
Exit codes: 0 every mutant was caught; 1 a survivor, or an alarm on the core; 2 usage;
3 nothing was run, or the harness broke; 4 missing, unreadable or stale input; 130 interrupted."""


@click.command(name="mutants", epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--layer", "layers", multiple=True, metavar="L", help=f"Only those of a layer: {', '.join(LAYERS)}. Repeatable."
)
@click.option("--plan", "plan_names", metavar="P", help="Run these plans on all cases, such as bytes,every:7, instead.")
@click.option("--case", "globs", multiple=True, metavar="GLOB", help="Only cases whose id matches. Repeatable.")
@click.option(
    "--cassettes", type=PATH, default=Path("cassettes"), show_default=True, metavar="DIR"
)
@click.option("--goldens", type=PATH, default=Path("golden"), show_default=True, metavar="DIR")
@click.option("--json", "json_path", type=PATH, metavar="F", help="Also write it all to a file.")
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N", help="Processes. Default: one a core.")
@click.option("--list", "list_only", is_flag=True, help="Print names, requirements and what each does wrong, and stop.")
def mutants(
    names: tuple[str, ...],
    layers: tuple[str, ...],
    plan_names: str | None,
    globs: tuple[str, ...],
    cassettes: Path,
    goldens: Path,
    json_path: Path | None,
    jobs: int | None,
    list_only: bool,
) -> None:
    """Run deliberately wrong subjects over the cassettes, and show which plan catches which.

    Each is the core with one planted defect. One that nothing catches is a missing recording, and fails the command; so
    does an alarm on the core itself, which runs under the same plans on the same cases. NAME may be a glob.

    The table counts the cases on which each plan caught a mutant. `hazards` is no plan: it stands for the catalogue of
    hazards, which says what should come of a case where the references are wrong themselves.

    \b
    Examples:
      streamparity mutants
      streamparity mutants --layer framing 'crlf-*'
      streamparity mutants --case 'anthropic-messages/*' --plan bytes,every:7
      streamparity check --subject mutant:latin-1 --no-mutants
    """
    chosen = _chosen(names, layers)
    if list_only:
        for line in listing(chosen):
            click.echo(line)
        click.echo("\nRun one: streamparity check --subject mutant:NAME --no-mutants", err=True)
        return
    # Not before: the list needs none of it.
    from harness.check import find_cases
    from harness.mutants.run import Where, survey

    outputs({"--json": json_path})
    if not find_cases(cassettes, (), globs):
        which = f"no case matches {' '.join(globs)}" if globs else f"{cassettes}: no <dialect>/<name>.yaml in it"
        raise exits.InputError(f"{which}; `streamparity check --list` prints the ids")
    if not goldens.is_dir():
        raise exits.InputError(f"{goldens}: no such folder; --goldens names the one with the goldens of the cassettes")
    where = Where(cassettes, goldens, globs, _plans(plan_names))
    with _progress(len(chosen)) as bar:
        result = survey(chosen, where, jobs=jobs or os.cpu_count() or 1, tell=bar.update if bar else lambda _: None)
    for line in table(result):
        click.echo(line)
    if json_path is not None:
        write_atomically(json_path, json.dumps(document(result), indent=1, sort_keys=True) + "\n")
    sys.exit(exit_code(result))


def _chosen(names: Sequence[str], layers: Sequence[str]) -> list[str]:
    for layer in layers:
        if layer not in LAYERS:
            raise click.UsageError(exits.unknown("layer", layer, LAYERS))
    for name in names:
        if not any(fnmatchcase(mutant, name) for mutant in MUTANTS):
            raise click.UsageError(f"no mutant is called {name!r}; `streamparity mutants --list` lists them")
    found = [mutant.name for layer in layers or LAYERS for mutant in LAYERS[layer]]
    return [name for name in found if not names or any(fnmatchcase(name, glob) for glob in names)]


def _plans(names: str | None) -> tuple[str, ...]:
    from harness.chunking import PlanError, parse_plans

    if names is None:
        return ()
    try:
        return tuple(dict.fromkeys(plan.name for plan in parse_plans(names)))
    except PlanError as error:
        raise click.UsageError(str(error)) from None


def _progress(total: int) -> AbstractContextManager[Any]:
    """A bar on standard error, on a terminal only."""
    if not sys.stderr.isatty():
        return nullcontext()
    return click.progressbar(length=total, label="mutants", file=sys.stderr)


def listing(names: Sequence[str]) -> Iterator[str]:
    """A line a mutant: name, requirement, what it does wrong."""
    width = max(map(len, names), default=0)
    for name in names:
        yield f"{name:{width}}  {MUTANTS[name].requirement:8}  {MUTANTS[name].description}"


def exit_code(result: Survey) -> int:
    """0; 1 with a survivor or an alarm; 3 if nothing was run."""
    if not result.run or not result.usable:
        return exits.HARNESS
    return exits.DIFFERENCE if result.survivors or result.control.alarms else exits.PARITY


def table(result: Survey) -> Iterator[str]:
    """The lines of the report, ASCII."""
    from harness.mutants.run import layer_of
    from harness.visible import ascii_only

    columns = [plan for plan in _order(result) if any(fate.plans.get(plan) for fate in result.fates)]
    width = max((len(fate.mutant) for fate in result.fates), default=0)
    for layer in LAYERS:
        fates = [fate for fate in result.fates if layer_of(fate.mutant) == layer]
        if not fates:
            continue
        heads = " ".join(f"{_SHORT.get(plan, plan):>8}" for plan in columns)
        yield f"{layer}: cases on which each plan caught it"
        yield f"  {'':{width}}           {heads}    cases  first caught by"
        for fate in fates:
            yield from (f"  {ascii_only(line)}" for line in _lines(fate, columns, width))
        yield ""
    yield from map(ascii_only, _totals(result))


def _order(result: Survey) -> list[str]:
    from harness.mutants.mutation import STAGES

    built_in = [plan for stage in STAGES for plan in stage]
    met = {plan for fate in result.fates for plan in fate.plans}
    return [*(plan for plan in built_in if plan in met), *sorted(met - set(built_in))]


def _lines(fate: Fate, columns: Sequence[str], width: int) -> Iterator[str]:
    from harness.report.causes import likely

    head = f"{fate.mutant:{width}}  {MUTANTS[fate.mutant].requirement:7}"
    if not fate.tried:
        yield f"{head}  not run: it claims none of these cases"
        return
    counts = " ".join(f"{fate.plans.get(plan) or '.':>8}" for plan in columns)
    cases = f"{fate.caught}/{fate.tried}"
    if fate.first is None:
        yield f"{head}  {counts}  {cases:>7}  NOT CAUGHT: {MUTANTS[fate.mutant].description}"
        return
    yield f"{head}  {counts}  {cases:>7}  {fate.first.plans[0]} on {fate.first.case}"
    yield f"{'':{width}}    {minimal(fate)}"
    if cause := likely(fate.difference) if fate.difference else "":
        yield f"{'':{width}}    likely cause: {cause}"
    yield f"{'':{width}}    again: {again(fate)}"


def minimal(fate: Fate) -> str:
    """The least that makes a mutant fail, in one line."""
    from harness.mutants.mutation import HAZARDS

    found = fate.difference.minimal if fate.difference else None
    if found is None:
        told = fate.first.told if fate.first else ""
        told = told if len(told) <= _STATEMENT else f"{told[: _STATEMENT - 3]}..."
        return f"whole body: {told}" if told else "whole body"
    cuts = "no cut" if not found.cuts else "1 cut" if len(found.cuts) == 1 else f"{len(found.cuts)} cuts"
    told = f"; {fate.difference.note}" if fate.difference and fate.difference.against == HAZARDS else ""
    return f"{found.plan} ({cuts}): {found.statement}{told}"


def again(fate: Fate) -> str:
    """The command that shows the same again."""
    from harness.mutants.mutation import HAZARDS

    assert fate.first is not None
    subject = f"--subject mutant:{fate.mutant}"
    found = fate.difference.minimal if fate.difference else None
    if fate.first.plans[0] == HAZARDS:
        command = f"streamparity check --hazards --case {fate.first.case} {subject}"
    elif fate.difference:
        command = (found or fate.difference).reproduce
    else:
        command = f"streamparity check --case {fate.first.case} --plan {fate.first.plans[0]},bytes {subject}"
    return f"{command} --no-mutants"


def _totals(result: Survey) -> Iterator[str]:
    from harness.mutants.mutation import PLANS

    run, survivors, alarms = result.run, result.survivors, result.control.alarms
    yield f"control: streamcore under the same plans on the same {result.control.cases} cases: {len(alarms)} alarms"
    for alarm in alarms:
        plans = ",".join(plan for plan in alarm.plans if plan in PLANS) or "whole"
        again = f"streamparity check --case {alarm.case} --plan {plans} --no-mutants"
        yield f"  ALARM {alarm.case} under {', '.join(alarm.plans)}: {alarm.told}; see it with: {again}"
    for fate in survivors:
        yield f"SURVIVOR {fate.mutant}: {MUTANTS[fate.mutant].description}; no recording of {fate.tried} shows it: record one"
    if not run:
        yield "no mutant was run: nothing is proven"
        return
    caught = len(run) - len(survivors)
    left_out = f", {len(result.fates) - len(run)} not run" if len(run) < len(result.fates) else ""
    yield f"kill score {100 * caught // len(run)} %: {caught} of {len(run)} mutants caught, {len(survivors)} survivors{left_out}"


def document(result: Survey) -> dict[str, Any]:
    """The same for programs; ``schemas/mutants.schema.json`` describes it."""
    from harness.mutants.run import layer_of

    return {
        "format": "streamparity/mutants",
        "version": 1,
        "mutants": [
            {
                **asdict(fate),
                "layer": layer_of(fate.mutant),
                "requirement": MUTANTS[fate.mutant].requirement,
                "description": MUTANTS[fate.mutant].description,
            }
            for fate in result.fates
        ],
        "control": asdict(result.control),
        "totals": {"run": len(result.run), "survivors": len(result.survivors), "alarms": len(result.control.alarms)},
    }
