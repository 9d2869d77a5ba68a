"""Anthropic: Messages, on its own hosts and on Vertex, and the legacy text completions."""
