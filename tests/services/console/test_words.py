"""No page shows a name that is for programs: whatever code or event there is has words, in both languages."""

import re
from functools import cache
from itertools import zip_longest

import pytest

from protocol.asset import MARKET_ASSET
from protocol.marketplace import FAULT_NAMES, SHARE_NAMES
from protocol.roles.engine import facts
from services.console.presentation import labels
from services.console.presentation.assets import Assets
from services.console.presentation.i18n import LANGUAGES, translations
from services.console.presentation.rendering import Reader, Templates
from services.console.presentation.timeline import TEXTS, timeline
from services.records.chain_history import ChainStory, Transaction
from services.store import Store
from tests.support.console import codes
from tests.support.console.gallery import gallery
from tests.support.console.trainings import OWNERS
from tests.support.console.visible import visible_text
from tests.support.console.world import Browser, party_of

_FOR_PROGRAMS = re.compile(r"\b[A-Za-z0-9]+_[A-Za-z0-9_]+\b|\b[A-Z][a-z]+[A-Z]\w+\b")
_NAMES = frozenset({"DeltaML", "YAML", "JSON"})


@cache
def english() -> frozenset[str]:
    """Names for programs that are English words too."""
    return frozenset(
        code for code in codes.every_code() | {*facts.EVENTS, *SHARE_NAMES[1:]} if "_" not in code
    )


@pytest.fixture(scope="module")
def templates():
    return Templates(Assets().url)


def raw(text, language):
    """Names for programs; in another language than English also those that are English words."""
    found = {word for word in _FOR_PROGRAMS.findall(text) if word not in _NAMES}
    words = set(re.findall(r"\w+", text)) if language != "en" else set()
    return found | (words & english())


async def test_no_page_shows_one(tmp_path):
    seen = {}
    async with gallery(tmp_path) as stands:
        for stand in (one for one in stands if one.world is not None):
            for language in LANGUAGES:
                async with Browser(stand.world, **{"Accept-Language": language}) as browser:
                    await browser.sign_in()
                    for scene in stand.scenes:
                        async with browser.http.get(scene.path) as response:
                            shown = visible_text(await response.text())
                        seen[scene.name, language] = raw(shown, language)
    assert len(seen) > 30 * len(LANGUAGES)
    assert {name: found for name, found in seen.items() if found} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_reason_is_one(language):
    gettext = translations(language).gettext
    for code in sorted(codes.every_code()):
        for text in (labels.failure_text, labels.reason_text, labels.refusal_text):
            assert raw(text(code, gettext), language) == set(), (code, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_of_a_time_line_is_one(templates, language):
    every = sorted(codes.every_code())
    told = [
        (name, {"code": code, "owner": OWNERS[0], "round": 1, "declined": {code: 2}}, 1.0)
        for name in TEXTS
        if name in facts.FACTS
        for code in (every if facts.FACTS[name].keys & {"code", "declined"} else every[:1])
    ]
    store = Store()
    reader = Reader(templates, party_of(store), language)
    page = reader.fragment("training/_timeline.html", moments=timeline(told, ChainStory()))
    store.close()
    assert raw(visible_text(page), language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_event_is_one_and_a_credit_says_to_whom_and_for_what(templates, language):
    about = {"owner": OWNERS[0], "account": OWNERS[0], "round": "1"}
    about |= dict.fromkeys(("deposit", "paid", "refund", "amount"), "100000000000000000")
    events = [
        Transaction(event, 1, "0x" + "ab" * 32, 0, 1.0, {**about, "share": share, "fault": fault})
        for event in (*facts.EVENTS, "OfALaterContract")
        for share, fault in zip_longest(
            (*SHARE_NAMES[1:], "a_later_share"), (*FAULT_NAMES[1:], "a_later_fault"), fillvalue="no_reveal"
        )
    ]
    store = Store()
    reader = Reader(templates, party_of(store), language)
    page = reader.fragment("training/_transactions.html", transactions=events, paid_in=MARKET_ASSET)
    store.close()
    text = visible_text(page)
    assert raw(text, language) == set()
    said = {"en": "0.1 ETH to %s ?, for its contribution", "es": "0,1 ETH a %s ?, por su contribución"}
    assert re.search(said[language] % "0x000000…0000a1", text)


def test_what_this_product_itself_gives_as_a_reason_has_words_of_its_own():
    """The words for unknown codes are for those of other versions."""
    known = codes.reason_codes() | codes.contract_codes() | codes.answer_codes()
    texts = {code: labels.reason_text(code, str) for code in known}
    unknown = labels.reason_text("of_a_later_version", str)
    assert {code for code, text in texts.items() if text == unknown} == set()
    assert set(facts.EVENTS) == set(labels.EVENTS)
    assert set(SHARE_NAMES[1:]) == set(labels.SHARES)
