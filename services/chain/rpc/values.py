"""Values in a node's answers, as JSON-RPC writes them.

A node is believed about the chain, never about the form of an answer: what does not fit is no answer at all.
"""

import re
from collections.abc import Mapping
from typing import Any

from services.chain.errors import ChainUnavailable

_QUANTITY = re.compile("0x[0-9a-fA-F]{1,64}")
_DATA = re.compile("0x(?:[0-9a-fA-F]{2})*")
_MOST_SHOWN = 60


def quantity(value: Any, bits: int = 256) -> int:
    """A JSON-RPC quantity below 2**bits; raises ChainUnavailable for anything else."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        number = int(value, 16)
        if number < 1 << bits:
            return number
    raise _unfit(value, f"a number below 2^{bits}")


def octets(value: Any, length: int | None = None) -> bytes:
    """JSON-RPC data, of so many bytes where `length` says so; raises ChainUnavailable for anything else."""
    if isinstance(value, str) and _DATA.fullmatch(value) and length in (None, len(value) // 2 - 1):
        return bytes.fromhex(value[2:])
    raise _unfit(value, "data" if length is None else f"{length} bytes")


def entry(value: Any) -> Mapping[str, Any]:
    """A JSON object; raises ChainUnavailable for anything else."""
    if isinstance(value, dict):
        return value
    raise _unfit(value, "an object")


def entries(value: Any) -> list[Mapping[str, Any]]:
    """A list of JSON objects; raises ChainUnavailable for anything else."""
    if not isinstance(value, list):
        raise _unfit(value, "a list")
    return [entry(one) for one in value]


def shown(value: Any) -> str:
    """The beginning of what a node said, fit for a log: printable and short."""
    return ascii(str(value)[:_MOST_SHOWN])[1:-1]


def _unfit(value: Any, due: str) -> ChainUnavailable:
    kind = type(value).__name__
    what = f"{kind} {shown(value)}" if isinstance(value, str | int | float | bool) else kind
    return ChainUnavailable(
        f"the node answered {what} where {due} is due: check that the URL is a node's and that it is in order"
    )
