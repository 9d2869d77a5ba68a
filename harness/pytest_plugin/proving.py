"""The fixture ``parity``: the whole check of one case, called from a test of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from harness.divergence import Divergences
from harness.init.shipped import excused_here
from harness.pytest_plugin.failures import ParityError, described, frames_of, headline
from harness.pytest_plugin.settings import KNOWN_ERRORS, Settings, failed_as
from harness.references import references_for
from harness.runner import Check, check_case
from harness.subjects.misfits import not_a_part
from harness.verdict import GREEN, CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.case import Case
    from harness.chunking import Plan
    from harness.subjects import PartJson, Subject


class GoldenLines(list[str]):
    """The lines of a golden: a list, but one that pytest shows the first difference of."""


def golden_lines(case: Case, config: pytest.Config) -> dict[str, list[str]]:
    """Reference -> lines of its trace, without the header.

    Raises:
        pytest.fail.Exception: one is missing, or cannot be used.
    """
    with failed_as():
        source = Settings.of(config).goldens([case])(case)
        return {one.name: GoldenLines(source.lines(case, one.name)) for one in references_for(case)}


@dataclass(frozen=True, repr=False)
class Parity:
    """One case, and what it is held against."""

    case: Case
    settings: Settings

    def __repr__(self) -> str:
        return f"<parity of {self.case.id}>"

    @property
    def plans(self) -> tuple[Plan, ...]:
        """How the body is cut."""
        return self.settings.plans

    def check(self, subject: Any = None) -> CaseResult:
        """Every golden, every rule and every plan, on ``subject``: one of :class:`harness.subjects.Subject`, or what makes
        one when it is called, or its name as after ``--parity-subject``, which is also what is taken if there is none.

        Raises:
            ParityError: the first difference, and how to see it again.
            pytest.skip.Exception: the subject does not claim the dialect.
        """
        __tracebackhide__ = True
        return self._judged(*self._loaded(subject), self.plans)

    def compare(self, parts: Sequence[PartJson]) -> CaseResult:
        """Every golden and every rule, on ``parts``, which are what one's own code made of the whole body.

        It says nothing about other ways to cut the body; that is for :meth:`check`.

        Raises:
            ParityError: the first difference, or what is no part.
        """
        __tracebackhide__ = True
        if isinstance(parts, str | bytes | dict) or not isinstance(parts, Iterable):
            raise ParityError(f"parity.compare() wants a list of parts, and not {parts!r:.80}")
        parts = list(parts)
        for at, part in enumerate(parts):
            if wrong := not_a_part(part):
                raise ParityError(f"parity.compare() was given, at {at}, {wrong}")
        return self._judged(_Given(self.case.dialect, list(parts)), "parts of this test", ())

    def _loaded(self, subject: Any) -> tuple[Subject, str]:
        __tracebackhide__ = True
        if subject is None or isinstance(subject, str):
            spec = subject or self.settings.subjects[0]
            try:
                return self.settings.subject(spec), spec
            except KNOWN_ERRORS as error:
                raise ParityError(str(error)) from None
        kind = subject if isinstance(subject, type) or not hasattr(subject, "open") else type(subject)
        loaded = subject() if kind is subject and callable(subject) else subject
        missing = [name for name in ("name", "claims", "open") if not hasattr(loaded, name)]
        if missing:
            wanted = "a subject, what makes one when it is called, or its name"
            raise ParityError(f"parity.check() wants {wanted}; {loaded!r:.80} lacks {', '.join(missing)}")
        return loaded, f"{kind.__module__}:{kind.__qualname__}"

    def _judged(self, subject: Subject, spec: str, plans: tuple[Plan, ...]) -> CaseResult:
        __tracebackhide__ = True
        errors: list[BaseException] = []
        with failed_as():
            known = excused_here(Divergences.load(self.settings.known_divergences), [self.case])
            source = self.settings.goldens([self.case])(self.case)
        result = check_case(self.case, subject, Check(spec, plans, known), source, errors.append)
        if result.verdict is Verdict.NOT_CLAIMED:
            pytest.skip(f"not claimed: {result.reason}")
        if result.verdict in GREEN:
            return result
        lines = [headline(result), f"case       {self.case.id}  ({self.case.source})", f"subject    {spec}"]
        lines += frames_of(errors[0], self.settings.root) if errors else ()
        for difference in result.differences:
            lines += ["", *described(difference)]
        raise ParityError("\n".join(lines))


class _Given:
    """A subject whose parts are there already, whatever it is fed."""

    name, version = "given", "1"

    def __init__(self, dialect: str, parts: list[PartJson]) -> None:
        self._dialect, self._parts = dialect, parts

    def claims(self, dialect: str) -> bool:
        return dialect == self._dialect

    def open(self, case: Case) -> _Given:  # noqa: ARG002 - the test has chosen the case
        return self

    def feed(self, chunk: bytes) -> list[PartJson]:  # noqa: ARG002 - as above
        return []

    def close(self) -> list[PartJson]:
        return self._parts
