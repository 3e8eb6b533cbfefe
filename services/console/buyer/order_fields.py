"""The inputs of a request's form: names, where their values stand in the document, and how they are typed."""

from dataclasses import dataclass

from services.console.buyer.order_columns import part_of
from services.console.buyer.order_values import Kind


@dataclass(frozen=True, slots=True)
class Field:
    """An input by its name, where its value belongs in the document, and how it is written."""

    name: str
    path: tuple[str, ...]
    kind: Kind


BOND_FIELDS = (
    Field("bond_owner", ("payment", "bonds", "owner"), "money"),
    Field("bond_aggregator", ("payment", "bonds", "aggregator"), "money"),
    Field("bond_buyer", ("payment", "bonds", "buyer"), "money"),
    Field("forfeit_to", ("payment", "bonds", "forfeit_to"), "address"),
)
"""All four empty: no bonds."""

FIELDS = (
    Field("name", ("name",), "text"),
    Field("aggregator", ("aggregator",), "address"),
    Field("kind", ("model", "kind"), "text"),
    Field("intercept", ("model", "intercept"), "yes"),
    Field("l2", ("model", "l2"), "decimals"),
    Field("dispersion", ("model", "dispersion"), "optional_decimal"),
    Field("event", ("model", "event"), "optional_text"),
    Field("target-name", ("target", "name"), "text"),
    Field("target-minimum", ("target", "minimum"), "decimal"),
    Field("target-maximum", ("target", "maximum"), "decimal"),
    Field("scale", ("scale",), "text"),
    Field("inference", ("inference",), "yes"),
    Field("rounds", ("schedule", "rounds"), "whole"),
    Field("method", ("schedule", "method"), "text"),
    Field("rho", ("schedule", "rho"), "optional_decimal"),
    Field("folds", ("schedule", "folds"), "one_or_more"),
    Field("local_steps", ("schedule", "local_steps"), "whole"),
    Field("step_size", ("schedule", "step_size"), "decimal"),
    Field("tolerance", ("schedule", "tolerance"), "decimal"),
    Field("deliver", ("schedule", "deliver"), "text"),
    Field("owners-minimum", ("owners", "minimum"), "whole"),
    Field("owners-maximum", ("owners", "maximum"), "whole"),
    Field("owners-admission", ("owners", "admission"), "text"),
    Field("min_rows", ("bounds", "min_rows"), "whole"),
    Field("weight_bits", ("bounds", "weight_bits"), "optional"),
    Field("residual_bits", ("bounds", "residual_bits"), "optional"),
    Field("token", ("payment", "token"), "address"),
    Field("deposit", ("payment", "deposit_wei"), "money"),
    Field("contribution", ("payment", "contribution_bps"), "percent"),
    Field("participation", ("payment", "participation_bps"), "percent"),
    Field("validation", ("payment", "validation_bps"), "percent"),
    Field("aggregation", ("payment", "aggregation_bps"), "percent"),
    Field("abandon", ("payment", "abandon_bps"), "percent"),
    *BOND_FIELDS,
    Field("join_s", ("deadlines", "join_s"), "whole"),
    Field("reveal_s", ("deadlines", "reveal_s"), "whole"),
    Field("step_s", ("deadlines", "step_s"), "whole"),
    Field("chain_s", ("deadlines", "chain_s"), "whole"),
    Field("key_bits", ("key_bits",), "whole"),
    Field("purpose", ("purpose",), "text"),
    Field("licence", ("licence",), "text"),
)
"""In the order of the document, but columns, several targets, curves and start."""

_INPUTS: dict[tuple[str, ...], str] = {
    ("payment",): "shares",
    ("payment", "bonds"): "forfeit_to",
    ("owners",): "owners-maximum",
    ("schedule",): "method",
    **{field.path: field.name for field in FIELDS},
}
"""By where an error is in the document."""

MONEY_FIELDS = tuple(field for field in FIELDS if field.kind == "money")
"""Those in the unit of the token, where the request names one."""

SHARES = ("contribution", "participation", "validation", "aggregation")
"""The inputs whose shares of the payment add up."""


def input_of(location: tuple[int | str, ...]) -> str:
    """The name of the input that an error is about."""
    if location[:1] == ("features",) and len(location) > 1:
        return f"feature-{location[1]}-{part_of(location[2:], 'name')}"
    if location[:1] in (("basis",), ("targets",)):
        return str(location[0])
    if location[:1] == ("target",):
        return f"target-{part_of(location[1:], 'maximum')}"
    if location[:1] == ("start",):
        names = {"weights": "start_weights", "means": "start_values", "mean": "start_value"}
        return next((name for part, name in names.items() if part in location), "start")
    if location[:2] == ("model", "l2"):
        return "l2"
    return _INPUTS.get(tuple(map(str, location)), "")
