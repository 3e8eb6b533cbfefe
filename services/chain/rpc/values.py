"""Numbers and bytes as JSON-RPC writes them."""


def quantity(value: str) -> int:
    """A JSON-RPC quantity."""
    return int(value, 16)


def octets(value: str) -> bytes:
    """JSON-RPC data."""
    return bytes.fromhex(value[2:])
