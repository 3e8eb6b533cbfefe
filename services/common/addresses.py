"""Addresses as people write them, wherever they do: documents, options, forms."""

import re
from collections.abc import Mapping

from eth_hash.auto import keccak

from services.common.errors import ConfigurationError

_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")


class WrongChecksum(ConfigurationError):  # noqa: N818
    """The case of an address' letters is not its checksum: a letter is wrong."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"the address {address} has a wrong checksum; copy it again, or write it in lower case"
        )
        self.address = address


def is_address(text: str) -> bool:
    """Whether this is 0x and 40 hexadecimal digits, in any case."""
    return _ADDRESS.fullmatch(text) is not None


def party_address(text: str, names: Mapping[str, str]) -> str:
    """The address of a party that a person means, by the address itself or its name in `names` by address.

    Raises ConfigurationError for what is neither, WrongChecksum as `plain_address`.
    """
    by_name = {name: address for address, name in names.items()}
    found = by_name.get(text) or plain_address(text)
    if not is_address(found):
        raise ConfigurationError(
            f"{text!r} is no address, 0x and 40 hexadecimal digits, nor a party's name in the configuration"
        )
    return found


def plain_address(text: str) -> str:
    """An address in lower case, as all of this project compares them; another text as it is.

    Raises WrongChecksum where upper and lower case are mixed, but not as EIP-55 does.
    """
    if not is_address(text):
        return text
    digits, lower = text[2:], text[2:].lower()
    if digits not in (lower, digits.upper()):
        marks = keccak(lower.encode()).hex()
        if digits != "".join(
            one.upper() if mark > "7" else one for one, mark in zip(lower, marks, strict=False)
        ):
            raise WrongChecksum(text)
    return f"0x{lower}"
