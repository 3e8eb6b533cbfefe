"""The contract's errors by name; web3.py only where it is needed."""

import subprocess
import sys

from eth_abi import encode
from eth_hash.auto import keccak

from services.chain.contract.abi import decode_revert


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
