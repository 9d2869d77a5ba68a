"""Recording: what a provider sent, byte for byte and chunk by chunk, as it arrived, into cassettes.

::

    source (simulator | local model | live API) -> transport (tee) -> Recording -> redaction -> writer -> cassette

Nothing here is imported when cassettes are only read.
"""
