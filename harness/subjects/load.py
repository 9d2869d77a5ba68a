"""Finding a subject by the name a user gives it."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import traceback
from pathlib import Path

from harness.subjects import Subject
from harness.subjects.core import CoreSubject
from harness.subjects.process import ProcessError, ProcessSubject
from harness.subjects.reference import ReferenceSubject


class SubjectError(Exception):
    """The subject cannot be loaded; the message is one line that says what to do."""


def load_subject(spec: str) -> Subject:
    """The subject that ``spec`` names.

    ``streamcore``, ``mutant:NAME``, ``process:PROGRAM ARGUMENT...``, ``http:package.module:callable``, ``reference`` (the
    AI SDK), or ``package.module:attribute``.

    An attribute that is a class (or any callable without ``open``) is called without arguments.

    Raises:
        SubjectError: there is none, or it cannot be imported or made, or lacks ``name``, ``version``, ``claims`` or ``open``.
    """
    if spec == "streamcore":
        return CoreSubject()
    if spec == "reference" or spec.startswith("process:"):
        return _started(spec, os.getpid())
    if spec.startswith("mutant:"):
        from harness.mutants import MUTANTS

        name = spec.removeprefix("mutant:")
        if name not in MUTANTS:
            raise SubjectError(f"no mutant is called {name!r}; `streamparity mutants` lists them")
        return MUTANTS[name]
    module_name, colon, attribute = spec.removeprefix("http:").partition(":")
    if not colon or not module_name or module_name.startswith(".") or not attribute:
        known = "streamcore, reference, mutant:NAME, process:COMMAND, http:package.module:callable, or package.module:attribute"
        raise SubjectError(f"subject {spec!r}: write {known}")
    here = str(Path.cwd())
    if here not in sys.path:
        # The user's own code is not installed: it stands in the folder in which they type the command.
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise SubjectError(f"subject {spec!r}: cannot import {module_name}: {error}{_meant(module_name, attribute)}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a foreign module may raise anything, and may end the process
        raise SubjectError(f"subject {spec!r}: importing {module_name}: {_told(error)}") from None
    if not hasattr(module, attribute):
        raise SubjectError(f"subject {spec!r}: module {module_name} has no {attribute!r}")
    found = getattr(module, attribute)
    if spec.startswith("http:"):
        from harness.subjects.http_client import HttpSubject

        try:
            return HttpSubject(found, f"{module_name}:{attribute}")
        except TypeError as error:
            raise SubjectError(f"subject {spec!r}: {error}") from None
    if isinstance(found, type) or (callable(found) and not hasattr(found, "open")):
        try:
            found = found()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            raise SubjectError(f"subject {spec!r}: calling {attribute}(): {_told(error)}") from None
    missing = [name for name in ("name", "version", "claims", "open") if not hasattr(found, name)]
    if missing:
        raise SubjectError(f"subject {spec!r} lacks {', '.join(missing)}; see harness.subjects.Subject")
    for name in ("name", "version"):
        if not isinstance(value := getattr(found, name), str):
            raise SubjectError(f"subject {spec!r}: its {name} is {value!r:.40}, and should be a text such as '1.0'")
    return found  # type: ignore[no-any-return]


def _meant(module_name: str, attribute: str) -> str:
    """What to write instead of the path of a file."""
    path = module_name.removesuffix(".py").removeprefix("./").replace("/", ".")
    return "" if path == module_name else f"; modules are named as in Python: {path}:{attribute}"


@functools.cache
def _started(spec: str, process_id: int) -> Subject:  # noqa: ARG001 - a forked worker must not speak into its parent's pipes
    """Started once in each of our processes."""
    try:
        return ReferenceSubject() if spec == "reference" else ProcessSubject(spec.removeprefix("process:"))
    except ProcessError as error:
        raise SubjectError(str(error)) from None


def _told(error: BaseException) -> str:
    """One line, with the place where it was raised; a syntax error names its own."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = "" if isinstance(error, SyntaxError) and error.filename else f" ({where.filename}:{where.lineno})"
    return " ".join(f"{type(error).__name__}: {error}{place}".split())
