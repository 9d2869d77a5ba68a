"""Plugins that tests of plugins need."""

from __future__ import annotations

pytest_plugins = ["pytester"]
