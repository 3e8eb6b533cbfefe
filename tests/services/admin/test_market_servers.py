"""What the market's own servers read at their start."""

import pytest

from services.admin.market_servers import BrokerPorts, OwnServers, prepare_servers
from services.common.documents import read_yaml

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
