"""Tokens that a configuration lists, checked against what they say of themselves on the own node."""

from protocol.asset import Assets
from services.chain.contract.tokens import token_facts
from services.chain.errors import WrongChain
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import shown


async def check_tokens(rpc: Rpc, assets: Assets) -> None:
    """Raises WrongChain where a token says another symbol or number of decimals, or is none.

    Amounts would be shown ten times too large, or in another's name. Raises ChainUnavailable where the node
    does not answer.
    """
    for token, asset in assets.tokens.items():
        said = await token_facts(rpc, token)
        for what, configured, found in (
            ("symbol", asset.symbol, said.symbol),
            ("decimals", asset.decimals, said.decimals),
        ):
            if configured != found:
                raise WrongChain(
                    f"the token at {token} has {what} {shown(found)}, and tokens says {configured}: correct "
                    "the configuration"
                )
