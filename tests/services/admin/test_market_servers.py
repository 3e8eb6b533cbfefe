"""What the market's own servers read at their start."""

import pytest

from services.admin.market_servers import BrokerPorts, OwnServers, prepare_servers, server_processes
from services.common.documents import read_yaml
from services.common.errors import ConfigurationError
from services.common.files import private_folder

OWN = OwnServers(broker=BrokerPorts(amqp=1, management=2, distribution=3, epmd=4))


def test_a_broker_of_a_market_that_was_moved_finds_its_definitions_and_keeps_what_was_edited(tmp_path):
    (tmp_path / "market").mkdir()
    prepare_servers(tmp_path / "market", OWN)
    with (tmp_path / "market" / "broker" / "rabbitmq.conf").open("a") as edited:
        edited.write("heartbeat = 30\n")
    moved = (tmp_path / "market").rename(tmp_path / "moved")
    prepare_servers(moved, OWN)
    lines = (moved / "broker" / "rabbitmq.conf").read_text().splitlines()
    assert f"load_definitions = {moved}/broker/administrator/definitions.json" in lines
    assert "heartbeat = 30" in lines
    assert str(tmp_path / "market") not in "".join(lines)


@pytest.mark.parametrize(
    ("written", "kept"), [("before/broker/administrator/password", False), ("elsewhere/secret", True)]
)
def test_a_whole_path_of_the_brokers_password_is_mended_in_a_market_that_was_moved(tmp_path, written, kept):
    """Earlier versions wrote it so; a password that lies elsewhere is not touched."""
    folder = tmp_path / "market"
    folder.mkdir()
    document = f"# ours\nmanagement:\n  url: http://b\n  password_file: {tmp_path}/{written}\nvhost: v\n"
    (folder / "broker.yaml").write_text(document)
    prepare_servers(folder, OWN)
    found = read_yaml(folder / "broker.yaml")
    wanted = f"{tmp_path}/{written}" if kept else "broker/administrator/password"
    assert found == {"management": {"url": "http://b", "password_file": wanted}, "vhost": "v"}


QUEUE = "data/deltaml-1@localhost/quorum/deltaml-1@localhost/DELTAM1/config"


def queue_of(market, noted):
    """A market whose broker has a queue that notes this as the place of its data."""
    config = market / "broker" / QUEUE
    private_folder(market / "broker")
    config.parent.mkdir(parents=True)
    config.write_text(f'#{{id => q,\n  cfg => #{{data_dir =>\n    "{noted}/x",name => quorum}}}}.\n')
    return market


@pytest.mark.parametrize(
    "noted", ["data/deltaml-1@localhost/quorum", "{market}/broker/data/deltaml-1@localhost"]
)
def test_queues_that_are_where_they_were_made_are_started(tmp_path, noted):
    market = queue_of(tmp_path / "market", noted.format(market=tmp_path / "market"))
    prepare_servers(market, OWN)
    broker = server_processes(market, OWN)[-1]
    assert broker.environment["RABBITMQ_MNESIA_BASE"] == "data"
    assert broker.folder == market / "broker"


def test_queues_of_an_earlier_version_that_were_moved_are_not_lost_in_silence(tmp_path):
    """The broker would run, and none of its queues: they would look for their logs where they were."""
    market = queue_of(tmp_path / "market", f"{tmp_path}/before/broker/data/deltaml-1@localhost")
    before = f"{tmp_path}/before/broker/data/.*; move the market's folder back"
    with pytest.raises(ConfigurationError, match=before):
        prepare_servers(market, OWN)
