from pathlib import Path

import yaml

from tests.support.daemons.command_line import refused

SAMPLE = Path(__file__).parents[3] / "deploy" / "config" / "chain-listener.yaml"


def test_a_daemon_without_a_port_cannot_be_asked(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**yaml.safe_load(SAMPLE.read_text()), "metrics_port": None}))
    assert "has no metrics_port" in refused("health", "--config", config)


def test_nobody_answering_is_a_failure(tmp_path, unused_tcp_port):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**yaml.safe_load(SAMPLE.read_text()), "metrics_port": unused_tcp_port}))
    assert f"127.0.0.1:{unused_tcp_port}" in refused("health", "--config", config, status=3)
