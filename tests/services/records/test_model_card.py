"""What a model card says is what the chain says; of rows and weights it says nothing."""

import math

import pytest

from protocol.asset import Assets, token_asset
from protocol.codec import pack
from protocol.data_card import CardColumn, DataCard
from protocol.records import Market
from services.common.errors import ConfigurationError
from services.console.presentation.model_card import as_markdown
from services.records.chain_history import ChainStory
from services.records.model_card import CardDataSet, card_of, model_card
from services.records.offers import Offer, ToldOffer, told_name
from services.store import Store
from tests.support.console.trainings import BUYER, OWNERS, finished_training, put, running_training
from tests.support.deployment.documents import any_request

MARKET = Market(chain_id=31337, contract="0x" + "c0" * 20)


@pytest.fixture
def store():
    return Store()


def card(store, **request):
    return model_card(store, store.instance(finished_training(store, **request)), MARKET)


def test_errors_are_those_of_the_chain_in_the_targets_own_unit(store):
    made = card(store, scale="range")
    assert [one.mse for one in made.rounds] == pytest.approx([40_000 * 6000 * 0.9**n for n in range(4)])
    assert made.rmse == pytest.approx(math.sqrt(made.mse))
    assert made.share_of_start_error_removed == pytest.approx(1 - 0.9**3)
    assert (made.first_model, made.first_value) == ("mean", "152.13")


def test_participants_money_and_proof(store):
    made = card(store, purpose="To see how it goes", licence="CC-BY-4.0")
    assert (made.intended_use, made.licence) == ("To see how it goes", "CC-BY-4.0")
    assert [one.address for one in made.participants[:5]] == OWNERS
    assert [one.contribution for one in made.participants[:3]] == pytest.approx([2 / 3, 1 / 3, -1 / 3])
    assert (made.buyer, made.market) == (BUYER, MARKET)
    assert int(made.paid_wei) + int(made.returned_wei) == int(made.deposit_wei)
    assert made.request_hash == f"0x{any_request(**made.request).hash().hex()}"
    assert {"Opened", "RolesDrawn", "RoundRecorded", "Settled"} <= {one.event for one in made.transactions}


def test_what_was_paid_in_a_token_is_named_as_the_buyer_has_configured_it(store):
    token = "0x" + "70" * 20
    key = finished_training(store, payment={"deposit_wei": 10**7, "token": token})
    instance = store.instance(key)
    made = model_card(store, instance, MARKET, assets=Assets({token: token_asset("TEST", 6)}))
    assert (made.token, made.token_symbol, made.token_decimals) == (token, "TEST", 6)
    assert "10 TEST" in as_markdown(made)
    assert f"10,000,000 units of token {token}" in as_markdown(model_card(store, instance, MARKET))


def test_parties_have_the_buyers_names_and_nobody_else_of_its_address_book_is_named(store):
    key, stranger = finished_training(store), "0x" + "77" * 20
    names = {OWNERS[0]: "Clinic | north", BUYER: "We", stranger: "Stranger"}
    made = model_card(store, store.instance(key), MARKET, names)
    assert made.names == {OWNERS[0]: "Clinic | north", BUYER: "We"}
    page = as_markdown(made)
    assert f"Clinic \\| north {OWNERS[0]}" in page
    assert f"We {BUYER}" in page
    assert "Stranger" not in page


def test_the_cards_of_participants_that_serve_the_request_stand_by_their_hashes(store):
    asked = any_request()
    columns = tuple(
        CardColumn(name=one.name, minimum=one.minimum, maximum=one.maximum)
        for one in (*asked.features, asked.target)
    )
    fits = DataCard(name="patients", columns=columns, rows_from=64)
    other = DataCard(name="other", columns=columns[:1], rows_from=64)
    for owner in (OWNERS[0], "0x" + "77" * 20):
        offer = Offer.of((fits, other))
        told = ToldOffer(digest=offer.digest, at=5, content=pack(offer))
        store.put_value(told_name(asked.aggregator, owner), pack(told))
    wanted = CardDataSet(owner=OWNERS[0], data_set="patients", hash=f"0x{fits.hash().hex()}", told_at=5)
    assert card(store).data_sets == (wanted,)


def test_nothing_of_weights_or_row_counts_is_on_it(store):
    text = card(store).model_dump_json()
    for weight in ("1.25", "-2.5", "152.125"):
        assert f'"{weight}"' not in text
        assert f":{weight}," not in text
    assert '"rows"' not in text


def test_without_a_model_there_is_no_card(store):
    with pytest.raises(ConfigurationError, match="no model of order:"):
        model_card(store, store.instance(running_training(store)))
    put(store, "order:1", any_request())
    with pytest.raises(ConfigurationError, match="no model of order:1"):
        model_card(store, store.instance("order:1"))
    with pytest.raises(ConfigurationError, match="not settled yet"):
        card_of(any_request(), ChainStory())
