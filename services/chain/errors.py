"""What can go wrong between us and a chain; every text names the remedy."""

from typing import Any

from services.common.errors import ServiceError


class ChainError(ServiceError):
    """Base of the errors of this package."""


class ChainUnavailable(ChainError):  # noqa: N818  a state of the node, not of us
    """The node gave no answer or nonsense: nothing is known about the request, so try again later."""


class NodeOverloaded(ChainUnavailable):
    """The node took a request and did not manage it in time or in size: a smaller one may succeed."""


class RpcError(ChainError):
    """The node refused a request. `data` holds the revert data where there is any."""

    def __init__(self, method: str, code: int, message: str, data: bytes = b"") -> None:
        """`method` is the JSON-RPC method, `code` and `message` the node's."""
        super().__init__(f"{method}: {message} (code {code})")
        self._method = method
        self.code = code
        self.message = message
        self.data = data

    def __reduce__(self) -> tuple[type["RpcError"], tuple[str, int, str, bytes]]:
        """How it is packed to come out of another process as it was."""
        return RpcError, (self._method, self.code, self.message, self.data)


class CallReverted(ChainError):  # noqa: N818  the field's name for it
    """The contract refuses a call in its present state; sending it again changes nothing.

    `code` is the custom error's name in snake_case without the contract's prefix, for example "wrong_status";
    "reverted" or "out_of_gas" where the contract gave no custom error. `arguments` are the error's, in order.
    """

    def __init__(self, code: str, arguments: tuple[Any, ...] = ()) -> None:
        shown = ", ".join(f"0x{each.hex()}" if isinstance(each, bytes) else str(each) for each in arguments)
        super().__init__(f"the contract refused: {code}({shown})")
        self.code = code
        self.arguments = arguments

    def names_no_training(self) -> bool:
        """Whether the call was about a training that the contract does not have."""
        return self.code == "wrong_status" and self.arguments[1:] == (0,)


class BondBelowCost(CallReverted):
    """To show the contract a fault would cost more gas than the bond is worth, so the call is not sent."""

    def __init__(self, worth: int, cost: int) -> None:
        super().__init__("bond_below_cost", (worth, cost))

    def __str__(self) -> str:
        worth, cost = self.arguments
        return f"not sent: the bond is worth {worth} wei, and to have the contract take it costs about {cost}"


class InsufficientFunds(ChainError):  # noqa: N818
    """The account cannot pay for value and gas; fund it and send again."""


class WrongChain(ChainError):  # noqa: N818
    """The node serves another chain, or no contract where we expect ours: a matter of configuration."""


class DeepReorganisation(ChainError):  # noqa: N818
    """The chain was rewritten further back than the listener remembers; a person has to decide."""
