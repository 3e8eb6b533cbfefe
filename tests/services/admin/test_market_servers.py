"""What the market's own servers read at their start."""

from services.admin.market_servers import BrokerPorts, OwnServers, prepare_servers

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
