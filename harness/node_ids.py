"""Names that stand in pytest's node ids, and so on command lines: ``parity::openai-chat/text::every-split``."""

from __future__ import annotations

ROOT = "parity"
"""The first part of every node id of the plugin."""
