"""What the others' files say once a party has come."""

from services.admin.market_lists import introduce
from services.admin.market_process import members
from services.config.daemons import load

LATE = "0x" + "1a" * 20
ROLES = ("buyer", "aggregator", "owner-1")


def test_an_owner_is_put_on_the_aggregator_s_list_and_into_everybody_s_address_book(market_folder):
    aggregator = market_folder / "aggregator" / "config.yaml"
    aggregator.write_text(aggregator.read_text().replace("workers: 1", "workers: 3  # of four cores"))
    before = load(aggregator, "aggregator").admitted
    for _ in range(2):
        introduce(members(market_folder), "late", "data_owner", LATE)
    assert load(aggregator, "aggregator").admitted == (*before, LATE)
    assert "workers: 3  # of four cores\n" in aggregator.read_text()
    for name in ROLES:
        assert load(market_folder / name / "config.yaml").names == {LATE: "late"}


def test_an_aggregator_takes_another_s_place_in_every_list(market_folder):
    owner, buyer = market_folder / "owner-1" / "config.yaml", market_folder / "buyer" / "config.yaml"
    old = load(owner, "data-owner").aggregators
    introduce(members(market_folder), "second", "federated_aggregator", LATE)
    assert load(owner, "data-owner").aggregators == (*old, LATE)
    for _ in range(2):
        introduce(members(market_folder), "second", "federated_aggregator", LATE, "aggregator")
    assert load(owner, "data-owner").aggregators == load(buyer, "model-buyer").aggregators == (LATE,)
