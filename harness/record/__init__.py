"""Recording: what a provider sent, byte for byte and chunk by chunk, as it arrived, into cassettes.

::

    source (simulator | local model | live API) -> transport (tee) -> Recording -> redaction -> writer -> cassette
    any client -> proxy -> transport (tee) -> ...            vcrpy's file -> Recording without chunks -> ...

Nothing here is imported when cassettes are only read.
"""
