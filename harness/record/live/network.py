"""The way to the providers: direct, or through the proxy that the environment names.

A client that is given a transport, as a recording one is, does not look for proxies: that is done here, as most programs do.
"""

from __future__ import annotations

from urllib.request import getproxies, proxy_bypass

import httpx

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Network(httpx.BaseTransport):
    """Sends each request by ``HTTPS_PROXY``, ``HTTP_PROXY`` or ``ALL_PROXY``, unless ``NO_PROXY`` names its host.

    Certificates are checked against those in ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``, if either is set. This machine is never
    asked through a proxy.
    """

    def __init__(self) -> None:
        self._ways: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(request.url)
        if proxy not in self._ways:
            try:
                self._ways[proxy] = httpx.HTTPTransport(proxy=proxy)
            except (ValueError, ImportError) as error:  # no address of a proxy, or SOCKS without its library
                what = str(error).splitlines()[0].replace(proxy or "", "...")
                raise httpx.ProxyError(f"the proxy that the environment names cannot be used: {what}") from None
        return self._ways[proxy].handle_request(request)

    def close(self) -> None:
        for way in self._ways.values():
            way.close()


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy for an address; None for none."""
    proxies = getproxies()
    host = f"{url.host}:{url.port}" if url.port else url.host
    if url.host in _LOOPBACK or proxy_bypass(host):
        return None
    found = proxies.get(url.scheme) or proxies.get("all")
    return found if not found or "://" in found else f"http://{found}"
