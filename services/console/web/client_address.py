"""From where a request comes, through the proxies that are believed."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp import web

from services.config.console import host_name

_MOST_PROXIES = 20

Networks = Collection[IPv4Network | IPv6Network]


def client_address(request: web.Request, trusted: Networks) -> str:
    """The nearest address that is no trusted proxy's; the connection's where none of them forwards.

    X-Forwarded-For is read from the right, as far as each proxy is believed: what stands left of that is
    whatever the visitor wrote.
    """
    nearest = _address(request.remote or "")
    if nearest is None:
        return request.remote or ""
    if not _is_in(nearest, trusted):
        return str(nearest)
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    for text in reversed(forwarded.rsplit(",", _MOST_PROXIES)[-_MOST_PROXIES:]):
        address = _address(text.strip())
        if address is None:
            break
        nearest = address
        if not _is_in(nearest, trusted):
            break
    return str(nearest)


def _is_in(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, which some proxies write with its port."""
    for candidate in (text, host_name(text) or ""):
        try:
            address = ip_address(candidate)
        except ValueError:
            continue
        return getattr(address, "ipv4_mapped", None) or address
    return None
