"""``streamparity record PROVIDER``: says what is done, and how it went in the end."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import get_args

import click
import httpx

from harness.exits import DIFFERENCE, HARNESS, INTERRUPTED, PARITY, USAGE
from harness.record.live.apis import APIS, LOCAL, NAMES
from harness.record.live.asks import asks
from harness.record.live.network import Network
from harness.record.live.plan import Plan, cost_limit, make_plan, refuse_unpriced, told
from harness.record.live.run import Asking, Outcome, State, run
from harness.record.local_model import prepare
from harness.record.wire import RecordError

DEFAULT_MAX_COST = "1"
"""USD: a whole matrix of a cheap model costs a few cents."""


def network() -> httpx.BaseTransport:
    """What the requests go through."""
    return Network()


def record_matrix(
    provider: str,
    out: Path,
    *,
    names: Sequence[str] = (),
    dialect: str | None = None,
    model: str | None = None,
    base: str = "",
    twins: bool = True,
    force: bool = False,
    dry_run: bool = False,
    max_cost: str = DEFAULT_MAX_COST,
    secrets: Sequence[str] = (),
    accepted: Sequence[str] = (),
) -> int:
    """Record the matrix of a provider, or say what would be done; returns the exit code.

    0: every scenario has a cassette; 1: some have none; 3: none has; 130: interrupted, what was recorded is kept.

    Raises:
        RecordError: a name or an option is wrong, or a key is missing: before anything is asked.
    """
    plan = make_plan(provider, out, names=names, dialect=dialect, model=model, base=base, twins=twins)
    limit = cost_limit(max_cost)
    if dry_run:
        for line in told(plan, limit, force=force):
            click.echo(line)
        return PARITY
    if plan.problems:
        raise RecordError(plan.problems[0], exit_code=USAGE)
    refuse_unpriced(plan, limit)
    if provider == LOCAL and any(force or not step.path.exists() for step in plan.steps):
        prepare()
    outcomes: list[Outcome] = []
    with contextlib.closing(network()) as way:
        asking = Asking(way, force, limit, secrets, accepted)
        try:
            with _progress(plan) as tell:
                for outcome in run(plan, asking):
                    outcomes.append(outcome)
                    tell(outcome)
        except KeyboardInterrupt:
            click.echo(_summary(plan, outcomes, "interrupted: "), err=True)
            return INTERRUPTED
    click.echo(_summary(plan, outcomes), err=True)
    done = sum(outcome.state in ("recorded", "kept") for outcome in outcomes)
    return PARITY if done == len(plan.steps) else DIFFERENCE if done else HARNESS


def listed(provider: str | None = None) -> Iterator[str]:
    """The scenarios of a provider, or of all, one a line."""
    for api in APIS:
        if provider in (None, api.provider):
            for ask in asks(api).values():
                yield f"{api.provider}\t{api.dialect}/{api.prefix}-{ask.name}\t{ask.about}"


def providers() -> str:
    """``openai, anthropic, ...``, for the help."""
    return ", ".join(NAMES)


def _summary(plan: Plan, outcomes: Sequence[Outcome], start: str = "") -> str:
    counts = Counter[str](outcome.state for outcome in outcomes)
    left = len(plan.steps) - len(outcomes)
    counts["not asked"] += left
    words = [f"{counts[state]} {state}" for state in get_args(State) if counts[state]]
    spent = sum(outcome.cost for outcome in outcomes)
    cost = f"; about USD {spent:.4f} spent" if spent else ""
    lines = [f"{start}{', '.join(words) or 'nothing recorded'}{cost}"]
    if counts["failed"] or counts["not asked"]:
        lines.append("run the same command again to record what is missing: what is there is kept")
    return "\n".join(lines)


@contextlib.contextmanager
def _progress(plan: Plan) -> Iterator[Callable[[Outcome], None]]:
    """Tells of each outcome: what was written on stdout, the rest on stderr; with a bar on a terminal."""

    def tell(outcome: Outcome) -> None:
        click.echo(outcome.says, err=outcome.state in ("failed", "not asked"))

    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # rich would take what is meant for stdout to stderr: only where both are the terminal is that the same.
    both = sys.stdout.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=both) as bar:
        steps = iter(plan.steps)
        task = bar.add_task(_next(steps), total=len(plan.steps))

        def tell_with_bar(outcome: Outcome) -> None:
            tell(outcome)
            bar.update(task, advance=1, description=_next(steps))

        yield tell_with_bar


def _next(steps: Iterator[object]) -> str:
    return getattr(next(steps, None), "name", "done")
