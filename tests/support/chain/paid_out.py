"""Waiting until everybody has its money."""

import asyncio
from collections.abc import Mapping

from protocol.terms import NATIVE, Token
from services.chain.contract.client import MarketplaceClient

_MOST_LEFT_OVER = 256
"""Of dividing a contribution: less than a unit a trainer."""


async def paid_out(client: MarketplaceClient, accounts: Mapping[str, str], token: Token = NATIVE) -> int:
    """Wait until owners have claimed and all have withdrawn; what is still the buyer's in the contract.

    `accounts` are addresses by name, "buyer" among them: the last claim credits it what a division left over,
    which it withdraws with its next refund.
    """
    while True:
        escrow = await client.total_escrow(token)
        owed = {name: await client.credit_of(account, token) for name, account in accounts.items()}
        left = owed.pop("buyer")
        if not escrow and left < _MOST_LEFT_OVER and not any(owed.values()):
            return left
        await asyncio.sleep(0.2)
