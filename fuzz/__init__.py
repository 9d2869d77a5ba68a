"""Fuzzing of streamcore: ``python -m fuzz --help``."""
