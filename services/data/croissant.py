"""A data card in the vocabulary of Croissant, which describes data sets for machine learning as JSON-LD.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html, version 1.0. Ranges, units and vocabularies are
schema.org's `variableMeasured`. The rows themselves stay with their owner, so there is no `distribution`.
"""

from typing import Any

from protocol.asset import MARKET_ASSET
from protocol.data_card import CardColumn, DataCard
from protocol.preparation.moments import day_of

_CONFORMS = "http://mlcommons.org/croissant/1.0"
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "recordSet": "cr:recordSet",
    "field": "cr:field",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
}
_TYPES = {"numeric": "sc:Float", "boolean": "sc:Boolean", "categorical": "sc:Text", "date": "sc:Date"}


def croissant(card: DataCard) -> dict[str, Any]:
    """The JSON-LD document; `identifier` is the card's hash."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS,
        "name": card.name,
        "description": card.purpose or f"Data set {card.name}, for training on without being shown.",
        "license": card.licence or "not stated",
        "identifier": f"keccak256:{card.hash().hex()}",
        "size": f"{card.rows_from} to {2 * card.rows_from - 1} rows",
        "isAccessibleForFree": False,
        "offers": {
            "@type": "sc:Offer",
            "description": f"least fixed pay of a training: {MARKET_ASSET.shown(card.least_pay_wei)}",
        },
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "field": [_field(column) for column in card.columns],
            }
        ],
        "variableMeasured": [_measured(column) for column in card.columns],
    }


def _field(column: CardColumn) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"rows/{column.name}",
        "name": column.name,
        "dataType": _TYPES[column.kind],
    }


def _measured(column: CardColumn) -> dict[str, Any]:
    """What a field's type does not tell: range, unit, vocabulary, gaps."""
    found: dict[str, Any] = {"@type": "sc:PropertyValue", "name": column.name}
    if column.kind == "date":
        found["minValue"], found["maxValue"] = (day_of(float(end)) for end in column.limits)
    elif column.kind != "categorical":
        found["minValue"], found["maxValue"] = map(float, column.limits)
    if column.unit:
        found["unitText"] = column.unit
    if column.vocabulary:
        found["valueReference"] = list(column.vocabulary)
    if column.gaps:
        found["description"] = "Some values are missing."
    return found
