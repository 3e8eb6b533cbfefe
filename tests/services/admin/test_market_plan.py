"""What an operator leaves open is chosen once, and kept when the command is run again."""

import socket
from pathlib import Path

import pytest
import yaml

from services.admin.market_documents import MarketPlan
from services.admin.market_plan import check_plan, recorded
from services.admin.market_record import MarketRecord
from services.admin.market_servers import BrokerPorts, OwnServers, free_ports
from services.common.errors import ConfigurationError

OTHERS = {
    "chain_url": "http://node:8545",
    "broker_url": "amqp://broker",
    "management_url": "http://broker:15672",
    "administrator_password_file": Path("password"),
}


def test_servers_that_are_named_are_not_the_market_s_own(tmp_path):
    record = recorded(MarketPlan(tmp_path, **OTHERS), None)
    assert record.own == OwnServers()
    assert record.plan.metrics_port is not None
    assert record.plan.console_port is not None
    assert record.plan.chain_url == "http://node:8545"


def test_a_server_whose_program_is_missing_is_told_with_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match=r"needs RabbitMQ.*--broker"):
        recorded(MarketPlan(tmp_path, chain_url="http://node:8545"), None)


def test_the_record_outlives_the_command_and_options_change_it(tmp_path):
    ports = BrokerPorts(amqp=1, management=2, distribution=3, epmd=4)
    own = OwnServers(chain_port=5, broker=ports)
    urls = {"chain_url": own.chain_url, "broker_url": own.broker_url, "management_url": own.management_url}
    first = MarketRecord(
        plan=MarketPlan(tmp_path, **urls, owners=7, metrics_port=9000), own=own, added=("late",)
    )
    first.save()
    assert (tmp_path / "market.yaml").stat().st_mode & 0o077 == 0
    known = MarketRecord.of(tmp_path)
    assert known == first
    assert recorded(MarketPlan(tmp_path), known) == first
    elsewhere = recorded(MarketPlan(tmp_path, chain_url="http://node", owners=8), known)
    assert (elsewhere.plan.chain_url, elsewhere.own.chain_port) == ("http://node", None)
    assert (elsewhere.plan.owners, elsewhere.plan.metrics_port) == (8, 9000)
    assert elsewhere.own.broker == ports


@pytest.mark.parametrize(
    ("was", "is_known"),
    [
        ({"checked": True}, True),
        ({"rounds": "checked"}, True),
        ({"checked": False}, False),
        ({"rounds": "plain"}, False),
    ],
)
def test_a_market_of_an_earlier_version_is_known_if_its_rounds_are_checked(tmp_path, was, is_known):
    record = MarketRecord(plan=MarketPlan(tmp_path))
    record.save()
    file = tmp_path / "market.yaml"
    document = yaml.safe_load(file.read_text())
    document["plan"] |= was
    file.write_text(yaml.safe_dump(document))
    if is_known:
        assert MarketRecord.of(tmp_path) == record
        return
    with pytest.raises(ConfigurationError, match=r"rounds: plain is no more: .* the version before"):
        MarketRecord.of(tmp_path)


def test_without_a_record_there_is_no_market(tmp_path):
    with pytest.raises(ConfigurationError, match="market init"):
        MarketRecord.of(tmp_path)
    (tmp_path / "market.yaml").write_text("plan: 7\n")
    with pytest.raises(ConfigurationError, match="is damaged"):
        MarketRecord.of(tmp_path)


@pytest.mark.parametrize("missing", ["broker_url", "management_url", "administrator_password_file"])
def test_what_belongs_to_a_broker_is_given_together(tmp_path, missing):
    values = {name: value for name, value in OTHERS.items() if name != missing}
    with pytest.raises(ConfigurationError, match="belong together"):
        check_plan(MarketPlan(tmp_path, **values))
    check_plan(MarketPlan(tmp_path))
    check_plan(MarketPlan(tmp_path, **OTHERS))


def test_ports_in_use_are_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert port not in free_ports(port - 1, 2)
        first = free_ports(port, 1).start
        assert free_ports(port, 1, taken=[first]).start > first
    with pytest.raises(ConfigurationError, match="no 2 free ports"):
        free_ports(65535, 2)
