"""``streamparity replay``: cassettes behind a base URL, for clients in any language."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.arguments import PATH
from harness.chunking import PlanError
from harness.exits import DIFFERENCE, PARITY, InputError
from harness.replay.player import Player, RealClock, VirtualClock, one_way
from harness.replay.server import ReplayServer

if TYPE_CHECKING:
    from types import FrameType

EPILOG = """\b
It ends with SIGINT (Ctrl-C) or SIGTERM. Exit codes: 0 every recording was played and every request answered; 1 some were not;
2 usage; 3 the harness broke; 4 a cassette is missing or unreadable, or the port is taken."""


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("cassettes", nargs=-1, required=True, metavar="CASSETTE...", type=PATH)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1. Default: a free one.")
@click.option(
    "--plan",
    "plan_name",
    default="recorded",
    show_default=True,
    metavar="P",
    help="How bodies are cut: recorded, whole, bytes, every:K, random:SEED, split@N, cuts@A,B, chunk@A-B, or cut@N "
    "(the connection breaks after N bytes).",
)
@click.option(
    "--times",
    type=click.Choice(["none", "recorded"]),
    default="none",
    show_default=True,
    help="Whether chunks are sent at the recorded times.",
)
@click.option("--allow-repeats", is_flag=True, help="Answer a request again after all its recordings have been played.")
@click.option("--allow-unplayed", is_flag=True, help="Exit with 0 although some recordings were not asked for.")
def replay(
    cassettes: tuple[Path, ...], port: int, plan_name: str, times: str, allow_repeats: bool, allow_unplayed: bool
) -> None:
    """Serve cassettes on loopback, chunk for chunk, and print the base URL on stdout.

    CASSETTE is a file or a folder of them. Requests are told apart by method, path, query and body (JSON by its value);
    each recording answers once, in order. Broken recordings break: a cut stream is cut, a reset connection is reset, a
    stalled one stalls, and 429, 500 and 529 come back with their headers. A request that nothing answers gets 404, and
    stderr says how the nearest recording differs.

    \b
    Examples:
      streamparity replay cassettes/openai-chat/text.yaml
      streamparity replay cassettes/anthropic-messages --port 8123 --plan bytes --allow-repeats --allow-unplayed
      OPENAI_BASE_URL=http://127.0.0.1:8123/v1 node my-app.mjs
    """
    try:
        plan = one_way(plan_name)
    except PlanError as error:
        raise click.UsageError(str(error)) from None
    clock = RealClock() if times == "recorded" else VirtualClock()
    player = Player(*cassettes, plan=plan, clock=clock, allow_repeats=allow_repeats, allow_unplayed=allow_unplayed)
    if not player.plays:
        raise InputError(
            f"{', '.join(map(str, cassettes))}: no cassettes (*.yaml) in it; make some with `streamparity record`"
        )
    try:
        server = ReplayServer(player, port=port)
    except OSError as error:
        raise InputError(
            f"port {port}: cannot be listened on ({error.strerror}); leave --port out for a free one"
        ) from error
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.start()
        click.echo(server.address)
        click.echo(f"{len(player.plays)} recordings, plan {plan.name}; Ctrl-C ends", err=True)
        told = 0
        while not ended.wait(0.1):
            told = _tell(player, told)
        server.stop()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    _tell(player, told)
    sys.exit(_verdict(player))


def _tell(player: Player, told: int) -> int:
    for miss in player.misses[told:]:
        click.echo(f"streamparity: {miss}", err=True)
    return len(player.misses)


def _verdict(player: Player) -> int:
    """What the run was worth, on stderr and as exit code."""
    played = sum(1 for _, plays in player.plays if plays)
    click.echo(
        f"{played} of {len(player.plays)} recordings played, {len(player.misses)} requests not answered", err=True
    )
    missed = () if player.allow_unplayed else player.unplayed
    for name, _ in missed:
        click.echo(f"  not asked for: {name}", err=True)
    return DIFFERENCE if player.misses or missed else PARITY
