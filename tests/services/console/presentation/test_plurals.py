"""One of something is not several."""

from types import SimpleNamespace

import pytest

from protocol.terms import NATIVE
from services.console.presentation.assets import Assets
from services.console.presentation.card_sections import lead
from services.console.presentation.rendering import Reader, Templates
from services.store import Store
from tests.support.console.visible import visible_text
from tests.support.console.world import party_of
from tests.support.deployment.documents import any_request

CARD = {"target": {"name": "y"}}


@pytest.fixture(scope="module")
def templates():
    return Templates(Assets().url)


def shown(templates, template, language, **values):
    store = Store()
    text = visible_text(Reader(templates, party_of(store), language).fragment(template, **values))
    store.close()
    return text


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "At most 1 round of 1 step,"),
        ("en", 2, "At most 2 rounds of 2 steps,"),
        ("es", 1, "Como mucho 1 ronda de 1 paso,"),
        ("es", 2, "Como mucho 2 rondas de 2 pasos,"),
    ],
)
def test_a_schedule(templates, language, count, said):
    schedule = {"rounds": count, "local_steps": count, "step_size": "auto"}
    request = any_request(schedule=schedule)
    assert said in shown(templates, "training/request.html", language, request=request)


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "in 1 training"),
        ("en", 3, "in 3 trainings"),
        ("es", 1, "en 1 entrenamiento"),
        ("es", 3, "en 3 entrenamientos"),
    ],
)
def test_what_was_earned(templates, language, count, said):
    account = SimpleNamespace(
        credit=0, unclaimed=0, earned=1, paid_out=0, token=NATIVE, by_training=lambda: (None,) * count
    )
    values = {"accounts": [account], "automatic": True}
    assert f"{said} " in shown(templates, "earnings/_credit.html", language, **values)


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "from 1 column."),
        ("en", 2, "from 2 columns."),
        ("es", 1, "de 1 columna."),
        ("es", 2, "de 2 columnas."),
    ],
)
def test_a_models_columns(language, count, said):
    assert said in lead(SimpleNamespace(request={**CARD, "features": [{}] * count}), language)
