"""Each sample configuration can be used, leaves out no field, and says of each what the model says."""

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from services.bus.broker.provisioning import BrokerPlan, load_plan
from services.config.daemons import KINDS, load

SAMPLES = Path(__file__).parents[2] / "deploy" / "config"
MODELS = {**KINDS, "broker": BrokerPlan}


def test_there_is_a_sample_for_each_kind_of_document():
    assert {path.stem for path in SAMPLES.iterdir()} == set(MODELS)


@pytest.mark.parametrize("kind", MODELS)
def test_a_sample_can_be_used(kind):
    path = SAMPLES / f"{kind}.yaml"
    loaded = load_plan(path) if kind == "broker" else load(path, kind)
    assert isinstance(loaded, MODELS[kind])


@pytest.mark.parametrize("kind", MODELS)
def test_a_sample_shows_and_explains_every_field(kind):
    text = (SAMPLES / f"{kind}.yaml").read_text()
    said = " ".join(
        re.sub(r"^\s*#\s*", "", line) for line in text.splitlines() if line.lstrip().startswith("#")
    )
    missing = list(unexplained(MODELS[kind], yaml.safe_load(text), said, ""))
    assert missing == []


def unexplained(model, document, said, place):
    """Fields of a model that its document lacks, or whose description the comments do not have."""
    for name, field in model.model_fields.items():
        here = f"{place}{name}"
        if isinstance(document, dict) and name not in document and not place.endswith("[]."):
            yield f"{here} is not there"
        if not field.description or field.description not in said:
            yield f"{here} is not explained: {field.description}"
        value = document.get(name) if isinstance(document, dict) else None
        for inner in models_in(field.annotation):
            is_list = not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))
            yield from unexplained(
                inner, None if is_list else value, said, here + ("[]." if is_list else ".")
            )


def models_in(annotation):
    kinds = (annotation, *getattr(annotation, "__args__", ()))
    return [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_shows_the_defaults(kind):
    model = KINDS[kind]
    document = yaml.safe_load((SAMPLES / f"{kind}.yaml").read_text())
    chosen = {"metrics_port", "password_file"}
    assert list(differing(model, document, chosen)) == []


def differing(model, document, chosen):
    for name, field in model.model_fields.items():
        if isinstance(document[name], dict):
            for inner in models_in(field.annotation):
                yield from differing(inner, document[name], chosen)
        elif not field.is_required() and name not in chosen and document[name] != plain(field.default):
            yield f"{name}: {document[name]} instead of {field.default}"


def plain(value):
    """As YAML has it."""
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
