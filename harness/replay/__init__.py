"""Replay: recorded exchanges played back to any client, in exactly the chunks of a plan and with the recorded ending.

``matching`` (which recording answers a request) -> ``player`` (what of it is played, and when) -> ``transport`` (httpx),
``server`` (loopback HTTP/1.1, for any language), ``router`` (respx, for an application's own client).
"""
