"""Where things are kept that are fetched once: weights of the local model, recordings out of archives."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$STREAMPARITY_CACHE``, else ``streamparity`` in the user's cache folder, as the operating system has it."""
    own = os.environ.get("STREAMPARITY_CACHE")
    if own:
        return Path(own)
    from platformdirs import user_cache_path

    return user_cache_path("streamparity", appauthor=False)
