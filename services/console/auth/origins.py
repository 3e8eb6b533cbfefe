"""Under which addresses a console answers, and from whose pages it takes forms."""

from collections.abc import Mapping

from services.config.console import LOOPBACK, host_name


class Origins:
    """The names of one console: a page rebound to it by DNS has another."""

    def __init__(self, host: str, public_url: str | None, *, tls: bool) -> None:
        """`host` is what the console listens on, `public_url` the origin that browsers open."""
        self._public = public_url
        self.tls = tls if public_url is None else public_url.startswith("https://")
        public = None if public_url is None else host_name(public_url.partition("://")[2])
        loopback = LOOPBACK if host in LOOPBACK else frozenset[str]()
        self._names = loopback | {host.lower()} | ({public} if public else set())

    def knows(self, host: str) -> bool:
        """Whether a Host header names this console, with whatever port: proxies leave it out."""
        return host_name(host) in self._names

    def own(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something comes from one of our own pages.

        A proxy may send another Host than browsers know: then public_url says whose pages are ours.
        """
        origin = headers.get("Origin")
        if origin is None:
            return headers.get("Sec-Fetch-Site") == "same-origin"
        here = f"{'https' if self.tls else 'http'}://{headers.get('Host', '').lower()}"
        return origin.lower() in (here, self._public)
