"""A market of three parties on disk, whose servers are others'."""

import pytest

from services.admin.market_documents import MarketPlan, Place, Ports, party_document
from services.admin.market_folder import Party, yaml_text
from services.admin.market_record import MarketRecord
from services.common.files import write_private
from services.identity.keystore import Cost
from tests.support.deployment.recorded import recorded_contract

CONTRACT = recorded_contract()
STRANGERS = tuple(f"0x{number:040x}" for number in range(1, 4))
ROLES = {"buyer": "model_buyer", "aggregator": "federated_aggregator", "owner-1": "data_owner"}


@pytest.fixture
def market_folder(tmp_path):
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
