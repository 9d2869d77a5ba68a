"""Finding a subject by the name a user gives it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from harness.subjects import Subject
from harness.subjects.core import CoreSubject


class SubjectError(Exception):
    """The subject cannot be loaded; the message is one line that says what to do."""


def load_subject(spec: str) -> Subject:
    """The subject that ``spec`` names: ``streamcore``, ``mutant:NAME``, or ``package.module:attribute``.

    An attribute that is a class (or any callable without ``open``) is called without arguments.

    Raises:
        SubjectError: there is none, or it lacks ``name``, ``claims`` or ``open``.
    """
    if spec == "streamcore":
        return CoreSubject()
    if spec.startswith("mutant:"):
        from harness.mutants import MUTANTS

        name = spec.removeprefix("mutant:")
        if name not in MUTANTS:
            raise SubjectError(f"no mutant is called {name!r}; `streamparity mutants` lists them")
        return MUTANTS[name]
    module_name, colon, attribute = spec.partition(":")
    if not colon or not module_name or module_name.startswith(".") or not attribute:
        raise SubjectError(f"subject {spec!r}: write streamcore, mutant:NAME, or package.module:attribute")
    here = str(Path.cwd())
    if here not in sys.path:
        # The user's own code is not installed: it stands in the folder in which they type the command.
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module_name), attribute)
    except ImportError as error:
        raise SubjectError(f"subject {spec!r}: cannot import {module_name}: {error}") from None
    except AttributeError:
        raise SubjectError(f"subject {spec!r}: module {module_name} has no {attribute!r}") from None
    if isinstance(found, type) or (callable(found) and not hasattr(found, "open")):
        found = found()
    missing = [name for name in ("name", "claims", "open") if not hasattr(found, name)]
    if missing:
        raise SubjectError(f"subject {spec!r} lacks {', '.join(missing)}; see harness.subjects.Subject")
    return found  # type: ignore[no-any-return]
