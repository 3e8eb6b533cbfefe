"""Limits that pages tell have one home, in the protocol: no template writes one out."""

import re
from pathlib import Path

from protocol.data_card import MOST_CARD_BYTES, MOST_CARDS
from protocol.preparation.values import MAXIMUM_LEVELS, MOST_LEVELS_TOGETHER
from services.console.presentation import rendering

TEMPLATES = Path(rendering.__file__).parents[1] / "templates"
LIMITS = (MOST_CARDS, MOST_CARD_BYTES >> 10, MOST_LEVELS_TOGETHER, MAXIMUM_LEVELS)


def test_no_template_writes_a_limit_out():
    figures = re.compile("|".join(rf"(?<![\w.,-])({limit}|{limit:,})(?![\w-])" for limit in LIMITS))
    texts = {path: path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html")}
    assert len(texts) > 40
    found = {path.name: match.group() for path, text in texts.items() if (match := figures.search(text))}
    assert found == {}
