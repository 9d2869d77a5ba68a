"""``streamparity record``: make cassettes, from the simulator, the local model, or a live API."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.arguments import PATH
from harness.cassette import Cassette, CassetteError, load, save
from harness.exits import HARNESS, INPUT, USAGE
from harness.record.live.command import DEFAULT_MAX_COST, listed, providers, record_matrix
from harness.record.local_model import LocalModel
from harness.record.providers import PROVIDERS
from harness.record.proxy_cli import import_vcr, run_proxy
from harness.record.recorder import record_live, record_local, record_simulated, same_stream
from harness.record.scenarios import DIALECTS, SOURCES, Scenario, find, scenarios
from harness.record.twin import local_twin, simulated_twin
from harness.record.wire import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable


class RecordFailure(click.ClickException):
    """One line on stderr, and the exit code of its cause."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance as well


_EPILOG = """\b
Exit codes: 0 recorded; 1 some of a PROVIDER's scenarios failed; 2 usage, or a cassette that is there already; 3 nothing
was recorded, or what was looks like a secret; 4 a file that cannot be read or written; 130 interrupted."""


@click.command(epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.argument("provider", required=False, metavar="[PROVIDER]")
@click.option("--dialect", type=click.Choice(DIALECTS), help="Which API's streams. With --all: only this one's.")
@click.option(
    "--scenario",
    "names",
    multiple=True,
    metavar="NAME",
    help="A known scenario (with PROVIDER repeatable), or with --from URL any name for the new cassette.",
)
@click.option(
    "--from",
    "source",
    metavar="SOURCE",
    help="simulator, local-model, or the base address of a live API (https://...); with PROVIDER, where it is reached.",
)
@click.option("--model", help="Ask for this model instead of the scenario's.")
@click.option("--prompt", help="Live: ask this.")
@click.option(
    "--request", "request_file", type=PATH, help="Live: a file with the JSON request body."
)
@click.option("--key-env", help="Live: the environment variable that holds the API key.")
@click.option("--dry-run", is_flag=True, help="With PROVIDER: print the plan, and ask nobody.")
@click.option(
    "--max-cost",
    metavar="USD",
    default=DEFAULT_MAX_COST,
    show_default=True,
    help="With PROVIDER: stop before the recordings can cost more; the word unlimited if no price is known.",
)
@click.option("--no-twin", is_flag=True, help="With PROVIDER: do not ask again without a stream, to compare the two.")
@click.option(
    "--mask-env",
    "masked",
    multiple=True,
    metavar="NAME",
    help="Overwrite the value of this environment variable wherever it turns up. Repeatable.",
)
@click.option(
    "--not-secret",
    "accepted",
    multiple=True,
    metavar="SHA256",
    help="Keep the text that a refusal named by this digest: it looks like a secret and is none. Repeatable.",
)
@click.option("--out", type=PATH, default=Path("cassettes"), show_default=True)
@click.option("--force", is_flag=True, help="Replace cassettes that exist.")
@click.option("--all", "everything", is_flag=True, help="Record every known scenario again.")
@click.option("--list", "listing", is_flag=True, help="List the known scenarios.")
@click.option(
    "--proxy", is_flag=True, help="Record any client in any language: print a base URL for it, and pass everything on."
)
@click.option("--upstream", metavar="URL", help="With --proxy: the base URL that the client has now (https://...).")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="With --proxy: port on 127.0.0.1. Default: a free one."
)
@click.option(
    "--keep-encoding",
    is_flag=True,
    help="With --proxy: let the server compress, if the client asks. Default: identity.",
)
@click.option(
    "--import",
    "vcr_file",
    metavar="FILE",
    type=PATH,
    help="Make a cassette of one that vcrpy has recorded. Needs --dialect.",
)
def record(
    provider: str | None,
    dialect: str | None,
    names: tuple[str, ...],
    source: str | None,
    model: str | None,
    prompt: str | None,
    request_file: Path | None,
    key_env: str | None,
    dry_run: bool,
    max_cost: str,
    no_twin: bool,
    masked: tuple[str, ...],
    accepted: tuple[str, ...],
    out: Path,
    force: bool,
    everything: bool,
    listing: bool,
    proxy: bool,
    upstream: str | None,
    port: int,
    keep_encoding: bool,
    vcr_file: Path | None,
) -> None:
    """Record provider streams into cassettes, byte for byte and chunk by chunk.

    With PROVIDER (openai, anthropic, gemini, vertex, bedrock, azure, xai, local) a matrix of scenarios is asked of its
    APIs, each once with a stream and once without. Keys come from the environment or from the provider's own files;
    --dry-run says which. One scenario that fails does not lose the others: exit code 1, or 3 if none has a cassette.

    \b
    Examples:
      streamparity record openai --dry-run
      streamparity record anthropic --scenario tool --scenario reasoning --max-cost 0.10
      streamparity record local
      streamparity record --dialect openai-chat --scenario text
      streamparity record --proxy --upstream https://api.openai.com/v1 --out cassettes
      streamparity record --import tests/cassettes/test_chat.yaml --dialect openai-chat
    """
    try:
        secrets, known = tuple(map(_masked, masked)), tuple(map(_digest, accepted))
        if provider is not None:
            if listing:
                click.echo("\n".join(listed(provider)))
                return
            code = record_matrix(
                provider,
                out,
                names=names,
                dialect=dialect,
                model=model,
                base=source or "",
                twins=not no_twin,
                force=force,
                dry_run=dry_run,
                max_cost=max_cost,
                secrets=secrets,
                accepted=known,
            )
            sys.exit(code)
        if dry_run or no_twin:
            raise click.UsageError(f"--dry-run and --no-twin go with a PROVIDER: {providers()}")
        if len(names) > 1:
            raise click.UsageError("several --scenario go with a PROVIDER")
        scenario = names[0] if names else None
        if proxy:
            run_proxy(
                upstream,
                out,
                port=port,
                dialect=dialect,
                scenario=scenario,
                force=force,
                keep_encoding=keep_encoding,
            )
            return
        if vcr_file is not None:
            import_vcr(vcr_file, out, dialect=dialect, scenario=scenario, force=force)
            return
        if listing:
            for item in _known(dialect):
                click.echo(f"{item.dialect}/{item.name}\t{item.source}\t{item.about}")
            return
        if everything:
            record_command([item for item in _known(dialect) if source in (None, item.source)], out, force=force)
            return
        if dialect is None or scenario is None:
            raise click.UsageError(f"say which: a PROVIDER ({providers()}), --dialect and --scenario, --all, or --list")
        if source is None or source in SOURCES:
            item = find(dialect, scenario)
            if source not in (None, item.source):
                raise click.UsageError(f"{dialect}/{scenario} is recorded from {item.source}, not from {source}")
            if model is not None:
                item = Scenario(**{**vars(item), "request": {**item.request, "model": model}})
            record_command([item], out, force=force)
            return
        if not source.startswith(("https://", "http://")):
            raise click.UsageError(f"--from {source}: is none of {', '.join(SOURCES)}, nor an address")
        request = _live_request(dialect, scenario, model, prompt, request_file)
        record_live_command(
            dialect, scenario, source, request, out, key_env=key_env, force=force, secrets=secrets, accepted=known
        )
    except RecordError as error:
        raise RecordFailure(str(error), error.exit_code) from error
    except CassetteError as error:
        code = USAGE if "--force" in error.hint else HARNESS if error.hint == "report this" else INPUT
        raise RecordFailure(str(error), code) from error


def record_command(items: Iterable[Scenario], out: Path, *, force: bool = False) -> None:
    """Record scenarios into ``<out>/<dialect>/<name>.yaml`` and say on stdout what was written.

    With ``force``, a cassette whose stream came out the same is left as it is, so that only what changed changes.

    Raises:
        RecordError: recording failed.
        CassetteError: a cassette exists (said before anything is recorded), or cannot be written.
    """
    wanted = [(item, _path(out, item.dialect, item.name)) for item in items]
    for _, path in wanted:
        _refuse_existing(path, force=force)
    with ExitStack() as stack:
        if any(item.source == "local-model" for item, _ in wanted):
            local = stack.enter_context(LocalModel())
        for item, path in wanted:
            simulated = item.source == "simulator"
            cassette = record_simulated(item) if simulated else record_local(item, local.address)
            if item.twin:
                cassette = simulated_twin(item, cassette) if simulated else local_twin(item, cassette, local.address)
            _write(cassette, path)


def record_live_command(
    dialect: str,
    name: str,
    url: str,
    request: dict[str, Any],
    out: Path,
    *,
    key_env: str | None = None,
    force: bool = False,
    secrets: Iterable[str] = (),
    accepted: Iterable[str] = (),
) -> None:
    """Record one request against a live API, with the key from the environment (errors as in record_command).

    An HTTP error is recorded as such, unless a stream that ended well would be lost for it.
    """
    variable = key_env or PROVIDERS[dialect].key_env
    key = os.environ.get(variable)
    if not key:
        raise RecordError(f"no API key: set {variable}, or name another variable with --key-env", exit_code=USAGE)
    path = _path(out, dialect, name)
    _refuse_existing(path, force=force)
    cassette = record_live(dialect, name, url, request, key, secrets=secrets, accepted=accepted)
    status = cassette.interactions[0].status
    if status >= 400 and path.exists() and not _is_error(path):
        raise RecordError(f"{path}: answered {status}: what is there is a stream, and is kept")
    _write(cassette, path)
    if status >= 400:
        click.echo(f"note: it answered {status} {cassette.interactions[0].reason}; recorded as such", err=True)


def _live_request(
    dialect: str, scenario: str, model: str | None, prompt: str | None, request_file: Path | None
) -> dict[str, Any]:
    request: dict[str, Any]
    if request_file is not None:
        try:
            request = json.loads(request_file.read_text("utf-8"))
        except OSError as error:
            raise RecordError(f"{request_file}: cannot be read ({error.strerror})", exit_code=INPUT) from error
        except ValueError as error:
            raise RecordError(f"{request_file}: is not JSON ({error})", exit_code=USAGE) from error
        if not isinstance(request, dict):
            raise RecordError(f"{request_file}: is not a JSON object", exit_code=USAGE)
    elif prompt is not None:
        request = {**PROVIDERS[dialect].ask(prompt), **PROVIDERS[dialect].demands}
    else:
        request = dict(find(dialect, scenario).request)
    if model is not None:
        request["model"] = model
    if not request.get("model"):
        raise RecordError("which model? pass --model", exit_code=USAGE)
    return request


def _known(dialect: str | None) -> list[Scenario]:
    return [item for name in ([dialect] if dialect else DIALECTS) for item in scenarios(name).values()]


def _path(out: Path, dialect: str, name: str) -> Path:
    path = out / dialect / f"{name}.yaml"
    if path.name != f"{name}.yaml" or name.startswith("."):
        raise RecordError(f"{name!r} cannot be the name of a cassette", exit_code=USAGE)
    return path


def _refuse_existing(path: Path, *, force: bool) -> None:
    if path.exists() and not force:
        raise CassetteError(str(path), "", "exists already", "pass --force to replace it")


def _write(cassette: Cassette, path: Path) -> None:
    interaction, *twins = cassette.interactions
    figures = f"{len(interaction.body)} bytes, {len(interaction.stream.chunks)} chunks, {interaction.stream.end}"
    figures += f", status {interaction.status}" if interaction.status != 200 else ""
    figures += "".join(f", twin of {len(twin.body)} bytes" for twin in twins)
    if path.exists() and _is_same(cassette, path):
        click.echo(f"same   {path}  ({figures}, {cassette.recorded.provenance})")
        return
    save(cassette, path, overwrite=True)
    click.echo(f"wrote  {path}  ({figures}, {cassette.recorded.provenance})")


def _is_error(path: Path) -> bool:
    try:
        return load(path).interactions[0].status >= 400
    except CassetteError:
        return True


def _masked(variable: str) -> str:
    if not (value := os.environ.get(variable)):
        raise RecordError(f"--mask-env {variable}: is not set", exit_code=USAGE)
    return value


def _digest(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8,64}", text):
        raise RecordError("--not-secret: is no digest (8 to 64 hexadecimal digits, as the refusal gives it)", USAGE)
    return text


def _is_same(cassette: Cassette, path: Path) -> bool:
    try:
        return same_stream(load(path), cassette)
    except CassetteError:
        return False
