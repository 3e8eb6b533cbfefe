"""The options by which an order has a policy of its own about owners."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import ValidationError

from protocol.admission_policy import AdmissionPolicy
from protocol.errors import MisuseError
from services.common.addresses import party_address


class Others(StrEnum):
    """What becomes of owners that are on no list."""

    ADMIT = "admit"
    ASK = "ask"
    REFUSE = "refuse"


Admit = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OWNER",
        help="Admit this owner, by address or name in the configuration; may be repeated. With it, "
        "--admit-card or --others the configuration's admission does not count.",
    ),
]
AdmitCard = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HASH",
        help="Admit owners that say that they join with a data set of this card, and with --admit of those "
        "owners alone; may be repeated. It is their own word: to keep dishonest owners out use --admit.",
    ),
]
OtherOwners = Annotated[
    Others | None,
    typer.Option(
        "--others", help="All other owners: admit, refuse, or ask a person. [default: refuse with a list]"
    ),
]


def own_policy(
    owners: list[str], cards: list[str], others: Others | None, names: Mapping[str, str]
) -> AdmissionPolicy | None:
    """The order's own policy about owners; None where the configuration's is to decide.

    Raises MisuseError for what is no card's hash, and lists that keep nobody out.
    """
    if not owners and not cards and others is None:
        return None
    addresses = tuple(party_address(owner, names) for owner in owners)
    rest = others.value if others is not None else "refuse"
    try:
        return AdmissionPolicy.model_validate({"owners": addresses, "cards": tuple(cards), "others": rest})
    except ValidationError as error:
        item = error.errors(include_url=False, include_input=False)[0]
        if "cards" in item["loc"]:
            wrong = cards[int(item["loc"][-1])]
            raise MisuseError(
                f"--admit-card {wrong!r} is no card's hash, 64 hexadecimal digits; `deltaml market cards` "
                "and an owner's `deltaml datasets card` tell it"
            ) from None
        raise MisuseError("--others admit with a list keeps nobody out: say refuse or ask") from None
