"""The bought model as a JSON file for its buyer alone: the fields of `BoughtModel`."""

from pathlib import Path

import numpy as np
from pydantic import ValidationError

from protocol.bought_model import BoughtModel
from services.common.errors import ConfigurationError
from services.common.files import read_private, write_private


def write_model(path: Path | str, model: BoughtModel) -> None:
    """Write or replace the file, whole or not at all, mode 0600."""
    write_private(Path(path), model.model_dump_json(indent=2).encode() + b"\n")


def read_model(path: Path | str) -> BoughtModel:
    """The model in a file from `write_model`.

    Raises ConfigurationError when there is none, others can read it, or it is not a model.
    """
    try:
        model = BoughtModel.model_validate_json(read_private(Path(path)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigurationError(f"{path} is not a model file: {field}: {first['msg']}") from None
    numbers = np.array([*model.weights, model.intercept or 0.0])
    if len(model.features) != len(model.weights) or not np.isfinite(numbers).all():
        raise ConfigurationError(f"{path} is not a model file: it needs one finite weight per feature")
    return model
