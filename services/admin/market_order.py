"""A market's sample order as parties come: the earlier one with room for them."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from protocol.data_card import CardColumn, DataCard
from protocol.errors import MisuseError
from protocol.request import Request
from protocol.request_parsing import parse_request
from protocol.requirements import mismatches
from services.admin.market_folder import yaml_text
from services.common.documents import load_request
from services.common.errors import ConfigurationError
from services.common.files import write_private

_REMARK = "A sample order: deltaml train FILE --config config.yaml; REQUEST.yaml explains the fields."


def order_for(folder: Path, name: str) -> Path:
    """Where the order that came with a party lies in the buyer's folder."""
    return folder / f"request-with-{name}.yaml"


def renewed_order(
    earlier: Path, name: str, *, card: DataCard | None = None, aggregator: str | None = None
) -> tuple[Path | None, str]:
    """Write the order with another aggregator, or for one more owner, beside the earlier one.

    Ranges are widened to those of the new owner's card. What is there stays. None, and why, where the card
    does not serve the order all the same, the earlier one cannot be used, or this one would be no request.
    """
    path = order_for(earlier.parent, name)
    if path.exists():
        return path, ""
    try:
        request = _renewed(load_request(earlier), name, card, aggregator)
    except (MisuseError, ConfigurationError) as error:
        return None, f"there is no sample order with {name}: {error}"
    reasons = () if card is None else mismatches(request, card)
    if reasons:
        return None, (
            f"the rows do not serve the sample order ({'; '.join(reasons)}): {name} takes part in orders "
            "that ask for its columns; deltaml request suggest writes one"
        )
    write_private(path, yaml_text(request.model_dump(mode="json"), _REMARK))
    return path, ""


def _renewed(earlier: Request, name: str, card: DataCard | None, aggregator: str | None) -> Request:
    document = earlier.model_dump(mode="json") | {"name": f"sample order with {name}"}
    if aggregator is not None:
        document["aggregator"] = aggregator
    return parse_request(document if card is None else _for_one_more(document, card))


def _for_one_more(document: dict[str, Any], card: DataCard) -> dict[str, Any]:
    columns = {column.name: column for column in card.columns}
    owners, bounds, target = document["owners"], document["bounds"], document.get("target")
    return {
        **document,
        **{
            section: [_widened(one, columns.get(one["name"])) for one in document[section]]
            for section in ("features", "targets")
            if section in document
        },
        **({"target": _widened(target, columns.get(target["name"]))} if target else {}),
        "owners": {**owners, **{end: owners[end] + 1 for end in ("minimum", "maximum")}},
        "bounds": {**bounds, "min_rows": min(bounds["min_rows"], card.rows_from)},
    }


def _widened(column: dict[str, Any], held: CardColumn | None) -> dict[str, Any]:
    """A column of numbers whose range holds a card's, too."""
    if held is None or held.kind != "numeric" or held.minimum is None or held.maximum is None:
        return column
    if "minimum" not in column:
        return column
    low, high = min(Decimal(column["minimum"]), held.minimum), max(Decimal(column["maximum"]), held.maximum)
    return {**column, "minimum": str(low), "maximum": str(high)}
