"""The contract's ABI: web3.py's codec over the artifact that ships with the package.

web3.py is imported when it is first needed. That takes over a second, which neither a command's help nor a
process that only computes gradients should spend.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, reduce
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from services.chain.errors import CallReverted, RpcError
from services.chain.rpc.http import is_revert
from services.chain.rpc.values import octets

if TYPE_CHECKING:
    from eth_abi.codec import ABICodec
    from eth_typing import ABIError
    from web3.contract import AsyncContract

_INHERITED = ("supportsInterface", "eip712Domain")
"""Functions of ERC-165 and ERC-5267, which are no part of the market's interface."""


@cache
def marketplace_artifact() -> Mapping[str, Any]:
    """What the compiler made: `abi`, `bytecode` and `runtime_bytes`; see contracts/build.py.

    `created` has the last two of the contract that the constructor creates.
    """
    return _artifact("Marketplace")


@cache
def token_artifact() -> Mapping[str, Any]:
    """As `marketplace_artifact`, of a token that anyone may make as much of as it likes."""
    return _artifact("TestToken")


def _artifact(name: str) -> Mapping[str, Any]:
    text = files("services.chain").joinpath(f"artifacts/{name}.json").read_text(encoding="utf-8")
    artifact: dict[str, Any] = json.loads(text)
    return artifact


def creation_code(artifact: Mapping[str, Any] | None = None) -> bytes:
    """The code that creates the contract of an artifact: the market's, if none is given."""
    return bytes.fromhex((artifact or marketplace_artifact())["bytecode"].removeprefix("0x"))


@cache
def interface_id() -> bytes:
    """The market's interface id (ERC-165): the selectors of its own functions, XORed; four bytes."""
    from eth_utils.abi import filter_abi_by_type, function_abi_to_4byte_selector  # noqa: PLC0415

    own = (
        function_abi_to_4byte_selector(function)
        for function in filter_abi_by_type("function", marketplace_artifact()["abi"])
        if function["name"] not in _INHERITED
    )
    return reduce(lambda left, right: bytes(a ^ b for a, b in zip(left, right, strict=True)), own)


@cache
def marketplace_codec() -> "type[AsyncContract]":
    """The contract without a node or an address, to encode and decode with."""
    return _codec(marketplace_artifact())


@cache
def token_codec() -> "type[AsyncContract]":
    """As `marketplace_codec`, of an ERC-20 token: that of the test token, which also mints."""
    return _codec(token_artifact())


def load_libraries() -> None:
    """Import what calls, events and transactions need, at a moment when nothing waits for it."""
    import eth_account  # noqa: F401, PLC0415

    marketplace_codec()


def _codec(artifact: Mapping[str, Any]) -> "type[AsyncContract]":
    from web3 import AsyncWeb3  # noqa: PLC0415
    from web3.providers.async_base import AsyncBaseProvider  # noqa: PLC0415

    return AsyncWeb3(AsyncBaseProvider()).eth.contract(abi=artifact["abi"])


def encode_function_call(name: str, *arguments: Any) -> bytes:
    """Call data; addresses among the arguments are 20 bytes, structs are tuples."""
    function = _function(name)
    return function.selector + _types().encode(function.inputs, arguments)


def decode_function_result(name: str, data: bytes) -> tuple[Any, ...]:
    """What a function returned, one by one. Raises ValueError for what does not fit it."""
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415

    try:
        return tuple(_types().decode(_function(name).outputs, data))
    except DecodingError as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def event_topic(name: str) -> str:
    """The first topic of an event's logs, with 0x."""
    return str(marketplace_codec().events[name].topic)


def event_name(log: Mapping[str, Any]) -> str | None:
    """Which event a log of eth_getLogs is; None where its topic is not in our ABI."""
    return _event_names().get(log["topics"][0]) if log["topics"] else None


def decode_event(name: str, log: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event's fields as the contract names them, a struct's likewise, with addresses in lower case.

    Raises ValueError for topics or data that do not fit the event, ChainUnavailable for what is no data.
    """
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415

    event = _event(name)
    _, *topics = log["topics"]
    if len(topics) != len(event.indexed):
        raise ValueError(f"{len(topics)} indexed fields; {len(event.indexed)} are due")
    try:
        plain = _types().decode([one["type"] for one in event.indexed], b"".join(map(_word, topics)))
        others = _types().decode(event.other_types, octets(log["data"]))
    except DecodingError as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    return _named(event.indexed, plain) | _named(event.others, others)


def _word(topic: Any) -> bytes:
    return octets(topic, 32)


def _named(components: Sequence[Mapping[str, Any]], values: Sequence[Any]) -> dict[str, Any]:
    """Decoded values by name; structs within them too, of which the events have no lists."""
    return {
        one["name"]: _named(one["components"], value) if one["type"] == "tuple" else value
        for one, value in zip(components, values, strict=True)
    }


def refusal_of(error: RpcError) -> CallReverted | None:
    """What the contract said, where it was the contract that refused and not the node."""
    return CallReverted(*decode_revert(error.data)) if is_revert(error) else None


def decode_revert(data: bytes) -> tuple[str, tuple[Any, ...]]:
    """The code and arguments of revert data; "reverted" for what is none of the contract's errors."""
    from eth_abi.exceptions import DecodingError  # noqa: PLC0415
    from eth_utils.abi import get_abi_input_types  # noqa: PLC0415

    error = _errors().get(data[:4])
    if error is not None:
        # Four bytes may be an error's by chance, or the node made them up; a text need not be UTF-8.
        with suppress(DecodingError, UnicodeDecodeError, OverflowError):
            arguments = _types().decode(get_abi_input_types(error), data[4:])
            code = "reverted" if error["name"] == "Error" else snake_case(error["name"])
            return code, tuple(arguments)
    return "reverted", ("0x" + data.hex(),) if data else ()


def snake_case(name: str) -> str:
    """`Marketplace_WrongStatus` → `wrong_status`, `drawBlock` → `draw_block`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removeprefix("Marketplace_")).lower()


@dataclass(frozen=True, slots=True)
class _Event:
    """What of its ABI an event's logs need; web3.py's contracts work it out again for each log.

    `indexed` fields are a topic each, of a type that one word holds; `others` are in the log's data.
    """

    indexed: Sequence[Mapping[str, Any]]
    others: Sequence[Mapping[str, Any]]
    other_types: list[str]


@cache
def _event(name: str) -> _Event:
    from eth_utils.abi import collapse_if_tuple  # noqa: PLC0415

    inputs: Any = marketplace_codec().events[name].abi["inputs"]
    others = [one for one in inputs if not one["indexed"]]
    return _Event(
        [one for one in inputs if one["indexed"]], others, [collapse_if_tuple(one) for one in others]
    )


@dataclass(frozen=True, slots=True)
class _Function:
    """What of its ABI a function's calls need; web3.py's contracts look it up again for each call."""

    selector: bytes
    inputs: list[str]
    outputs: list[str]


@cache
def _function(name: str) -> _Function:
    from eth_utils.abi import (  # noqa: PLC0415
        function_abi_to_4byte_selector,
        get_abi_input_types,
        get_abi_output_types,
    )

    abi = marketplace_codec().get_function_by_name(name).abi
    return _Function(function_abi_to_4byte_selector(abi), get_abi_input_types(abi), get_abi_output_types(abi))


@cache
def _types() -> "ABICodec":
    """web3.py's codec, which is strict about the length of bytes."""
    return marketplace_codec().w3.codec


@cache
def _event_names() -> Mapping[str, str]:
    events: Any = marketplace_codec().events
    return {event.topic: event.event_name for event in events}


@cache
def _errors() -> "Mapping[bytes, ABIError]":
    """By selector: the contract's own, and Solidity's `Error(string)`."""
    from eth_utils.abi import filter_abi_by_type, function_abi_to_4byte_selector  # noqa: PLC0415

    text: ABIError = {"type": "error", "name": "Error", "inputs": [{"name": "reason", "type": "string"}]}
    errors = [*filter_abi_by_type("error", marketplace_artifact()["abi"]), text]
    return {function_abi_to_4byte_selector(error): error for error in errors}
