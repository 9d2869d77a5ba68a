"""What will be asked, where it goes, what it costs at most: made without any network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.exits import USAGE, unknown
from harness.record.live.apis import APIS, LOCAL, NAMES, Api
from harness.record.live.asks import NAMES as MATRIX
from harness.record.live.asks import Ask, asks
from harness.record.live.prices import Price, as_of, price_of
from harness.record.live.request import Request
from harness.record.redaction import redact_text
from harness.record.wire import RecordError, compact

UNLIMITED = "unlimited"
"""What someone says in place of a number who knows that nobody knows the price."""
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Step:
    """One scenario of one API. ``bound`` is the most it can cost in USD; None if the model has no known price."""

    api: Api
    ask: Ask
    model: str
    request: Request
    twin: Request | None
    path: Path
    bound: float | None
    price: Price | None

    @property
    def name(self) -> str:
        """``openai-chat/live-text``, as the cassette is called."""
        return f"{self.api.dialect}/{self.path.stem}"


@dataclass(frozen=True)
class Plan:
    """The steps, and what stands in their way: addresses that the environment does not give."""

    steps: tuple[Step, ...]
    problems: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Those without a known price."""
        return tuple(dict.fromkeys(step.model for step in self.steps if step.bound is None))

    @property
    def bound(self) -> float:
        """The most that the steps with known prices cost, in USD."""
        return sum(step.bound or 0.0 for step in self.steps)


def make_plan(
    provider: str,
    out: Path,
    *,
    names: Sequence[str] = (),
    dialect: str | None = None,
    model: str | None = None,
    base: str = "",
    twins: bool = True,
) -> Plan:
    """The matrix of a provider, or the part of it that is asked for; ``base`` is where it is, if not where it usually is.

    Raises:
        RecordError: there is no such provider, scenario or dialect, or ``base`` would send a key in clear.
    """
    if provider not in NAMES:
        raise RecordError(unknown("provider", provider, NAMES), exit_code=USAGE)
    if provider == LOCAL and (model or base):
        raise RecordError("local: the embedded model is what it is: --model and --from are for others", USAGE)
    _refuse_clear(base)
    mine = [api for api in APIS if api.provider == provider]
    chosen = [api for api in mine if dialect in (None, api.dialect)]
    if not chosen:
        raise RecordError(f"{provider}: {unknown('dialect', dialect or '', [api.dialect for api in mine])}", USAGE)
    if model:
        chosen = [api for api in chosen if re.search(api.serves, model)]
    if not chosen:
        raise RecordError(f"{provider}: no API here has the model {model}", exit_code=USAGE)
    known = {name for api in chosen for name in asks(api)}
    for name in names:
        if name not in known:
            raise RecordError(unknown("scenario", name, known), exit_code=USAGE)
    steps: list[Step] = []
    problems: dict[str, None] = {}
    for api in chosen:
        where = base or ("http://127.0.0.1" if provider == LOCAL else "")
        wanted = [ask for name, ask in asks(api).items() if not names or name in names]
        for ask in wanted:
            asked = ask.of(model or api.model)
            try:
                request = api.request(asked, model or api.model, where)
            except RecordError as error:
                problems[str(error)] = None
                continue
            steps.append(_step(api, ask, model or api.model, request, out, twins=twins))
    return Plan(tuple(steps), tuple(problems))


def _step(api: Api, ask: Ask, model: str, request: Request, out: Path, *, twins: bool) -> Step:
    twin = api.unstreamed(request) if twins and ask.twin else None
    price = Price(0.0, 0.0) if api.provider == LOCAL else price_of(model)
    requests = 1 if twin is None else 2
    bound = price.bound(compact(request.body).encode(), ask.limit(model)) * requests if price else None
    path = out / api.dialect / f"{api.prefix}-{ask.name}.yaml"
    return Step(api, ask, model, request, twin, path, bound, price)


def _refuse_clear(base: str) -> None:
    parts = urlsplit(base)
    if base and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise RecordError("--from: is no address such as https://api.openai.com/v1", exit_code=USAGE)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise RecordError("--from: the key would travel in clear over http: use https", exit_code=USAGE)


def cost_limit(text: str) -> float:
    """``--max-cost`` as a number of USD; infinite for ``unlimited`` (RecordError: neither)."""
    if text == UNLIMITED:
        return float("inf")
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise RecordError(f"--max-cost {text}: is neither a number of USD nor the word {UNLIMITED}", exit_code=USAGE)
    return limit


def refuse_unpriced(plan: Plan, limit: float) -> None:
    """RecordError if nobody knows what the plan costs, and the user has not said that this is all right."""
    if plan.models and limit != float("inf"):
        which = ", ".join(plan.models)
        what = f"no price is known for {which}, so no limit can be kept"
        raise RecordError(f"{what}: say --max-cost {UNLIMITED} to record all the same", exit_code=USAGE)


def told(plan: Plan, limit: float, *, force: bool) -> Iterator[str]:
    """The plan in lines, for ``--dry-run``; credentials are masked, and nothing is asked."""
    for api in dict.fromkeys(step.api for step in plan.steps):
        steps = [step for step in plan.steps if step.api == api]
        yield f"{api.provider}: {api.dialect}, model {steps[0].model}"
        for place in api.keys.places():
            yield f"  key: {place}"
        if absent := [name for name in MATRIX if name not in asks(api)]:
            yield f"  not asked of it: {', '.join(absent)}"
        for name, value in {**steps[0].request.headers, **api.keys.headers()}.items():
            yield f"  header: {name}: {value}"
        for step in steps:
            kept = step.path.exists() and not force
            cost = "free" if api.provider == LOCAL else _dollars(step.bound)
            yield f"  {step.ask.name}: {step.ask.about}"
            yield f"    {step.path}  ({'is there, and is kept' if kept else cost})"
            yield f"    POST {_address(step.request.url, api)}  {compact(step.request.body)}"
            if step.twin is not None:
                same = step.twin.url == step.request.url
                yield f"    then without a stream{'' if same else f': POST {_address(step.twin.url, api)}'}"
        yield ""
    for problem in plan.problems:
        yield f"missing: {problem}"
    if not plan.steps:
        return
    todo = [step for step in plan.steps if force or not step.path.exists()]
    total = "at most " + _dollars(sum(step.bound or 0.0 for step in todo)).removeprefix("at most ")
    unpriced = f", and what nobody knows for {', '.join(plan.models)}" if plan.models else ""
    stop = UNLIMITED if limit == float("inf") else f"{limit:g}"
    yield f"{len(todo)} of {len(plan.steps)} scenarios to record: {total}{unpriced}"
    yield f"list prices of {as_of()}; stops before USD {stop} is passed (--max-cost)"


def _dollars(amount: float | None) -> str:
    return "price not known" if amount is None else f"at most USD {amount:.4f}"


def _address(url: str, api: Api) -> str:
    if api.provider == LOCAL:
        return urlsplit(url).path
    return redact_text(url, [value for name in ("GOOGLE_CLOUD_PROJECT",) if (value := os.environ.get(name))])
