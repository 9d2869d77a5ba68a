"""``streamparity record PROVIDER``: the matrix of scenarios, asked of a live API or of the local model.

::

    apis (a row for each API) x asks (what is asked, YAML) -> plan (steps, cost, keys) -> run -> cassettes

``keys`` holds the ways in which the providers are told who asks. A step's answer without streaming is asked for in
:mod:`harness.record.live.run`, by the request that :meth:`harness.record.live.apis.Api.unstreamed` makes.
"""
