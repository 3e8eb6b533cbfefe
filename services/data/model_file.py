"""The bought model as a JSON file for its buyer alone: the fields of `BoughtModel`."""

import json
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from protocol.bought_model import BoughtModel
from protocol.value_rules import rule_of
from services.common.accents import composed
from services.common.errors import ConfigurationError
from services.common.files import read_bounded, require_private, write_private

_LARGEST = 16 << 20


def write_model(path: Path | str, model: BoughtModel, *, replace: bool = True) -> None:
    """Write or replace the file, whole or not at all, mode 0600.

    Raises ConfigurationError when it cannot be written, or exists and is not to be replaced.
    """
    write_private(Path(path), model.model_dump_json(indent=2).encode() + b"\n", replace=replace)


def read_model(path: Path | str) -> BoughtModel:
    """The model in a file from `write_model`.

    Raises ConfigurationError when there is none, others can read it, or it is not a model.
    """
    place = Path(path)
    content = read_bounded(place, _LARGEST)
    if len(content) > _LARGEST:
        raise _not_a_model(place, f"it is longer than {_LARGEST >> 20} MiB")
    try:
        model = _composed(BoughtModel.model_validate_json(content))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise _not_a_model(place, f"{field}: {rule_of(first)}") from None
    each = model.outputs or (model,)
    numbers = np.array([number for one in each for number in (*one.weights, one.intercept or 0.0)])
    if any(len(model.features) != len(one.weights) for one in each) or not np.isfinite(numbers).all():
        raise _not_a_model(place, "it needs one finite weight per feature")
    require_private(place)  # of a model alone: the rights of another file are nobody's business here
    return model


def _composed(model: BoughtModel) -> BoughtModel:
    """With accents in one form (NFC), as rows are read; ValidationError where two levels become one."""
    fields = model.model_dump(mode="json")
    plain = composed(fields)
    return model if plain == fields else BoughtModel.model_validate_json(json.dumps(plain))


def _not_a_model(place: Path, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"{place} is not a model file: {reason}; name one that the demo, `deltaml show` or the console wrote"
    )
