"""`deltaml admin contract`: creating the marketplace contract, and checking one."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from protocol.asset import MARKET_ASSET, NO_TOKENS
from protocol.terms import NATIVE
from services.chain.contract import deploy as creation
from services.chain.contract.verification import ContractState, contract_state
from services.chain.rpc.http import HttpRpc
from services.chain.transactions.pending import SendPolicy
from services.cli.amounts import Wei, money
from services.cli.options import ChainUrl, Json
from services.cli.output import print_fields, print_json, print_result
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase
from services.identity.keystore import Keystore

NOT_GENUINE = 1
"""Exit status of `show` when it ran and the code is not this version's contract."""

contract = typer.Typer(name="contract", help="The marketplace contract.", no_args_is_help=True)


@contract.command()
def deploy(
    chain: ChainUrl,
    keystore: Annotated[Path, typer.Option(help="Key store of the account that pays for the creation.")],
    passphrase_file: Annotated[Path, typer.Option(help="File with the key store's passphrase.")],
    confirmations: Annotated[
        int, typer.Option(help="Blocks on top of the creation to wait for.", min=0, max=1000)
    ] = 0,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Create the contract; prints its address and the lines for the daemons' files."""
    identity = Keystore.open(keystore, read_passphrase(passphrase_file)).identity

    async def create() -> creation.Deployment:
        async with HttpRpc(chain) as rpc:
            return await creation.deploy(rpc, identity.signing_key, SendPolicy(confirmations=confirmations))

    _show_deployment(asyncio.run(create()), chain, identity.address, wei=wei, json=json)


def _show_deployment(made: creation.Deployment, chain: str, deployer: str, *, wei: bool, json: bool) -> None:
    market = made.market
    place = {"contract": market.contract, "chain_id": market.chain_id, "block": made.block}
    document = {**place, "gas": made.gas_used, "fee_wei": str(made.fee), "deployer": deployer}
    text = (
        f"# created by {deployer} with {made.gas_used} gas, {money(made.fee, wei=wei)}\n"
        f"chain:\n  url: {chain}\n  chain_id: {market.chain_id}\n"
        f'  contract: "{market.contract}"\n  first_block: {made.block}'
    )
    print_result(document, text, json=json)


@contract.command()
def show(
    chain: ChainUrl,
    address: Annotated[str, typer.Option("--contract", help="The contract's address.")],
    token: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Tell what it holds of this token, not of ether.")
    ] = None,
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Check that the code is this version's contract, and tell what it holds; exit status 1 if it is not."""
    account = _account("--contract", address)
    of_token = NATIVE if token is None else _account("--token", token)

    async def look() -> ContractState:
        async with HttpRpc(chain) as rpc:
            return await contract_state(rpc, account, of_token)

    state = asyncio.run(look())
    _show_state(state, wei=wei, json=json)
    if not state.genuine:
        raise typer.Exit(NOT_GENUINE)


_TOTALS = ("escrow", "bonds", "held")


def _show_state(state: ContractState, *, wei: bool, json: bool) -> None:
    totals = {"escrow": state.escrow, "bonds": state.bonds, "held": state.held} if state.genuine else {}
    code = {"code_hash": f"0x{state.code_hash.hex()}"}
    place = {"contract": state.market.contract, "chain_id": state.market.chain_id}
    if json:
        unit = MARKET_ASSET.smallest if state.token == NATIVE else "units"
        exact = {f"{name}_{unit}": str(totals[name]) if totals else None for name in _TOTALS}
        print_json({**place, "genuine": state.genuine, **code, **exact})
        return
    asset = NO_TOKENS.of(state.token)
    genuine = "yes" if state.genuine else "NO: not the code of this version"
    told = {name: money(totals[name], wei=wei, asset=asset) if totals else "unknown" for name in _TOTALS}
    print_fields({**place, "genuine": genuine, **code, **told})


def _account(option: str, text: str) -> str:
    if not is_address(text):
        raise ConfigurationError(
            f"{option} {text[:60]!r} is not an address: give 0x and 40 hexadecimal digits"
        )
    return plain_address(text)
