"""Calls to contracts that forge compiled and nobody deployed."""

from typing import Any

from eth_abi import decode, encode
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types, get_abi_output_types

from services.chain.rpc.http import HttpRpc

_ADDRESS = "0x00000000000000000000000000000000000000aa"


async def called(rpc: HttpRpc, compiled: dict[str, Any], name: str, arguments: list[Any]) -> tuple[Any, ...]:
    """What a function answers, at a made-up address that has the contract's code for this call alone."""
    (function,) = (entry for entry in compiled["abi"] if entry.get("name") == name)
    data = function_abi_to_4byte_selector(function) + encode(get_abi_input_types(function), arguments)
    call = {"to": _ADDRESS, "data": "0x" + data.hex(), "gas": hex(10**11)}
    code = {_ADDRESS: {"code": compiled["deployedBytecode"]["object"]}}
    answer = await rpc.call("eth_call", call, "latest", code)
    return decode(get_abi_output_types(function), bytes.fromhex(answer[2:]))
