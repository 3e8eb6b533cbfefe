"""`deltaml admin contract`: creating the marketplace contract, and checking one."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from protocol.asset import MARKET_ASSET, NO_TOKENS
from protocol.terms import NATIVE
from services.chain.contract import deploy as creation
from services.chain.contract.registry import REGISTRY, ContractRegistry, Deployment
from services.chain.contract.verification import ContractState, check_recorded, contract_state
from services.chain.errors import WrongChain
from services.chain.rpc.http import HttpRpc, Rpc
from services.chain.rpc.values import quantity
from services.chain.transactions.pending import Receipt, SendPolicy
from services.cli.amounts import Wei, money
from services.cli.options import ChainUrl, Json
from services.cli.output import print_fields, print_json, print_records, print_result
from services.common.addresses import is_address, plain_address
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase
from services.identity.keystore import Keystore

NOT_GENUINE = 1
"""Exit status of `show` when it ran and the code is not this version's contract."""

NOT_AS_RECORDED = 1
"""Exit status of `check` when it ran and a contract is not there as it is recorded, or none is recorded."""

_CHECKED = {"address": "contract", "version": "version", "block": "block", "outcome": "outcome"}

contract = typer.Typer(name="contract", help="The marketplace contract.", no_args_is_help=True)


@contract.command()
def deploy(
    chain: ChainUrl,
    keystore: Annotated[Path, typer.Option(help="Key store of the account that pays for the creation.")],
    passphrase_file: Annotated[Path, typer.Option(help="File with the key store's passphrase.")],
    confirmations: Annotated[
        int, typer.Option(help="Blocks on top of the creation to wait for.", min=0, max=1000)
    ] = 0,
    registry: Annotated[Path, typer.Option(help="File that tells of deployments; this one is added.")] = Path(
        REGISTRY
    ),
    wei: Wei = False,
    json: Json = False,
) -> None:
    """Create the contract; prints its address and the lines for the daemons' files.

    Chain, address, version, interface id, hash of the code, block and
    transaction are added to the registry, which `check` compares with a node.
    """
    known = ContractRegistry.find(registry)  # a damaged one is told before anything is paid
    identity = Keystore.open(keystore, read_passphrase(passphrase_file)).identity

    async def create() -> tuple[Deployment, Receipt]:
        async with HttpRpc(chain) as rpc:
            return await creation.create(rpc, identity.signing_key, SendPolicy(confirmations=confirmations))

    made, receipt = asyncio.run(create())
    _show_deployment(made, receipt, chain, identity.address, wei=wei, json=json)
    known.with_deployment(made).write(registry)


def _show_deployment(
    made: Deployment, receipt: Receipt, chain: str, deployer: str, *, wei: bool, json: bool
) -> None:
    told = {name: value for name, value in made.model_dump().items() if name != "address"}
    cost = {"gas": receipt.gas_used, "fee_wei": str(receipt.fee), "deployer": deployer}
    text = (
        f"# created by {deployer} with {receipt.gas_used} gas, {money(receipt.fee, wei=wei)}\n"
        f"chain:\n  url: {chain}\n  chain_id: {made.chain_id}\n"
        f'  contract: "{made.address}"\n  first_block: {made.block}'
    )
    print_result({"contract": made.address, **told, **cost}, text, json=json)


@contract.command()
def check(
    chain: ChainUrl,
    registry: Annotated[Path, typer.Option(help="File that tells of deployments.")] = Path(REGISTRY),
    json: Json = False,
) -> None:
    """Compare the contracts that a registry has for the node's chain with what stands there.

    Each must have this version's code, version and interface, at the recorded
    address and from the recorded transaction. The exit status is 1 if one has
    not, or none is recorded for the chain.
    """
    recorded = ContractRegistry.read(registry)

    async def look() -> tuple[int, list[dict[str, object]]]:
        async with HttpRpc(chain) as rpc:
            chain_id = quantity(await rpc.call("eth_chainId"))
            return chain_id, [await _checked(rpc, one) for one in recorded.on_chain(chain_id)]

    chain_id, rows = asyncio.run(look())
    empty = f"{registry} tells of no contract on chain {chain_id}"
    print_records(rows, _CHECKED, json=json, empty=empty)
    if not rows or any(row["outcome"] != "as recorded" for row in rows):
        raise typer.Exit(NOT_AS_RECORDED)


async def _checked(rpc: Rpc, recorded: Deployment) -> dict[str, object]:
    outcome = "as recorded"
    try:
        await check_recorded(rpc, recorded)
    except WrongChain as error:
        outcome = str(error)
    return {**recorded.model_dump(include={"chain_id", "address", "version", "block"}), "outcome": outcome}


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
