"""Figures as they are shown: they follow the language."""

from decimal import Decimal
from fractions import Fraction

import pytest

from protocol.asset import NO_TOKENS, token_asset
from services.console.presentation.format import Formats, short
from services.console.presentation.i18n import locale_of


def test_figures_in_both_languages():
    english, spanish = Formats(locale_of("en")), Formats(locale_of("es"))
    assert english.number(12345.678, 2) == "12,345.68"
    assert spanish.number(12345.678, 2) == "12.345,68"
    assert english.percent(Fraction(271, 1000)) == "27.1 %"
    assert spanish.percent(0.271) == "27,1 %"
    assert english.significant(Decimal("0.00012345678")) == "0.00012346"
    assert english.significant(4374) == "4,374"
    assert english.significant(-0.0) == "0"
    assert english.metric(4374 * 10**18 + 10**17) == "4,374.1"
    assert english.moment(0).startswith("Jan 1, 1970")
    assert english.moment(0).endswith("UTC")
    assert english.number(None) == english.percent(None) == english.money(None) == english.metric(None) == "–"


@pytest.mark.parametrize(
    ("wei", "shown"),
    [(10**18, "1 ETH"), (0, "0 ETH"), (1, "0.000000000000000001 ETH"), (-(10**17), "-0.1 ETH")],
)
def test_ether_that_is_there_never_shows_as_nothing(wei, shown):
    assert Formats(locale_of("en")).money(wei) == shown


@pytest.mark.parametrize(
    ("wei", "shown"),
    [
        (7142857142857140, "0.007142 ETH"),
        (1_999_999_999_999_999_999, "1.999999 ETH"),
        (999_999_999_999, "0.000000999999999999 ETH"),
        (0, "0 ETH"),
    ],
)
def test_what_is_shown_as_the_least_is_no_more_than_it(wei, shown):
    assert Formats(locale_of("en")).money_at_least(wei) == shown


def test_amounts_in_a_token_are_in_its_own_units():
    formats, token = Formats(locale_of("es")), "0x" + "70" * 20
    known = token_asset("TEST", 6)
    assert formats.money(2_500_000, known) == "2,5 TEST"
    assert formats.money_at_least(1_999_999, known) == "1,999999 TEST"
    assert formats.money(2_500_000, NO_TOKENS.of(token)) == f"2.500.000 units of token {token}"
    assert formats.money_at_least(3, NO_TOKENS.of(token)) == f"3 units of token {token}"


def test_identifiers_are_shown_by_their_ends():
    assert short("0x" + "ab" * 20) == "0xababab…ababab"
    assert short("accepted") == "accepted"


@pytest.mark.parametrize("figure", [1.7e308, 2**255, Fraction(2**255, 3)])
def test_a_figure_of_any_size_is_written(figure):
    formats = Formats(locale_of("en"))
    for text in (formats.significant(figure), formats.percent(figure), formats.number(figure)):
        assert len(text) > 70


@pytest.mark.parametrize(
    ("value", "english", "spanish"),
    [
        (1900, "1900", "1900"),
        (-1999.5, "-1999.5", "-1999,5"),
        (12345, "12,345", "12.345"),
        (0.25, "0.25", "0,25"),
        (None, "–", "–"),
    ],
)
def test_a_year_among_values_is_no_thousand(value, english, spanish):
    assert Formats(locale_of("en")).of_rows(value) == english
    assert Formats(locale_of("es")).of_rows(value) == spanish
