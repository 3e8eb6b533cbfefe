"""The contract's errors by name; web3.py only where it is needed."""

import subprocess
import sys

import pytest
from eth_abi import encode
from eth_hash.auto import keccak

from services.chain.contract.abi import (
    decode_event,
    decode_revert,
    event_topic,
    marketplace_artifact,
    marketplace_codec,
)

EVENTS = {one["name"]: one["inputs"] for one in marketplace_artifact()["abi"] if one["type"] == "event"}


def test_reverts_are_named() -> None:
    data = keccak(b"Marketplace_UnexpectedRound(uint256,uint16,uint16)")[:4] + encode(
        ["uint256"] * 3, [3, 4, 5]
    )
    assert decode_revert(data) == ("unexpected_round", (3, 4, 5))
    assert decode_revert(data[:-1]) == ("reverted", ("0x" + data[:-1].hex(),))
    assert decode_revert(b"") == ("reverted", ())
    assert decode_revert(b"\1\2\3\4\5") == ("reverted", ("0x0102030405",))
    text = (
        bytes.fromhex("08c379a0")
        + (32).to_bytes(32, "big")
        + (2).to_bytes(32, "big")
        + b"no".ljust(32, b"\0")
    )
    assert decode_revert(text) == ("reverted", ("no",))
    not_utf8 = text.replace(b"no", b"\xff\xfe")
    assert decode_revert(not_utf8) == ("reverted", ("0x" + not_utf8.hex(),))


def test_web3_is_not_imported_before_it_is_needed() -> None:
    """It takes over a second, and these modules are also imported for a command's help."""
    modules = ["contract.client", "contract.deploy", "contract.verification", "events.listener", "connect"]
    imports = "".join(f"import services.chain.{module}\n" for module in modules)
    code = imports + "import sys; sys.exit('web3' in sys.modules or 'eth_account' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def sample(field):
    """A type and a value of it, as eth_abi takes them."""
    if field["type"] == "tuple":
        types, values = zip(*map(sample, field["components"]), strict=True)
        return f"({','.join(types)})", values
    values = {"address": "0x" + "a1" * 20, "bytes32": b"b" * 32, "bool": True}
    return field["type"], (1, 2) if field["type"].endswith("[]") else values.get(field["type"], 1)


def log_of(inputs, topic):
    topics = [encode([kind], [value]) for kind, value in (sample(one) for one in inputs if one["indexed"])]
    fields = [sample(one) for one in inputs if not one["indexed"]]
    data = encode([kind for kind, _ in fields], [value for _, value in fields])
    return {"topics": [topic, *("0x" + word.hex() for word in topics)], "data": "0x" + data.hex()}


def lowered(value):
    """As web3.py has it, but addresses without their checksums, and lists as tuples."""
    match value:
        case dict():
            return {name: lowered(one) for name, one in value.items()}
        case list():
            return tuple(value)
        case str():
            return value.lower()
        case _:
            return value


@pytest.mark.parametrize("name", EVENTS)
def test_events_are_decoded_as_web3_decodes_them(name) -> None:
    log = log_of(EVENTS[name], event_topic(name))
    places = dict.fromkeys(
        ("address", "blockHash", "blockNumber", "logIndex", "transactionHash", "transactionIndex")
    )
    expected = marketplace_codec().events[name].process_log({**places, **log})["args"]
    assert decode_event(name, log) == lowered(dict(expected))


def test_a_log_that_does_not_fit_its_event_is_refused() -> None:
    log = log_of(EVENTS["Joined"], event_topic("Joined"))
    topics = log["topics"]
    for change in ({"topics": topics[:-1]}, {"topics": [*topics, topics[1]]}, {"data": log["data"][:-64]}):
        with pytest.raises(ValueError, match=r"indexed fields|InsufficientDataBytes"):
            decode_event("Joined", log | change)
    high = "0x" + "f" * 64  # no address: its first twelve bytes are not zero
    with pytest.raises(ValueError, match="NonEmptyPaddingBytes"):
        decode_event("Joined", log | {"topics": [*topics[:-1], high]})
