"""Writing files so that what was there before is never lost halfway."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Writes beside ``path``, then renames: what was there before is lost only when the new file is whole.

    A link is followed, and stays. What is no file (``/dev/stdout``, a pipe) is written to: a file in its place would be the
    end of it.

    Raises:
        OSError: it cannot be written; ``filename`` is ``path``, whichever step failed.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8", newline="\n")
        else:
            _write(path.resolve() if path.is_symlink() else path, text)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name.encode()[:40].decode(errors='ignore')}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
