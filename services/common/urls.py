"""URLs as people give them."""

from collections.abc import Collection
from urllib.parse import urlsplit


def is_url(text: str, schemes: Collection[str]) -> bool:
    """Whether this is a URL of one of these schemes with a host, and a port that can be one if any."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname)
