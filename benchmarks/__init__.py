"""How fast, how linear, how large: streamcore beside its peers. ``python -m benchmarks``; see README.md here."""
