"""The sample order grows with the market."""

from decimal import Decimal

import pytest
import yaml

from protocol.data_card import CardColumn, DataCard
from services.admin.market_order import renewed_order
from services.common.documents import load_request
from services.data.sample_request import DemoOptions, demo_request, load_data

AGGREGATOR, OTHER = "0x" + "0a" * 20, "0x" + "0b" * 20


@pytest.fixture
def order(tmp_path):
    options = DemoOptions(owners=4)
    request = demo_request(options, load_data(options), AGGREGATOR)
    path = tmp_path / "request.yaml"
    path.write_text(yaml.safe_dump(request.model_dump(mode="json")))
    return path


def card(order, **ranges):
    request = load_request(order)
    columns = []
    for column in (*request.features, request.target):
        low, high = ranges.get(column.name, (column.minimum, column.maximum))
        columns.append(CardColumn(name=column.name, minimum=low, maximum=high))
    return DataCard(name="rows", columns=tuple(columns), rows_from=16, listed=True)


def test_there_is_room_for_one_more_owner_and_its_ranges(order):
    path, note = renewed_order(order, "clinic", card=card(order, age=(Decimal(-3), Decimal("0.01"))))
    before, after = load_request(order), load_request(path)
    assert (path.name, note, after.name) == ("request-with-clinic.yaml", "", "sample order with clinic")
    assert (after.owners.minimum, after.owners.maximum) == (5, 5)
    assert after.bounds.min_rows == 16
    age = {column.name: column for column in after.features}["age"]
    assert age.minimum == -3
    assert age.maximum == {column.name: column for column in before.features}["age"].maximum
    assert after.target == before.target
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("mine\n")
    assert renewed_order(order, "clinic", card=card(order)) == (path, "")
    assert path.read_text() == "mine\n"


def test_another_aggregator_is_named_and_nothing_else_changes(order):
    path, _ = renewed_order(order, "second", aggregator=OTHER)
    before, after = load_request(order), load_request(path)
    assert after.aggregator == OTHER
    assert after.model_copy(update={"aggregator": AGGREGATOR, "name": before.name}) == before


def test_an_order_that_people_have_written_in_is_read_as_they_write_it(order):
    document = yaml.safe_load(order.read_text())
    document["payment"] = {**document["payment"], "deposit": "0.5 ETH"}
    del document["payment"]["deposit_wei"], document["bounds"]
    order.write_text(yaml.safe_dump(document))
    path, note = renewed_order(order, "clinic", card=card(order))
    assert note == ""
    assert load_request(path).payment.deposit_wei == 5 * 10**17


@pytest.mark.parametrize("text", ["nothing of a request\n", "features: []\n", None])
def test_an_order_that_cannot_be_used_is_told_and_keeps_nobody_from_coming(order, text):
    held = card(order)
    order.unlink() if text is None else order.write_text(text)
    path, note = renewed_order(order, "clinic", card=held)
    assert path is None
    assert note.startswith("there is no sample order with clinic: ")
    assert str(order) in note


def test_rows_of_other_columns_get_no_order(order):
    held = card(order)
    short = held.model_copy(update={"columns": held.columns[1:]})
    path, note = renewed_order(order, "clinic", card=short)
    assert path is None
    assert "no column 'age'" in note
    assert not order.with_name("request-with-clinic.yaml").exists()
