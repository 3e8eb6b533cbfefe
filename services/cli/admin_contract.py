"""`deltaml admin contract`: creating the marketplace contract, and checking one."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocol.asset import ETHER
from services.cli.output import Json, print_json, print_line

if TYPE_CHECKING:
    from services.chain.contract.deploy import Deployment

NOT_GENUINE = 1
"""Exit status of `show` when it ran and the code is not this version's contract."""

contract = typer.Typer(name="contract", help="The marketplace contract.", no_args_is_help=True)

_Chain = Annotated[str, typer.Option("--chain", help="The node's JSON-RPC URL.")]


@contract.command()
def deploy(
    chain: _Chain,
    keystore: Annotated[Path, typer.Option(help="Key store of the account that pays for the creation.")],
    passphrase_file: Annotated[Path, typer.Option(help="File with the key store's passphrase.")],
    confirmations: Annotated[
        int, typer.Option(help="Blocks on top of the creation to wait for.", min=0, max=1000)
    ] = 0,
    json: Json = False,
) -> None:
    """Create the contract; prints its address and the lines for the daemons' files."""
    from services.chain.contract import deploy as creation  # noqa: PLC0415
    from services.chain.rpc.http import HttpRpc  # noqa: PLC0415
    from services.chain.transactions.pending import SendPolicy  # noqa: PLC0415
    from services.common.files import read_passphrase  # noqa: PLC0415
    from services.identity.keystore import Keystore  # noqa: PLC0415

    identity = Keystore.open(keystore, read_passphrase(passphrase_file)).identity

    async def create() -> "Deployment":
        async with HttpRpc(chain) as rpc:
            return await creation.deploy(rpc, identity.signing_key, SendPolicy(confirmations=confirmations))

    done = asyncio.run(create())
    market = done.market
    if json:
        print_json(
            {
                "contract": market.contract,
                "chain_id": market.chain_id,
                "block": done.block,
                "gas": done.gas_used,
                "fee_wei": str(done.fee),
                "deployer": identity.address,
            }
        )
        return
    print_line(f"# created by {identity.address} with {done.gas_used} gas, {ETHER.exact(done.fee)}")
    print_line("chain:")
    print_line(f"  url: {chain}")
    print_line(f"  chain_id: {market.chain_id}")
    print_line(f'  contract: "{market.contract}"')
    print_line(f"  first_block: {done.block}")


@contract.command()
def show(
    chain: _Chain,
    address: Annotated[str, typer.Option("--contract", help="The contract's address.")],
    json: Json = False,
) -> None:
    """Check that the code is this version's contract, and tell what it holds; exit status 1 if it is not."""
    from services.chain.contract.verification import ContractState, contract_state  # noqa: PLC0415
    from services.chain.rpc.http import HttpRpc  # noqa: PLC0415

    account = _account(address)

    async def look() -> ContractState:
        async with HttpRpc(chain) as rpc:
            return await contract_state(rpc, account)

    state = asyncio.run(look())
    shown = {
        "contract": state.market.contract,
        "chain_id": state.market.chain_id,
        "genuine": state.genuine,
        "code_hash": f"0x{state.code_hash.hex()}",
        "escrow_wei": str(state.escrow) if state.genuine else None,
        "held_wei": str(state.held) if state.genuine else None,
    }
    if json:
        print_json(shown)
    else:
        shown["genuine"] = "yes" if state.genuine else "NO: not the code of this version"
        for name, value in shown.items():
            print_line(f"{name.replace('_', ' '):<12}{'unknown' if value is None else value}")
    if not state.genuine:
        raise typer.Exit(NOT_GENUINE)


def _account(text: str) -> str:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415

    from services.common.errors import ConfigurationError  # noqa: PLC0415
    from services.config.settings import Account  # noqa: PLC0415

    try:
        return str(TypeAdapter(Account).validate_python(text))
    except ValidationError:
        raise ConfigurationError(
            f"--contract {text[:60]!r} is not an address: give 0x and 40 hexadecimal digits"
        ) from None
