"""What a market needs of its chain: confirmations, ether for its accounts, the contract."""

from collections.abc import Mapping

from protocol.asset import ETHER
from services.admin.market_folder import CONFIG, MarketFolder
from services.chain.contract.deploy import deploy
from services.chain.contract.registry import Deployment
from services.chain.contract.verification import check_recorded
from services.chain.errors import InsufficientFunds, RpcError, WrongChain
from services.chain.rpc.http import Rpc
from services.chain.rpc.values import quantity
from services.common.errors import ConfigurationError

_DEVELOPMENT_BALANCE = 100 * ETHER.whole


async def check_confirmations(rpc: Rpc, confirmations: int) -> None:
    """A node that mines on demand alone adds no block on top of another: the daemons would wait for ever.

    Raises ConfigurationError for one.
    """
    try:
        on_demand = bool(await rpc.call("anvil_getAutomine"))
    except RpcError:
        return  # not a development node: it mines by itself
    if on_demand and confirmations:
        raise ConfigurationError(
            f"the node mines on demand, so nothing gets {confirmations} confirmations: start it with "
            "--block-time 1, or give --confirmations 0"
        )


async def fund(rpc: Rpc, accounts: Mapping[str, str]) -> None:
    """Give new accounts, by name, ether on a development node; elsewhere say which accounts need some.

    Raises InsufficientFunds where that is so.
    """
    poor = {
        name: address
        for name, address in accounts.items()
        if not quantity(await rpc.call("eth_getBalance", address, "latest"))
    }
    try:
        for address in poor.values():
            await rpc.call("anvil_setBalance", address, hex(_DEVELOPMENT_BALANCE))
    except RpcError:
        names = "\n  ".join(f"{address}  {name}" for name, address in poor.items())
        raise InsufficientFunds(
            "these accounts pay for gas, the buyer's for deposits too; send each some ether, then run this "
            f"again:\n  {names}"
        ) from None


async def contract_of(rpc: Rpc, folder: MarketFolder) -> Deployment:
    """The market's contract, created unless it is there; raises WrongChain where the node shows another."""
    known = folder.deployment()
    if known is None:
        if (folder.aggregator.folder / CONFIG).exists():
            raise ConfigurationError(
                f"{folder.registry} is missing, and daemons are configured for a contract already: put a "
                "backup in its place, or set up a new folder"
            )
        known = await deploy(rpc, folder.deployer.open_keys().identity.signing_key)
        folder.note_deployment(known)
        return known
    try:
        await check_recorded(rpc, known)
    except WrongChain as error:
        raise WrongChain(
            f"the node's chain or contract is not the one in {folder.registry}: check --chain; if the chain "
            f"was reset, set up a new folder ({error})"
        ) from None
    return known
