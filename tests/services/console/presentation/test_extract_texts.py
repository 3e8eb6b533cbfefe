"""Every text of pages and sources is translated into every language."""

import re
from functools import cache

import pytest

from services.console.presentation import extract_texts
from services.console.presentation.i18n import LANGUAGES

OTHERS = [language for language in LANGUAGES if language != "en"]
_PLACES = re.compile(r"%\(\w+\)s|%%")
# They read every source and template, and change nothing.
extracted, renewed = cache(extract_texts.extracted), cache(extract_texts.renewed)


def whole(string):
    return all(string) if isinstance(string, tuple) else bool(string)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated_and_none_is_left_over(language):
    catalogue = renewed(language)
    missing = [message.id for message in catalogue if message.id and not whole(message.string)]
    assert missing == [], "translate these; run `make messages`"
    known = {str(message.id) for message in extracted() if message.id}
    in_file = re.findall(r"^msgid ", extract_texts.catalogue_path(language).read_text(), flags=re.MULTILINE)
    assert len(in_file) == len(known), "run `make messages`"


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_places_for_values(language):
    for message in renewed(language):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for text, string in zip(ids, strings, strict=True):
            if message.id:
                assert sorted(_PLACES.findall(text)) == sorted(_PLACES.findall(string)), text


def test_the_texts_of_the_demo_are_among_them():
    assert extracted().get("Orders trainings, pays for them, and gets the models.") is not None
