"""Parties that come: what is refused before anything is made, and what the others' files say afterwards."""

import asyncio

import pytest

from protocol.errors import MisuseError
from protocol.records import Market
from services.admin.market_documents import MarketPlan, Place, Ports, party_document
from services.admin.market_folder import Party, yaml_text
from services.admin.market_growth import Newcomer, add_party, introduce
from services.admin.market_process import members
from services.admin.market_record import MarketRecord
from services.chain.contract.deploy import Deployment
from services.common.errors import ConfigurationError
from services.common.files import write_private
from services.config.daemons import load
from services.identity.keystore import Cost

CONTRACT = Deployment(Market(chain_id=31337, contract="0x" + "cc" * 20), 1)
LATE = "0x" + "1a" * 20
STRANGERS = tuple(f"0x{number:040x}" for number in range(1, 4))
ROLES = {"buyer": "model_buyer", "aggregator": "federated_aggregator", "owner-1": "data_owner"}


@pytest.fixture
def folder(tmp_path):
    """A market of three whose servers are others'."""
    plan = MarketPlan(tmp_path, chain_url="http://node", broker_url="amqp://broker", virtual_host="ours")
    MarketRecord(plan=plan).save()
    parties = {name: Party(name, tmp_path / name, role) for name, role in ROLES.items()}
    for party in parties.values():
        party.ensure_keys(Cost(2, 1, 8192))
    for name, party in parties.items():
        others = parties["aggregator"].address
        listed = [parties["owner-1"].address, *STRANGERS] if name == "aggregator" else [others]
        place = Place(party.role, party.address, name, Ports(9464, None))
        document = party_document(plan, CONTRACT, place, {}, listed)
        write_private(party.folder / "config.yaml", yaml_text(document, "made"))
    return tmp_path


def refused(folder, name, role="data_owner", **values):
    with pytest.raises((MisuseError, ConfigurationError)) as error:
        asyncio.run(add_party(Newcomer(folder, name, role, **values), print))
    assert not (folder / name / "keys").exists() or name in ROLES
    return str(error.value)


def test_a_name_is_a_folder_s_and_nobody_else_s(folder):
    for name in ("", "Clinic", "../clinic", "a b", "1st", "x" * 32, "deployer", "logs", "owner\n"):
        assert "is no name for a new party" in refused(folder, name)


def test_what_cannot_be_is_told_before_anything_is_made(folder):
    assert "in this market already, as data-owner" in refused(folder, "owner-1", "federated_aggregator")
    values = {"address": LATE, "data": folder / "rows.csv"}
    assert "adds its rows itself" in refused(folder, "clinic", **values)
    for old in ("nobody", "owner-1", "second"):
        assert "no other aggregator" in refused(folder, "second", "federated_aggregator", replaces=old)
    (folder / "notes").mkdir()
    assert "no party's" in refused(folder, "notes")


def test_an_owner_is_put_on_the_aggregator_s_list_and_into_everybody_s_address_book(folder):
    aggregator = folder / "aggregator" / "config.yaml"
    aggregator.write_text(aggregator.read_text().replace("workers: 1", "workers: 3  # of four cores"))
    before = load(aggregator, "aggregator").admitted
    for _ in range(2):
        introduce(members(folder), Newcomer(folder, "late", "data_owner"), LATE)
    assert load(aggregator, "aggregator").admitted == (*before, LATE)
    assert "workers: 3  # of four cores\n" in aggregator.read_text()
    for name in ROLES:
        assert load(folder / name / "config.yaml").names == {LATE: "late"}


def test_an_aggregator_takes_another_s_place_in_every_list(folder):
    owner, buyer = folder / "owner-1" / "config.yaml", folder / "buyer" / "config.yaml"
    old = load(owner, "data-owner").aggregators
    introduce(members(folder), Newcomer(folder, "second", "federated_aggregator"), LATE)
    assert load(owner, "data-owner").aggregators == (*old, LATE)
    newcomer = Newcomer(folder, "second", "federated_aggregator", replaces="aggregator")
    for _ in range(2):
        introduce(members(folder), newcomer, LATE)
    assert load(owner, "data-owner").aggregators == load(buyer, "model-buyer").aggregators == (LATE,)
