"""By what this process computes Ethereum's hash: every message, blob and record has a few."""

import os
from collections.abc import MutableMapping
from importlib.util import find_spec

CHOICE = "ETH_HASH_BACKEND"
"""The environment's, by which `eth_hash` chooses: whoever has set it is heard."""


def hash_fast(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have it computed by pysha3 where that is installed, in this process and those that it starts.

    To be called before anything is hashed. By itself `eth_hash` takes pycryptodome, which needs ten times as
    long for a short text: it sets each hash up in Python.
    """
    if find_spec("sha3") is not None:
        environment.setdefault(CHOICE, "pysha3")
