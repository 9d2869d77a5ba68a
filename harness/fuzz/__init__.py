"""Fuzzing of streamcore: ``python -m harness.fuzz --help``."""
