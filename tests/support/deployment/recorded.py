"""Contracts as a registry tells of them."""

from typing import Any

from services.chain.contract.registry import Deployment


def recorded_contract(**fields: Any) -> Deployment:
    """A contract on anvil's chain that nobody deployed, with other fields where they are given."""
    told = {"chain_id": 31337, "address": "0x" + "cc" * 20, "version": "2", "interface_id": "0x12345678"}
    hashes = {"code_hash": "0x" + "ab" * 32, "transaction": "0x" + "cd" * 32}
    return Deployment.model_validate({**told, **hashes, "block": 1, **fields})
