"""What is wrong with an input, in words that can be translated."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.asset import LARGEST_WHOLE, MARKET_ASSET
from services.common.addresses import WrongChecksum, is_address, plain_address
from services.console.presentation.i18n import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Problem:
    """A text with places for values, translated where it is shown."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)


def read_address(text: str, otherwise: str) -> str | Problem:
    """A typed address in lower case, or what is wrong with it: `otherwise` where it is no address at all."""
    if not is_address(text):
        return Problem(otherwise)
    try:
        return plain_address(text)
    except WrongChecksum as error:
        return wrong_checksum(error.address)


def wrong_checksum(address: str) -> Problem:
    """Why an address is not taken."""
    wrong = _("The address %(address)s has a wrong checksum: copy it again, or write it in lower case.")
    return Problem(wrong, {"address": address})


def not_an_amount() -> Problem:
    """Why an amount of money is not taken, and how it is written."""
    text = _(
        "Give an amount of %(asset)s from 0 to %(most)s with at most %(decimals)s decimals: 0.1, or with its "
        "unit: %(examples)s."
    )
    values = {"asset": MARKET_ASSET.name, "most": str(LARGEST_WHOLE), "examples": MARKET_ASSET.examples}
    return Problem(text, {**values, "decimals": str(MARKET_ASSET.decimals)})
